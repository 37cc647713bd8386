//! What must hold in a script beyond its form: labels lead somewhere, people sit where they act, and each step says what it rests on.

use std::collections::BTreeSet;

use toml::Spanned;

use super::script::{Action, IncidentText, NodeText, Notify, PersonText, Script, ScriptError, Step, line_of};

/// The format that this program reads.
const FORMAT: u32 = 1;
const ROLES: [&str; 5] = ["viewer", "duty_officer", "commander", "liaison", "administrator"];

/// All that is wrong; `text` is what the script was read from.
pub fn faults(text: &str, script: &Script) -> Vec<ScriptError> {
    let mut check = Check { text, errors: Vec::new() };
    check.script(script);
    check.errors
}

struct Check<'a> {
    text: &'a str,
    errors: Vec<ScriptError>,
}

impl Check<'_> {
    fn wrong<T>(&mut self, at: &Spanned<T>, problem: impl Into<String>) {
        self.errors.push(ScriptError { line: line_of(self.text, &at.span()), problem: problem.into() });
    }

    fn script(&mut self, script: &Script) {
        if *script.format.get_ref() != FORMAT {
            self.wrong(&script.format, format!("format must be {FORMAT}"));
        }
        if script.invented.get_ref().iter().all(|line| line.trim().is_empty()) {
            self.wrong(&script.invented, "invented must say what the script makes up");
        }
        self.unique("node", script.nodes.iter().map(|node| (node, node.get_ref().code.as_str())));
        self.unique("person", script.people.iter().map(|person| (person, person.get_ref().id.as_str())));
        self.unique("incident", script.incidents.iter().map(|incident| (incident, incident.get_ref().id.as_str())));
        self.unique("step", script.steps.iter().map(|step| (step, step.get_ref().id.as_str())));
        if script.nodes.len() != 2 {
            self.errors.push(ScriptError {
                line: 0,
                problem: format!("a drill is played between two nodes; this script has {}", script.nodes.len()),
            });
        }
        for node in &script.nodes {
            self.node(script, node);
        }
        for person in &script.people {
            self.person(script, person);
        }
        for incident in &script.incidents {
            self.incident(script, incident);
        }
        for step in &script.steps {
            self.step(script, step);
        }
    }

    fn unique<'t, T: 't>(&mut self, what: &str, items: impl Iterator<Item = (&'t Spanned<T>, &'t str)>) {
        let mut seen = BTreeSet::new();
        for (item, id) in items {
            if !seen.insert(id) {
                self.wrong(item, format!("the {what} \"{id}\" is there twice"));
            }
        }
    }

    fn node(&mut self, script: &Script, node: &Spanned<NodeText>) {
        let code = &node.get_ref().code;
        for role in ["liaison", "commander"] {
            if script.person_with(code, role).is_none() {
                self.wrong(node, format!("node {code} has no {role}; a liaison opens the exercise and a commander has the log verified"));
            }
        }
    }

    fn person(&mut self, script: &Script, person: &Spanned<PersonText>) {
        let stated = person.get_ref();
        if !script.nodes.iter().any(|node| node.get_ref().code == stated.node) {
            self.wrong(person, format!("person \"{}\": there is no node \"{}\"", stated.id, stated.node));
        }
        if let Some(role) = stated.roles.iter().find(|role| !ROLES.contains(&role.as_str())) {
            self.wrong(person, format!("person \"{}\": role \"{role}\" is none of {}", stated.id, ROLES.join(", ")));
        }
    }

    fn incident(&mut self, script: &Script, incident: &Spanned<IncidentText>) {
        let stated = incident.get_ref();
        let node = script.nodes.iter().any(|node| node.get_ref().code == stated.node);
        let opener = script.step(&stated.opened_by).and_then(Step::action);
        let problem = match opener {
            _ if !node => format!("there is no node \"{}\"", stated.node),
            Some(Action::SubmitReport(_)) => return,
            Some(Action::Notify(notify)) if notify.to == stated.node => return,
            Some(Action::Notify(notify)) => {
                format!("the notification \"{}\" goes to {}, not to {}", stated.opened_by, notify.to, stated.node)
            }
            _ => format!("opened_by \"{}\" is no step that submits a report or notifies", stated.opened_by),
        };
        self.wrong(incident, format!("incident \"{}\": {problem}", stated.id));
    }

    fn step(&mut self, script: &Script, step: &Spanned<Step>) {
        let stated = step.get_ref();
        let mut problems = Vec::new();
        let person = script.person(&stated.by);
        if person.is_none() {
            problems.push(format!("by \"{}\" is no person of this script", stated.by));
        }
        if stated.source.is_empty() && stated.invented.as_deref().unwrap_or_default().trim().is_empty() {
            problems.push("needs source or invented: say what it rests on, or what is made up".to_owned());
        }
        for source in stated.source.iter().filter(|id| !script.sources.iter().any(|known| known.id == **id)) {
            problems.push(format!("source \"{source}\" is not in the list of sources"));
        }
        let actions = stated.actions();
        let [action] = actions.as_slice() else {
            let names: Vec<_> = actions.iter().map(Action::name).collect();
            problems.push(if names.is_empty() {
                "does nothing".to_owned()
            } else {
                format!("does more than one thing: {}", names.join(", "))
            });
            return self.step_wrong(step, problems);
        };
        problems.extend(when_problem(script, stated, action));
        if let Some(label) = action.incident() {
            match script.incident(label) {
                None => problems.push(format!("incident \"{label}\" is not in the list of incidents")),
                Some(incident) if person.is_some_and(|person| person.node != incident.node) => {
                    problems.push(format!("\"{}\" sits at another node than the incident \"{label}\"", stated.by));
                }
                Some(_) => {}
            }
        }
        match action {
            Action::Notify(notify) => problems.extend(notify_problems(script, stated, notify)),
            Action::Acknowledge(acknowledge) => match script.notify(&acknowledge.notification) {
                None => problems.push(format!("notification \"{}\" is no step that notifies", acknowledge.notification)),
                Some(notify) if person.is_some_and(|person| person.node != notify.to) => {
                    problems.push(format!("\"{}\" does not sit at {}, where the notification goes", stated.by, notify.to));
                }
                Some(_) => {}
            },
            _ => {}
        }
        self.step_wrong(step, problems);
    }

    fn step_wrong(&mut self, step: &Spanned<Step>, problems: Vec<String>) {
        let id = step.get_ref().id.clone();
        for problem in problems {
            self.wrong(step, format!("step \"{id}\": {problem}"));
        }
    }
}

fn when_problem(script: &Script, step: &Step, action: &Action<'_>) -> Option<String> {
    match (step.at, step.minutes_after_arrival, action) {
        (Some(at), None, _) if at < script.start => Some(format!("at {at} lies before the start, {}", script.start)),
        (Some(_), None, _) | (None, Some(_), Action::Acknowledge(_)) => None,
        (None, Some(_), _) => Some("minutes_after_arrival is for acknowledgements; say at".to_owned()),
        (None, None, _) => Some("says no time: at, or minutes_after_arrival for an acknowledgement".to_owned()),
        (Some(_), Some(_), _) => Some("says both at and minutes_after_arrival".to_owned()),
    }
}

fn notify_problems(script: &Script, step: &Step, notify: &Notify) -> Vec<String> {
    let mut problems = Vec::new();
    let node = script.person(&step.by).map(|person| person.node.as_str());
    if !script.nodes.iter().any(|known| known.get_ref().code == notify.to) || node == Some(notify.to.as_str()) {
        problems.push(format!("to \"{}\" is not the other node", notify.to));
    }
    match script.person(&notify.approved_by) {
        None => problems.push(format!("approved_by \"{}\" is no person of this script", notify.approved_by)),
        Some(person) if Some(person.node.as_str()) != node => {
            problems.push(format!("approved_by \"{}\" sits at another node", notify.approved_by))
        }
        Some(_) => {}
    }
    if notify.approved_at.zip(step.at).is_some_and(|(approved, drafted)| approved < drafted) {
        problems.push("approved_at lies before at".to_owned());
    }
    for (key, label) in notify.links() {
        if let Some(label) = label.filter(|label| script.notify(label).is_none()) {
            problems.push(format!("{key} \"{label}\" is no step that notifies"));
        }
    }
    problems
}
