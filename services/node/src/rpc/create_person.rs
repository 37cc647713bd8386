//! `CreatePerson`: a person with an initial password and grants.

use fenghuo_api::identity::v1::{CreatePersonRequest, CreatePersonResponse};
use fenghuo_durable::faults::Faults;
use fenghuo_durable::{Code, Error, RequestKey, Result, Tx, new_id};
use fenghuo_edge::Caller;

use crate::domain::person::{check_password, check_user_name, normal_user_name};
use crate::domain::{PasswordHash, Person};
use crate::service::Service;
use crate::store;
use crate::store::Told;
use crate::wire::person::{grants_in, person_out};

const METHOD: &str = "/fenghuo.identity.v1.PeopleService/CreatePerson";

pub(super) async fn handle(service: &Service, caller: &Caller, request: CreatePersonRequest) -> Result<CreatePersonResponse> {
    service.require(caller, METHOD, "such place for people in your jurisdiction")?;
    let person = person_in(service, &request)?;
    let key = key_of(service, caller, &request).await?;
    let password = service.passwords().hash(&request.password).await?;
    let told = Told {
        kind: "person.created",
        actor: caller.identity.clone(),
        request_id: key.request_id.clone(),
        zh: "新增人员",
        en: "A person is added",
    };
    let context = (service.province_code().to_owned(), Person { password, ..person }, told);
    service
        .db()
        .write_once(key, context, |(province, person, told), tx| {
            Box::pin(async move {
                let person = create(tx, province, person.clone(), told.clone()).await?;
                Ok(CreatePersonResponse { person: Some(person_out(&person)) })
            })
        })
        .await
}

/// The key of the request. The password in it is kept nowhere, not even in a quick hash: something as costly to guess from stands for it.
async fn key_of(service: &Service, caller: &Caller, request: &CreatePersonRequest) -> Result<RequestKey> {
    let password = service.passwords().fingerprint(&request.password, &request.request_id).await?;
    RequestKey::new(&caller.identity, METHOD, &request.request_id, &CreatePersonRequest { password, ..request.clone() })
}

fn person_in(service: &Service, request: &CreatePersonRequest) -> Result<Person> {
    let mut faults = Faults::default();
    let given = request.person.clone().unwrap_or_else(|| {
        faults.add("person", "is required");
        fenghuo_api::identity::v1::Person::default()
    });
    let user_name = normal_user_name(&given.user_name);
    check_user_name("person.user_name", &user_name, &mut faults);
    faults.required_line("person.display_name", &given.display_name);
    faults.line("person.post", &given.post);
    let grants = grants_in("person.grants", &given.grants, service.province_code(), &mut faults);
    check_password("password", &request.password, &user_name, &mut faults);
    faults.done()?;
    Ok(Person {
        name: format!("provinces/{}/people/{}", service.province_code(), new_id()),
        revision: 0,
        user_name,
        display_name: given.display_name.trim().to_owned(),
        post: given.post.trim().to_owned(),
        grants,
        active: given.active,
        password: PasswordHash::new(String::new()),
    })
}

async fn create(tx: &mut Tx, province: &str, mut person: Person, told: Told) -> Result<Person> {
    if store::person::by_user_name(tx, &person.user_name).await?.is_some() {
        let text = format!("somebody has the user name {}; choose another", person.user_name);
        return Err(Error::new(Code::AlreadyExists, "USER_NAME_TAKEN", text).with("userName", person.user_name));
    }
    store::person::save(tx, province, &mut person, told).await?;
    Ok(person)
}
