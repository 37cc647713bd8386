//! Which services of a node a process serves: all of them, or chosen ones while other processes serve the rest on the same databases.

use fenghuo_durable::{Error, Result};

/// A service that can be chosen, named as its crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Reports become incidents.
    IncidentIntake,
    /// Partners and notifications, with the mailbox and the partner listener.
    Notification,
    /// People, sessions, exercises and the log.
    Node,
    /// The files of the browser program.
    Console,
}

impl Service {
    /// Every service, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::IncidentIntake, Self::Notification, Self::Node, Self::Console];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::IncidentIntake => "incident-intake",
            Self::Notification => "notification",
            Self::Node => "node",
            Self::Console => "console",
        }
    }
}

/// The services of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served(Vec<Service>);

impl Served {
    /// Those of these names; all if none is named.
    pub fn of(names: &[String]) -> Result<Self> {
        if names.is_empty() {
            return Ok(Self::all());
        }
        let known = Service::ALL.map(Service::name).join(", ");
        let find = |name: &String| {
            let found = Service::ALL.into_iter().find(|service| service.name() == name);
            found.ok_or_else(|| Error::invalid("only", format!("\"{name}\" is no service; choose among {known}")))
        };
        names.iter().map(find).collect::<Result<Vec<_>>>().map(Self)
    }

    /// All of them.
    pub fn all() -> Self {
        Self(Service::ALL.to_vec())
    }

    /// Is this one among them?
    pub fn has(&self, service: Service) -> bool {
        self.0.contains(&service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_the_chosen_ones_and_nothing_unknown() {
        let all = Served::of(&[]).unwrap();
        assert!(Service::ALL.into_iter().all(|service| all.has(service)));
        let one = Served::of(&["incident-intake".to_owned()]).unwrap();
        assert!(one.has(Service::IncidentIntake) && !one.has(Service::Node));
        let unknown = Served::of(&["intake".to_owned()]).unwrap_err();
        assert!(unknown.message.contains("intake") && unknown.message.contains("incident-intake"), "{}", unknown.message);
    }
}
