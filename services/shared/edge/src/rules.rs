//! Which call needs what: one row for each method of the console's services. A method without a row is not served.

use crate::auth::Role;

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, signed in or not.
    Public,
    /// Anybody who is signed in, whatever the grants.
    Session,
    /// Who has one of these roles in some jurisdiction. For which records, the handler checks.
    Roles(&'static [Role]),
}

/// What a method needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Who may call.
    pub access: Access,
    /// Must the metadata name a space?
    pub needs_space: bool,
}

/// Any role reads.
const READERS: &[Role] = Role::ALL;
/// Who works at the desk.
const DESK: &[Role] = &[Role::DutyOfficer, Role::Commander, Role::Liaison];
const COMMANDER: &[Role] = &[Role::Commander];
const APPROVERS: &[Role] = &[Role::Commander, Role::Liaison];
const ADMINISTRATOR: &[Role] = &[Role::Administrator];

const fn public() -> Rule {
    Rule { access: Access::Public, needs_space: false }
}

const fn session() -> Rule {
    Rule { access: Access::Session, needs_space: false }
}

/// A call on what belongs to a space.
const fn space(roles: &'static [Role]) -> Rule {
    Rule { access: Access::Roles(roles), needs_space: true }
}

/// A call on what belongs to the node.
const fn node(roles: &'static [Role]) -> Rule {
    Rule { access: Access::Roles(roles), needs_space: false }
}

/// The table.
pub const RULES: &[(&str, Rule)] = &[
    ("/fenghuo.audit.v1.AuditService/ListEvents", space(READERS)),
    ("/fenghuo.audit.v1.AuditService/WatchEvents", space(READERS)),
    ("/fenghuo.audit.v1.AuditService/VerifyLog", space(&[Role::Administrator, Role::Commander])),
    ("/fenghuo.exercise.v1.ExerciseService/OpenExercise", node(APPROVERS)),
    ("/fenghuo.exercise.v1.ExerciseService/ListExercises", node(READERS)),
    ("/fenghuo.exercise.v1.ExerciseService/SetExerciseClock", node(APPROVERS)),
    ("/fenghuo.exercise.v1.ExerciseService/GetExerciseActivity", node(READERS)),
    ("/fenghuo.exercise.v1.ExerciseService/EndExercise", node(APPROVERS)),
    ("/fenghuo.identity.v1.SessionService/GetNode", public()),
    ("/fenghuo.identity.v1.SessionService/RedeemSetupLink", public()),
    ("/fenghuo.identity.v1.SessionService/SignIn", public()),
    ("/fenghuo.identity.v1.SessionService/SignOut", session()),
    ("/fenghuo.identity.v1.SessionService/GetSession", session()),
    ("/fenghuo.identity.v1.SessionService/ChangePassword", session()),
    ("/fenghuo.operation.v1.OperationService/ListConditions", session()),
    ("/fenghuo.operation.v1.OperationService/WatchConditions", session()),
    ("/fenghuo.operation.v1.OperationService/ReleaseQuarantine", node(&[Role::Administrator, Role::Commander])),
    ("/fenghuo.identity.v1.PeopleService/CreatePerson", node(ADMINISTRATOR)),
    ("/fenghuo.identity.v1.PeopleService/ListPeople", node(ADMINISTRATOR)),
    ("/fenghuo.identity.v1.PeopleService/SetGrants", node(ADMINISTRATOR)),
    ("/fenghuo.identity.v1.PeopleService/SetPersonActive", node(ADMINISTRATOR)),
    ("/fenghuo.incident.v1.IncidentService/SubmitReport", space(DESK)),
    ("/fenghuo.incident.v1.IncidentService/GetIncident", space(READERS)),
    ("/fenghuo.incident.v1.IncidentService/ListIncidents", space(READERS)),
    ("/fenghuo.incident.v1.IncidentService/WatchIncidents", space(READERS)),
    ("/fenghuo.incident.v1.IncidentService/UpdateFacts", space(DESK)),
    ("/fenghuo.incident.v1.IncidentService/DecideGrade", space(COMMANDER)),
    ("/fenghuo.incident.v1.IncidentService/RecordUpwardReport", space(DESK)),
    ("/fenghuo.incident.v1.IncidentService/RecordDutyDone", space(DESK)),
    ("/fenghuo.incident.v1.IncidentService/RecordBodyLearned", space(DESK)),
    ("/fenghuo.incident.v1.IncidentService/CloseIncident", space(COMMANDER)),
    ("/fenghuo.notification.v1.NotificationService/DraftNotification", space(DESK)),
    ("/fenghuo.notification.v1.NotificationService/UpdateNotification", space(DESK)),
    ("/fenghuo.notification.v1.NotificationService/ApproveNotification", space(APPROVERS)),
    ("/fenghuo.notification.v1.NotificationService/DiscardNotification", space(DESK)),
    ("/fenghuo.notification.v1.NotificationService/AcknowledgeNotification", space(DESK)),
    ("/fenghuo.notification.v1.NotificationService/RecordAcknowledgement", space(DESK)),
    ("/fenghuo.notification.v1.NotificationService/GetNotification", space(READERS)),
    ("/fenghuo.notification.v1.NotificationService/ListNotifications", space(READERS)),
    ("/fenghuo.notification.v1.NotificationService/WatchNotifications", space(READERS)),
    ("/fenghuo.notification.v1.NotificationService/ProposeRecipients", space(READERS)),
    ("/fenghuo.notification.v1.PartnerDirectoryService/GetOwnBundle", node(&[Role::Administrator, Role::Liaison])),
    ("/fenghuo.notification.v1.PartnerDirectoryService/EnrolPartner", node(ADMINISTRATOR)),
    ("/fenghuo.notification.v1.PartnerDirectoryService/AddLetterPartner", node(ADMINISTRATOR)),
    ("/fenghuo.notification.v1.PartnerDirectoryService/ListPartners", space(READERS)),
    ("/fenghuo.notification.v1.PartnerDirectoryService/WatchPartners", space(READERS)),
    ("/fenghuo.notification.v1.PartnerDirectoryService/RotateSigningKey", node(ADMINISTRATOR)),
    ("/fenghuo.notification.v1.PartnerDirectoryService/BeginNewEpoch", space(ADMINISTRATOR)),
];

/// What every node serves beside the contracts: health for the watchers of the process, reflection for tools. Neither tells of records.
const OF_EVERY_NODE: &[(&str, Rule)] = &[
    ("/grpc.health.v1.Health/Check", public()),
    ("/grpc.health.v1.Health/Watch", public()),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", public()),
];

/// The rule of a method by its path; `None` if there is no such method.
pub fn rule_of(path: &str) -> Option<&'static Rule> {
    RULES.iter().chain(OF_EVERY_NODE).find(|(method, _)| *method == path).map(|(_, rule)| rule)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message;

    use super::*;

    fn methods_of_the_contracts() -> Vec<String> {
        let contracts = prost_types::FileDescriptorSet::decode(fenghuo_api::FILE_DESCRIPTOR_SET).unwrap();
        let mut methods = Vec::new();
        for file in contracts.file.iter().filter(|file| file.package() != "fenghuo.partner.v1") {
            for service in &file.service {
                methods.extend(service.method.iter().map(|method| format!("/{}.{}/{}", file.package(), service.name(), method.name())));
            }
        }
        methods
    }

    #[test]
    fn each_method_has_exactly_one_row_and_each_row_a_method() {
        let methods: BTreeSet<String> = methods_of_the_contracts().into_iter().collect();
        let rows: BTreeSet<String> = RULES.iter().map(|(method, _)| (*method).to_owned()).collect();
        assert!(methods.len() > 30, "the contracts were not read: {methods:?}");
        assert_eq!(rows.len(), RULES.len(), "a method has two rows");
        assert_eq!(methods.difference(&rows).collect::<Vec<_>>(), Vec::<&String>::new(), "methods without a rule");
        assert_eq!(rows.difference(&methods).collect::<Vec<_>>(), Vec::<&String>::new(), "rules without a method");
    }

    #[test]
    fn only_what_comes_before_a_session_is_public() {
        let public: Vec<&str> = RULES.iter().filter(|(_, rule)| rule.access == Access::Public).map(|(method, _)| *method).collect();
        assert_eq!(
            public,
            [
                "/fenghuo.identity.v1.SessionService/GetNode",
                "/fenghuo.identity.v1.SessionService/RedeemSetupLink",
                "/fenghuo.identity.v1.SessionService/SignIn",
            ]
        );
    }

    #[test]
    fn what_belongs_to_a_space_names_it() {
        for (method, rule) in RULES {
            let of_a_space = ["incident.v1", "audit.v1", "NotificationService"].iter().any(|part| method.contains(part));
            assert!(!of_a_space || rule.needs_space, "{method}");
        }
    }
}
