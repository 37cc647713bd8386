use super::*;

const GOOD: &str = include_str!("../../../../seeds/drills/qianzhangyan-2014-as-it-happened.toml");

/// The one error of the good script with `from` replaced by `to`, and the line that it names.
fn fault(from: &str, to: &str) -> (usize, String) {
    assert!(GOOD.contains(from), "the script has no {from}");
    let errors = Script::parse(&GOOD.replacen(from, to, 1)).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    (errors[0].line, errors[0].problem.clone())
}

fn line_with(text: &str) -> usize {
    GOOD.lines().position(|line| line.contains(text)).unwrap() + 1
}

/// The line on which the table of the step begins whose id this is.
fn step_line(id: &str) -> usize {
    line_with(&format!("id = \"{id}\"")) - 1
}

#[test]
fn the_script_reads() {
    let script = Script::parse(GOOD).unwrap();
    assert_eq!((script.nodes.len(), script.people.len(), script.incidents.len(), script.steps.len()), (2, 6, 2, 42));
    assert_eq!(script.start, "2014-08-12T22:00:00Z".parse().unwrap());
    let search = script.notify("search").unwrap();
    assert_eq!((search.to.as_str(), search.approved_by.as_str()), ("420000", "tan-jianguo"));
    assert_eq!(script.person_with("500000", "liaison").unwrap().id, "he-qian");
    assert!(script.steps.iter().all(|step| step.get_ref().action().is_some()));
}

#[test]
fn an_unknown_key_names_key_and_line() {
    let (line, problem) = fault("confirmed_environmental = \"yes\", water_intake", "confirmed_enviromental = \"yes\", water_intake");
    assert_eq!(line, line_with("confirmed_environmental = \"yes\", water_intake"));
    assert!(problem.contains("unknown field `confirmed_enviromental`"), "{problem}");
    let (line, problem) = fault("minutes_after_arrival = 11", "minutes_after = 11");
    assert_eq!(line, line_with("minutes_after_arrival = 11"));
    assert!(problem.contains("unknown field `minutes_after`"), "{problem}");
}

#[test]
fn a_code_that_does_not_exist_names_those_that_do() {
    let (line, problem) = fault("kind = \"search\"", "kind = \"serch\"");
    assert_eq!(line, line_with("kind = \"search\""));
    assert!(problem.contains("unknown variant `serch`") && problem.contains("`search`"), "{problem}");
    let (_, problem) = fault("grade = \"GRADE_II\"\nkind = \"preliminary\"", "grade = \"II\"\nkind = \"preliminary\"");
    assert!(problem.contains("`GRADE_II`"), "{problem}");
}

#[test]
fn a_time_without_offset_is_refused() {
    let (line, problem) = fault("at = 2014-08-13T06:10:00+08:00", "at = 2014-08-13T06:10:00");
    assert_eq!(line, line_with("at = 2014-08-13T06:10:00+08:00"));
    assert!(problem.contains("with an offset"), "{problem}");
}

#[test]
fn text_that_is_no_toml_names_the_line() {
    let (line, _) = fault("origin = \"hotline\"", "origin = hotline");
    assert_eq!(line, line_with("origin = \"hotline\""));
}

#[test]
fn labels_must_lead_somewhere() {
    assert_eq!(
        fault("by = \"zhou-min\"", "by = \"zhou\""),
        (step_line("village-head-calls"), "step \"village-head-calls\": by \"zhou\" is no person of this script".into())
    );
    let (line, problem) = fault("incident = \"reservoir\"", "incident = \"lake\"");
    assert_eq!(
        (line, problem.as_str()),
        (step_line("wushan-required"), "step \"wushan-required\": incident \"lake\" is not in the list of incidents")
    );
    assert!(fault("source = [\"jinghua-0818\"]", "source = [\"jinghua\"]").1.contains("source \"jinghua\" is not in the list of sources"));
    assert!(fault("follows = \"search\"", "follows = \"serch\"").1.contains("follows \"serch\" is no step that notifies"));
    assert!(fault("notification = \"search\"", "notification = \"measurements\"").1.contains("is no step that notifies"));
    assert!(fault("opened_by = \"search\"", "opened_by = \"measurements\"").1.contains("is no step that submits a report or notifies"));
    assert!(fault("opened_by = \"search\"", "opened_by = \"found\"").1.contains("goes to 500000, not to 420000"));
}

#[test]
fn who_acts_must_sit_where_it_happens() {
    assert!(
        fault("by = \"zhou-min\"\ninvented = \"all: the desk", "by = \"li-jing\"\ninvented = \"all: the desk")
            .1
            .contains("sits at another node")
    );
    assert!(fault("approved_by = \"tan-jianguo\"", "approved_by = \"chen-zhiyuan\"").1.contains("sits at another node"));
    let errors = Script::parse(&GOOD.replacen("to = \"420000\"", "to = \"430000\"", 1)).unwrap_err();
    assert!(errors.iter().any(|error| error.problem == "step \"search\": to \"430000\" is not the other node"), "{errors:?}");
    assert!(errors.iter().any(|error| error.problem.contains("\"li-jing\" does not sit at 430000")), "{errors:?}");
}

#[test]
fn what_nobody_vouches_for_is_refused() {
    let (line, problem) = fault("invented = \"all: the desk learned before the county and requires it to check\"\n", "");
    assert_eq!(line, step_line("wushan-required"));
    assert!(problem.contains("needs source or invented"), "{problem}");
}

#[test]
fn a_step_does_one_thing_at_one_time() {
    let (line, problem) = fault(
        "[step.close]\nincident = \"reservoir\"",
        "[step.close]\nincident = \"reservoir\"\n[step.acknowledge]\nnotification = \"found\"",
    );
    assert_eq!(line, step_line("chongqing-closes"));
    assert!(problem.contains("does more than one thing: acknowledge, close"), "{problem}");
    assert!(fault("[step.close]\nincident = \"reservoir\"\n", "").1.contains("does nothing"));
    assert!(fault("minutes_after_arrival = 11\n", "").1.contains("says no time"));
    assert!(fault("at = 2014-08-13T06:20:00+08:00", "minutes_after_arrival = 3").1.contains("is for acknowledgements"));
    assert!(fault("minutes_after_arrival = 11", "minutes_after_arrival = 11\nat = 2014-08-13T09:31:00+08:00").1.contains("says both"));
    assert!(fault("at = 2014-08-13T06:10:00+08:00", "at = 2014-08-12T06:10:00+08:00").1.contains("lies before the start"));
}

#[test]
fn labels_are_there_once_and_roles_exist() {
    let errors = Script::parse(&GOOD.replacen("id = \"jianshi-final\"", "id = \"wushan-final\"", 1)).unwrap_err();
    assert!(errors.iter().any(|error| error.problem == "the step \"wushan-final\" is there twice"), "{errors:?}");
    let errors = Script::parse(&GOOD.replacen("roles = [\"liaison\"]", "roles = [\"liason\"]", 1)).unwrap_err();
    assert!(errors.iter().any(|error| error.problem.contains("role \"liason\" is none of")), "{errors:?}");
    assert!(errors.iter().any(|error| error.problem.contains("node 420000 has no liaison")), "{errors:?}");
}

#[test]
fn the_format_and_what_is_invented_are_stated() {
    assert_eq!(fault("format = 1", "format = 2"), (line_with("format = 1"), "format must be 1".into()));
    let errors = Script::parse("format = 1").unwrap_err();
    assert!(errors[0].problem.contains("missing field"), "{errors:?}");
}
