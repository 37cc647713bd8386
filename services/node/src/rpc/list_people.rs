//! `ListPeople`: by user name.

use fenghuo_api::identity::v1::{ListPeopleRequest, ListPeopleResponse};
use fenghuo_durable::Result;
use fenghuo_durable::page::{PageToken, page_size};
use fenghuo_edge::Caller;

use super::bad_page_token;
use crate::service::Service;
use crate::store;
use crate::wire::person::person_out;

const METHOD: &str = "/fenghuo.identity.v1.PeopleService/ListPeople";

pub(super) async fn handle(service: &Service, caller: &Caller, request: ListPeopleRequest) -> Result<ListPeopleResponse> {
    service.require(caller, METHOD, "such list of people")?;
    let size = page_size(request.page_size, 50, 500)?;
    let after = match request.page_token.as_str() {
        "" => String::new(),
        token => match &PageToken::decode(METHOD, token)?[..] {
            [user_name] => user_name.clone(),
            _ => return Err(bad_page_token()),
        },
    };
    let mut people = service.db().read((after, size), |(after, size), tx| Box::pin(store::person::page(tx, after, size + 1))).await?;
    let wanted = usize::try_from(size).unwrap_or(50);
    let more = people.len() > wanted;
    people.truncate(wanted);
    let next = people.last().filter(|_| more).map(|last| PageToken::encode(METHOD, &[&last.user_name]));
    Ok(ListPeopleResponse { people: people.iter().map(person_out).collect(), next_page_token: next.unwrap_or_default() })
}
