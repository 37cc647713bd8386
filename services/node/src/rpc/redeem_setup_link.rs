//! `RedeemSetupLink`: the one-time link makes the administrator.

use fenghuo_api::identity::v1::{RedeemSetupLinkRequest, RedeemSetupLinkResponse};
use fenghuo_durable::faults::Faults;
use fenghuo_durable::{Code, Error, Result, Tx, new_id};
use fenghuo_edge::Role;
use jiff::SignedDuration;

use crate::domain::person::{check_password, check_user_name, normal_user_name};
use crate::domain::{HeldGrant, PasswordHash, Person};
use crate::service::Service;
use crate::sessions::new_session;
use crate::store;
use crate::store::Told;
use crate::store::session::NewSession;
use crate::tokens::digest_of;
use crate::wire::person::person_out;

/// User name of the administrator if none is given.
const DEFAULT_USER_NAME: &str = "admin";

pub(super) async fn handle(service: &Service, request: RedeemSetupLinkRequest) -> Result<RedeemSetupLinkResponse> {
    // Before anything costly, and before telling what is wrong with the rest.
    let digest = digest_of(&request.setup_token).ok_or_else(token_wrong)?;
    service.db().read(digest, |digest, tx| Box::pin(require_token(tx, *digest))).await?;
    let user_name = match normal_user_name(&request.user_name) {
        empty if empty.is_empty() => DEFAULT_USER_NAME.to_owned(),
        given => given,
    };
    let mut faults = Faults::default();
    check_user_name("user_name", &user_name, &mut faults);
    faults.required_line("display_name", &request.display_name);
    check_password("password", &request.password, &user_name, &mut faults);
    faults.done()?;
    let password = service.passwords().hash(&request.password).await?;
    let (session_token, session) = new_session()?;
    let person = first_administrator(service.province_code(), user_name, &request.display_name, password, &session);
    let context = (service.province_code().to_owned(), digest, person, session);
    let person = service
        .db()
        .write(context, |(province, digest, person, session), tx| {
            Box::pin(async move {
                require_token(tx, *digest).await?;
                let mut person = person.clone();
                let told = Told {
                    kind: "person.created",
                    actor: person.name.clone(),
                    zh: "首次启动：设立管理员",
                    en: "First start: the administrator is made",
                    ..Told::default()
                };
                store::person::save(tx, province, &mut person, told).await?;
                store::setup::redeem(tx).await?;
                store::session::start(tx, province, &person.name, session).await?;
                Ok(person)
            })
        })
        .await?;
    Ok(RedeemSetupLinkResponse { session_token, person: Some(person_out(&person)) })
}

/// Administers and reads the whole province; roles do not include each other.
fn first_administrator(province: &str, user_name: String, display_name: &str, password: PasswordHash, session: &NewSession) -> Person {
    // From the day before, as the certificates: a clock that was ahead when the node was set up, and is put right, locks nobody out.
    let start = session.start_at.checked_sub(SignedDuration::from_hours(24)).unwrap_or(session.start_at);
    let grant = |role| HeldGrant { role, jurisdiction: province.to_owned(), start, end: None };
    Person {
        name: format!("provinces/{province}/people/{}", new_id()),
        revision: 0,
        user_name,
        display_name: display_name.trim().to_owned(),
        post: String::new(),
        grants: vec![grant(Role::Administrator), grant(Role::Viewer)],
        active: true,
        password,
    }
}

async fn require_token(tx: &mut Tx, digest: [u8; 32]) -> Result<()> {
    if store::person::any(tx).await? {
        return Err(Error::precondition("SETUP_DONE", "the administrator's password is set, and the link is void; sign in"));
    }
    if store::setup::holds(tx, digest).await? { Ok(()) } else { Err(token_wrong()) }
}

fn token_wrong() -> Error {
    let text =
        "this is not the link that the node printed at its last start; each start, of any replica, prints a new one until it is used";
    Error::new(Code::Unauthenticated, "SETUP_TOKEN_WRONG", text)
}
