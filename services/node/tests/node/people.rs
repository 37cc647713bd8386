use fenghuo_api::identity::v1::*;
use fenghuo_api::time::to_proto;
use fenghuo_durable::testing::On;
use fenghuo_durable::{RequestKey, SpaceId, on_both, sha256, wall};
use jiff::SignedDuration;
use tonic::Code;

use crate::support::{Node, PASSWORD, PROVINCE, Place, fields, grant, id, refused, tamper};

on_both!(
    the_first_start_makes_the_administrator_and_nobody_else,
    grants_hold_between_their_dates_and_a_person_switched_off_is_out,
    the_last_administrator_stays,
    wrong_names_and_passwords_are_told_apart_by_nobody_and_wait,
    a_repeated_request_adds_one_person_and_no_secret_is_kept,
    sessions_end,
    bad_input_is_told_by_field_and_changes_nothing,
    people_belong_to_the_administrator_of_the_province,
);

fn redeem(setup_token: &str, password: &str) -> RedeemSetupLinkRequest {
    let (user_name, display_name) = (String::new(), "管理员".to_owned());
    RedeemSetupLinkRequest { setup_token: setup_token.to_owned(), user_name, display_name, password: password.to_owned() }
}

async fn needs_setup(node: &Node) -> bool {
    node.session("").get_node(GetNodeRequest {}).await.unwrap().into_inner().needs_setup
}

async fn the_first_start_makes_the_administrator_and_nobody_else(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let about = node.session("").get_node(GetNodeRequest {}).await.unwrap().into_inner();
    assert_eq!((about.province_code.as_str(), about.display_name.as_str(), about.display_name_en.as_str()), (PROVINCE, "湖北省", "Hubei"));
    assert!(about.needs_setup && !about.version.is_empty());
    let old = node.service.ensure_setup().await.unwrap().unwrap();
    node.stop().await;

    let node = place.start().await;
    let token = node.service.ensure_setup().await.unwrap().unwrap();
    for wrong in [old.as_str(), "", "guess", &"0".repeat(64)] {
        let error = refused(node.session("").redeem_setup_link(redeem(wrong, PASSWORD)).await);
        assert_eq!((error.code, error.reason.as_str()), (Code::Unauthenticated, "SETUP_TOKEN_WRONG"));
    }
    let short = refused(node.session("").redeem_setup_link(redeem(&token, "123456789")).await);
    assert_eq!(fields(&short), ["password"]);
    assert!(needs_setup(&node).await);

    // Two people have the link and use it at once: one becomes the administrator.
    let answers = futures::future::join_all((0..2).map(|_| {
        let (mut client, request) = (node.session(""), redeem(&token, PASSWORD));
        async move { client.redeem_setup_link(request).await }
    }))
    .await;
    let (made, failed): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(refused(failed.into_iter().next().unwrap()).reason, "SETUP_DONE");
    let made = made.into_iter().next().unwrap().unwrap().into_inner();
    let person = made.person.unwrap();
    assert_eq!(person.user_name, "admin");
    assert!(person.name.starts_with("provinces/420000/people/"), "{}", person.name);
    assert_eq!(person.grants.iter().map(Grant::role).collect::<Vec<_>>(), [Role::Administrator, Role::Viewer]);
    let me = node.session(&made.session_token).get_session(GetSessionRequest {}).await.unwrap().into_inner();
    assert_eq!(me.person.unwrap(), person);

    assert!(!needs_setup(&node).await);
    assert_eq!(refused(node.session("").redeem_setup_link(redeem(&token, PASSWORD)).await).reason, "SETUP_DONE");
    assert_eq!(node.service.ensure_setup().await.unwrap(), None);
    node.stop().await;
    let node = place.start().await;
    assert_eq!(node.service.ensure_setup().await.unwrap(), None);
    node.session(&made.session_token).get_session(GetSessionRequest {}).await.unwrap();
    node.stop().await;
}

async fn grants_hold_between_their_dates_and_a_person_switched_off_is_out(on: On) {
    let node = Place::new(on).await;
    let node = node.start().await;
    let (admin, _) = node.administrator().await;
    let now = wall::now();
    let dated = |from_h: i64, until_h: Option<i64>| Grant {
        role: Role::Viewer.into(),
        jurisdiction: PROVINCE.into(),
        start_time: Some(to_proto(now + SignedDuration::from_hours(from_h))),
        end_time: until_h.map(|hours| to_proto(now + SignedDuration::from_hours(hours))),
    };
    let (token, person) = node.person(&admin, "lijing", vec![dated(-2, Some(-1)), dated(1, None)]).await;
    let list = || fenghuo_api::audit::v1::ListEventsRequest::default();
    let me = node.session(&token).get_session(GetSessionRequest {}).await.unwrap().into_inner().person.unwrap();
    assert_eq!(me.grants, []);
    assert_eq!(refused(node.audit(&token, SpaceId::Real).list_events(list()).await).reason, "ROLE_REQUIRED");

    let set = SetGrantsRequest { request_id: id(), name: person.name.clone(), grants: vec![dated(-2, Some(1)), dated(5, None)] };
    let after = node.people(&admin).set_grants(set).await.unwrap().into_inner().person.unwrap();
    assert_eq!(after.grants.len(), 2);
    // At once, in the session that was open before.
    node.audit(&token, SpaceId::Real).list_events(list()).await.unwrap();
    let me = node.session(&token).get_session(GetSessionRequest {}).await.unwrap().into_inner().person.unwrap();
    assert_eq!(me.grants, after.grants[..1]);

    let switch = |active| SetPersonActiveRequest { request_id: id(), name: person.name.clone(), active };
    let off = node.people(&admin).set_person_active(switch(false)).await.unwrap().into_inner().person.unwrap();
    assert!(!off.active);
    assert_eq!(refused(node.audit(&token, SpaceId::Real).list_events(list()).await).reason, "SESSION_UNKNOWN");
    assert_eq!(refused(node.sign_in("lijing", PASSWORD).await).reason, "BAD_CREDENTIALS");
    node.people(&admin).set_person_active(switch(true)).await.unwrap();
    // The old session stays ended.
    assert_eq!(refused(node.session(&token).get_session(GetSessionRequest {}).await).reason, "SESSION_UNKNOWN");
    node.sign_in("LiJing ", PASSWORD).await.unwrap();
    node.stop().await;
}

async fn the_last_administrator_stays(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let (admin, person) = node.administrator().await;
    let set = |name: &str, grants: Vec<Grant>| SetGrantsRequest { request_id: id(), name: name.to_owned(), grants };
    let off = |name: &str| SetPersonActiveRequest { request_id: id(), name: name.to_owned(), active: false };
    let ending = Grant { end_time: Some(to_proto(wall::now() + SignedDuration::from_hours(1))), ..grant(Role::Administrator, PROVINCE) };
    let later = Grant { start_time: Some(to_proto(wall::now() + SignedDuration::from_hours(1))), ..grant(Role::Administrator, PROVINCE) };
    for lesser in [vec![], vec![grant(Role::Viewer, PROVINCE)], vec![grant(Role::Administrator, "422800")], vec![ending], vec![later]] {
        let error = refused(node.people(&admin).set_grants(set(&person.name, lesser.clone())).await);
        assert_eq!((error.code, error.reason.as_str()), (Code::FailedPrecondition, "LAST_ADMINISTRATOR"), "{lesser:?}");
    }
    assert_eq!(refused(node.people(&admin).set_person_active(off(&person.name)).await).reason, "LAST_ADMINISTRATOR");
    let me = node.session(&admin).get_session(GetSessionRequest {}).await.unwrap().into_inner().person.unwrap();
    assert_eq!(me.grants, person.grants);

    // Two administrators switch each other off at once: one stays.
    let (second, other) = node.person(&admin, "second", vec![grant(Role::Administrator, PROVINCE)]).await;
    let (mut one, mut two) = (node.people(&admin), node.people(&second));
    let (first, second) = tokio::join!(one.set_person_active(off(&other.name)), two.set_person_active(off(&person.name)));
    let failures: Vec<String> = [first, second].into_iter().filter(Result::is_err).map(|answer| refused(answer).reason).collect();
    assert_eq!(failures.len(), 1, "{failures:?}");
    // Refused by the rule, or because the session was ended first.
    assert!(["LAST_ADMINISTRATOR", "SESSION_UNKNOWN"].contains(&failures[0].as_str()), "{failures:?}");
    node.stop().await;
}

async fn wrong_names_and_passwords_are_told_apart_by_nobody_and_wait(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let (admin, _) = node.administrator().await;
    node.person(&admin, "lijing", vec![]).await;
    let wrong = refused(node.sign_in("lijing", "wrong password").await);
    let unknown = refused(node.sign_in("nobody", "wrong password").await);
    assert_eq!((wrong.code, wrong.reason.as_str()), (Code::Unauthenticated, "BAD_CREDENTIALS"));
    assert_eq!((&wrong.message, wrong.code, &wrong.metadata), (&unknown.message, unknown.code, &unknown.metadata));
    for odd in ["", &"x".repeat(500), "a\0b"] {
        assert_eq!(refused(node.sign_in(odd, PASSWORD).await).reason, "BAD_CREDENTIALS", "{odd}");
    }

    // A success forgets the failures before it.
    node.sign_in("lijing", PASSWORD).await.unwrap();
    for name in ["lijing", "nobody"] {
        for _ in 0..4 {
            let _ = node.sign_in(name, "wrong password").await;
        }
    }
    let _ = node.sign_in("lijing", "wrong password").await;
    for name in ["lijing", "nobody"] {
        let waits = refused(node.sign_in(name, PASSWORD).await);
        assert_eq!((waits.code, waits.reason.as_str()), (Code::ResourceExhausted, "SIGN_IN_WAITS"), "{name}");
        assert_eq!(waits.metadata["retryAfterSeconds"], "1", "{name}");
    }
    tokio::time::sleep(std::time::Duration::from_millis(1050)).await;
    node.sign_in("lijing", PASSWORD).await.unwrap();

    // The count outlives a restart, and guesses sent at once do not overtake it.
    let guesses = futures::future::join_all((0..12).map(|_| node.sign_in("lijing", "wrong password"))).await;
    let reasons: Vec<String> = guesses.into_iter().map(|guess| refused(guess).reason).collect();
    assert_eq!(reasons.iter().filter(|reason| *reason == "BAD_CREDENTIALS").count(), 5, "{reasons:?}");
    tamper(node.own.db(), "UPDATE node_throttle SET failures = 20 WHERE user_name = 'lijing'").await;
    node.stop().await;
    let node = place.start().await;
    let waits = refused(node.sign_in("lijing", PASSWORD).await);
    let seconds: u64 = waits.metadata["retryAfterSeconds"].parse().unwrap();
    assert!((280..=300).contains(&seconds), "{seconds}");
    tamper(node.own.db(), "UPDATE node_throttle SET last_us = last_us - 301000000").await;
    node.sign_in("lijing", PASSWORD).await.unwrap();
    node.stop().await;
}

/// Every value of every table of the node's own database, as bytes.
async fn dump(node: &Node) -> Vec<Vec<u8>> {
    const TABLES: [&str; 9] = [
        "SELECT name, body FROM node_person",
        "SELECT token_digest, session_id, person FROM node_session",
        "SELECT token_digest FROM node_setup",
        "SELECT user_name FROM node_throttle",
        "SELECT name, body FROM node_exercise",
        "SELECT kind, subject, actor, request_id, payload, text_zh, text_en FROM log_event",
        "SELECT body FROM log_private",
        "SELECT request_hash, answer FROM log_request",
        "SELECT payload FROM timer_due",
    ];
    node.own
        .db()
        .read((), |(), tx| {
            Box::pin(async move {
                let mut values = Vec::new();
                for sql in TABLES {
                    let width = sql.split(" FROM ").next().unwrap_or_default().matches(',').count() + 1;
                    for row in tx.rows(sql, &[]).await? {
                        for column in 0..width {
                            values.push(match row.opt_text(column) {
                                Ok(text) => text.unwrap_or_default().into_bytes(),
                                Err(_) => row.opt_blob(column)?.unwrap_or_default(),
                            });
                        }
                    }
                }
                Ok(values)
            })
        })
        .await
        .unwrap()
}

async fn a_repeated_request_adds_one_person_and_no_secret_is_kept(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let (admin, _) = node.administrator().await;
    let person = Person { user_name: "lijing".into(), display_name: "李静".into(), active: true, ..Person::default() };
    let request = CreatePersonRequest { request_id: id(), person: Some(person), password: PASSWORD.into() };
    let first = node.people(&admin).create_person(request.clone()).await.unwrap().into_inner();
    let again = node.people(&admin).create_person(request.clone()).await.unwrap().into_inner();
    assert_eq!(first, again);
    let other = CreatePersonRequest { password: "another password".into(), ..request.clone() };
    assert_eq!(refused(node.people(&admin).create_person(other).await).reason, "REQUEST_ID_REUSED");
    let taken = CreatePersonRequest { request_id: id(), ..request.clone() };
    let taken = refused(node.people(&admin).create_person(taken).await);
    assert_eq!((taken.code, taken.reason.as_str()), (Code::AlreadyExists, "USER_NAME_TAKEN"));

    let mut page = node.people(&admin).list_people(ListPeopleRequest { page_size: 1, ..Default::default() }).await.unwrap().into_inner();
    assert_eq!(page.people[0].user_name, "admin");
    let next = ListPeopleRequest { page_size: 1, page_token: std::mem::take(&mut page.next_page_token) };
    let page = node.people(&admin).list_people(next).await.unwrap().into_inner();
    assert_eq!((page.people, page.next_page_token.as_str()), (vec![first.person.unwrap()], ""));
    let foreign = fenghuo_durable::page::PageToken::encode("/some/Other", &["admin"]);
    let error = refused(node.people(&admin).list_people(ListPeopleRequest { page_token: foreign, page_size: 0 }).await);
    assert_eq!(fields(&error), ["page_token"]);
    let error = refused(node.people(&admin).list_people(ListPeopleRequest { page_size: -1, ..Default::default() }).await);
    assert_eq!(fields(&error), ["page_size"]);

    // What would let somebody who reads the disk sign in, or guess passwords fast: the password, the token, a quick hash of either.
    let session = node.sign_in("lijing", PASSWORD).await.unwrap();
    let quick = RequestKey::new("x", "/x", &request.request_id, &request).unwrap().request_hash;
    let secrets: [Vec<u8>; 6] = [
        PASSWORD.into(),
        sha256(PASSWORD.as_bytes()).to_vec(),
        hex::encode(sha256(PASSWORD.as_bytes())).into(),
        session.session_token.clone().into(),
        hex::decode(&session.session_token).unwrap(),
        quick,
    ];
    let values = dump(&node).await;
    assert!(values.contains(&sha256(session.session_token.as_bytes()).to_vec()), "the dump misses the sessions");
    let holds = |part: &str| values.iter().any(|value| value.windows(part.len()).any(|found| found == part.as_bytes()));
    assert!(holds("$argon2id$") && holds("person.created") && holds("李静"), "the dump misses people, log or answers");
    for value in values {
        assert!(
            !secrets.iter().any(|secret| value.windows(secret.len()).any(|part| part == secret)),
            "{}",
            String::from_utf8_lossy(&value)
        );
    }
    // And personal data stand beside the log, not in it.
    let named = "SELECT COUNT(*) FROM log_event WHERE payload LIKE '%李静%' OR text_zh LIKE '%李静%' OR payload LIKE '%lijing%'";
    assert_eq!(node.own.db().read((), move |(), tx| Box::pin(tx.number(named, &[]))).await.unwrap(), 0);
    let beside = "SELECT COUNT(*) FROM log_private WHERE body LIKE '%李静%'";
    assert_eq!(node.own.db().read((), move |(), tx| Box::pin(tx.number(beside, &[]))).await.unwrap(), 1);
    node.stop().await;
}

async fn sessions_end(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let (admin, _) = node.administrator().await;
    let (one, _) = node.person(&admin, "lijing", vec![]).await;
    let answer = node.sign_in("lijing", PASSWORD).await.unwrap();
    let (two, left) = (answer.session_token, answer.expire_time.unwrap().seconds - wall::now().as_second());
    assert!((12 * 3600 - 60..=12 * 3600).contains(&left), "{left}");
    let alive = async |token: &str| node.session(token).get_session(GetSessionRequest {}).await;

    let change = |old: &str, new: &str| ChangePasswordRequest { old_password: old.to_owned(), new_password: new.to_owned() };
    let wrong = refused(node.session(&two).change_password(change("not this one", "a new password")).await);
    assert_eq!(fields(&wrong), ["old_password"]);
    let short = refused(node.session(&two).change_password(change(PASSWORD, "short")).await);
    assert_eq!(fields(&short), ["new_password"]);
    alive(&one).await.unwrap();
    node.session(&two).change_password(change(PASSWORD, "a new password")).await.unwrap();
    assert_eq!(refused(alive(&one).await).reason, "SESSION_UNKNOWN");
    alive(&two).await.unwrap();
    assert_eq!(refused(node.sign_in("lijing", PASSWORD).await).reason, "BAD_CREDENTIALS");
    let three = node.sign_in("lijing", "a new password").await.unwrap().session_token;

    node.session(&two).sign_out(SignOutRequest {}).await.unwrap();
    let gone = refused(alive(&two).await);
    assert_eq!((gone.code, gone.reason.as_str()), (Code::Unauthenticated, "SESSION_UNKNOWN"));
    alive(&three).await.unwrap();
    tamper(node.own.db(), "UPDATE node_session SET expire_us = start_us").await;
    assert_eq!(refused(alive(&three).await).reason, "SESSION_UNKNOWN");
    // The next sign-in sweeps what has run out.
    node.sign_in("lijing", "a new password").await.unwrap();
    assert_eq!(tamper(node.own.db(), "UPDATE node_session SET expire_us = expire_us").await, 1);
    for odd in ["x", &"é".repeat(32), &"F".repeat(64)] {
        if odd.is_ascii() {
            assert_eq!(refused(alive(odd).await).reason, "SESSION_UNKNOWN");
        }
    }
    node.stop().await;
}

async fn bad_input_is_told_by_field_and_changes_nothing(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let (admin, me) = node.administrator().await;
    let before = dump(&node).await;
    let empty = refused(node.people(&admin).create_person(CreatePersonRequest { request_id: id(), ..Default::default() }).await);
    assert_eq!(fields(&empty), ["person", "person.user_name", "person.display_name", "password"]);
    let late = Grant { end_time: Some(to_proto(wall::now() - SignedDuration::from_hours(1))), ..grant(Role::Viewer, PROVINCE) };
    let bad = Person {
        user_name: "李静".into(),
        display_name: "李\n静".into(),
        post: "p".repeat(201),
        grants: vec![
            Grant { role: 99, ..grant(Role::Viewer, PROVINCE) },
            grant(Role::Viewer, "500000"),
            Grant { start_time: None, ..grant(Role::Viewer, "422800") },
            late,
        ],
        ..Person::default()
    };
    let request = CreatePersonRequest { request_id: id(), person: Some(bad.clone()), password: PASSWORD.into() };
    let error = refused(node.people(&admin).create_person(request.clone()).await);
    let wrong = [
        "person.user_name",
        "person.display_name",
        "person.post",
        "person.grants[0].role",
        "person.grants[1].jurisdiction",
        "person.grants[2].start_time",
        "person.grants[3].end_time",
    ];
    assert_eq!((error.code, fields(&error)), (Code::InvalidArgument, wrong.to_vec()));
    let set = SetGrantsRequest { request_id: id(), name: me.name.clone(), grants: bad.grants };
    let error = refused(node.people(&admin).set_grants(set).await);
    assert_eq!(fields(&error), ["grants[0].role", "grants[1].jurisdiction", "grants[2].start_time", "grants[3].end_time"]);
    let no_id = SetPersonActiveRequest { request_id: "1".into(), name: me.name, active: true };
    assert_eq!(fields(&refused(node.people(&admin).set_person_active(no_id).await)), ["request_id"]);
    let stranger = SetPersonActiveRequest { request_id: id(), name: "provinces/420000/people/1".into(), active: false };
    assert_eq!(refused(node.people(&admin).set_person_active(stranger).await).code, Code::NotFound);
    assert_eq!(dump(&node).await, before);
    node.stop().await;
}

async fn people_belong_to_the_administrator_of_the_province(on: On) {
    let place = Place::new(on).await;
    let node = place.start().await;
    let (admin, me) = node.administrator().await;
    let (county, _) = node.person(&admin, "county", vec![grant(Role::Administrator, "422822")]).await;
    let (officer, _) = node.person(&admin, "officer", vec![grant(Role::DutyOfficer, PROVINCE), grant(Role::Commander, PROVINCE)]).await;
    for (token, code) in [(&county, Code::NotFound), (&officer, Code::PermissionDenied), (&String::new(), Code::Unauthenticated)] {
        let mut people = node.people(token);
        let person = Person { user_name: "new".into(), display_name: "新".into(), active: true, ..Person::default() };
        let create = CreatePersonRequest { request_id: id(), person: Some(person), password: PASSWORD.into() };
        assert_eq!(refused(people.create_person(create).await).code, code);
        assert_eq!(refused(people.list_people(ListPeopleRequest::default()).await).code, code);
        let set = SetGrantsRequest { request_id: id(), name: me.name.clone(), grants: vec![] };
        assert_eq!(refused(people.set_grants(set).await).code, code);
        let off = SetPersonActiveRequest { request_id: id(), name: me.name.clone(), active: false };
        assert_eq!(refused(people.set_person_active(off).await).code, code);
    }
    node.stop().await;
}
