//! Reporting tables: duties with their limits, the six sensitive cases, and what a report must contain.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::codes::{Tristate, codes};
use crate::condition::Condition;
use crate::error::RulesError;
use crate::fact::{self, FactKind};
use crate::grade::Route;
use crate::table::{SelectedBy, TableHead, sha256_hex};
use crate::text::{Citation, Text};

codes! {
    /// What a duty obliges to.
    DutyKind {
        /// The initial report upward, within a limit (Art. 3 and 4).
        ReportWithinLimit = "report_within_limit",
        /// Check the information and judge (Art. 3, Art. 8 last sentence).
        Verify = "verify",
        /// Notify the same-level department of the adjoining area (Art. 8, first half).
        NotifyNeighbourDepartment = "notify_neighbour_department",
        /// Propose to the own government that it notify the neighbouring government (Art. 8, second half).
        ProposeToGovernment = "propose_to_government",
        /// A power rather than a duty: require the lower department to check and report (Art. 5).
        RequireVerification = "require_verification",
        /// Follow-up report (续报, Art. 12).
        FollowUpReport = "follow_up_report",
        /// Final (outcome) report (处理结果报告, Art. 12).
        FinalReport = "final_report",
    }
}

codes! {
    /// When a duty arises at all.
    Trigger {
        /// For every body; while its learning time is unknown the clock has no start.
        Learned = "learned",
        /// For a body that has learned, once per lower body that has not.
        LowerBodyNotLearned = "lower_body_not_learned",
        /// Once per neighbour that is or may be affected.
        NeighboursMayBeAffected = "neighbours_may_be_affected",
        /// For a body that a neighbour notified.
        NotifiedByNeighbour = "notified_by_neighbour",
    }
}

codes! {
    /// Level of an environment department.
    BodyLevel {
        /// County level: counties, county-level cities, districts; also the districts of a municipality such as Chongqing.
        County = "county",
        /// Prefecture level (设区的市).
        Prefecture = "prefecture",
        /// Province, autonomous region or municipality under the central government.
        Province = "province",
    }
}

codes! {
    /// What the limit of a duty runs from.
    ClockStart {
        /// The learning of the obliged body.
        Learning = "learning",
        /// The provincial department's receipt of the report.
        ReceiptOfReport = "receipt_of_report",
        /// The neighbour's notification.
        Notification = "notification",
        /// When facts and development are clear: no instant that the rules could know.
        FactsClear = "facts_clear",
        /// When handling is finished: no instant that the rules could know.
        HandlingFinished = "handling_finished",
    }
}

codes! {
    /// To whom a duty is owed.
    Recipient {
        /// The government of the obliged body's own level.
        OwnGovernment = "own_government",
        /// The environment department one level up (for a district of Chongqing the provincial department itself).
        NextHigherDepartment = "next_higher_department",
        /// The provincial environment department.
        ProvincialDepartment = "provincial_department",
        /// The ministry.
        Ministry = "ministry",
        /// The lower department.
        LowerDepartment = "lower_department",
        /// The department of the same level in the adjoining area.
        NeighbourSameLevelDepartment = "neighbour_same_level_department",
        /// Whoever received the initial report.
        AsInitialReport = "as_initial_report",
    }
}

impl Recipient {
    /// As shown to people.
    pub fn text(self) -> Text {
        match self {
            Recipient::OwnGovernment => Text::new("本级人民政府", "own government"),
            Recipient::NextHigherDepartment => Text::new("上一级生态环境主管部门", "environment department one level up"),
            Recipient::ProvincialDepartment => Text::new("省级生态环境主管部门", "provincial environment department"),
            Recipient::Ministry => Text::new("生态环境部", "ministry"),
            Recipient::LowerDepartment => Text::new("下级生态环境主管部门", "lower environment department"),
            Recipient::NeighbourSameLevelDepartment => {
                Text::new("相邻区域同级生态环境主管部门", "same-level environment department of the adjoining area")
            }
            Recipient::AsInitialReport => Text::new("初报的接收单位", "those who received the initial report"),
        }
    }
}

/// One duty of the reporting table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DutyRow {
    /// Stable id, for example `order17-reporting/3/two-hours`.
    pub id: String,
    /// What it obliges to.
    pub kind: DutyKind,
    /// When it arises.
    pub trigger: Trigger,
    /// Routes on which it arises.
    pub routes: Vec<Route>,
    /// Levels of body that it obliges.
    pub levels: Vec<BodyLevel>,
    /// What the limit runs from.
    pub starts: ClockStart,
    /// Whether the limit runs anew from a change of route.
    pub restarts_on_route_change: bool,
    /// The limit in seconds; `None`: the law gives no figure.
    pub limit_seconds: Option<u32>,
    /// To whom.
    pub recipients: Vec<Recipient>,
    /// The clause.
    pub citation: Citation,
    /// A second clause that carries it while the grade is unclear and the case sensitive.
    pub when_unclear_sensitive: Option<Citation>,
    /// The duty in words.
    pub text: Text,
    /// How fast, in the law's words.
    pub promptness: Text,
    /// How it was checked.
    pub source: String,
}

/// One of the six sensitive cases of Art. 4. It holds when any of its conditions does; the first is its own fact.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensitiveCaseRow {
    /// 1 to 6.
    pub number: u8,
    /// The clause.
    pub citation: Citation,
    /// In words.
    pub text: Text,
    /// Any of these.
    pub any_of: Vec<Condition>,
    /// How it was checked.
    pub source: String,
}

codes! {
    /// The three reports of Art. 12.
    ReportKind {
        /// Initial report, 初报.
        Initial = "initial",
        /// Follow-up report, 续报.
        FollowUp = "follow_up",
        /// Final (outcome) report, 处理结果报告.
        Final = "final",
    }
}

/// Something that a report must contain (Art. 13).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportItem {
    /// Stable id, for example `order17-reporting/13/trend`.
    pub id: String,
    /// The first report that must contain it.
    pub report: ReportKind,
    /// In words.
    pub text: Text,
    /// The clause.
    pub citation: Citation,
    /// How it was checked.
    pub source: String,
}

/// A reporting table.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportingTable {
    /// Id, title, validity, hash.
    pub head: TableHead,
    /// Duties.
    pub duties: Vec<DutyRow>,
    /// The six sensitive cases in their order.
    pub sensitive_cases: Vec<SensitiveCaseRow>,
    /// Contents of reports, in the order of the article.
    pub report_items: Vec<ReportItem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportingFile {
    id: String,
    title: Text,
    document_number: String,
    valid_from: Date,
    valid_to: Option<Date>,
    selected_by: SelectedBy,
    #[serde(default)]
    note: Vec<Text>,
    duty: Vec<DutyRow>,
    sensitive_case: Vec<SensitiveCaseRow>,
    report_item: Vec<ReportItem>,
}

impl ReportingTable {
    /// Reads and checks a table. `name` is used in errors before the table's own id is known.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, RulesError> {
        let file: ReportingFile =
            toml::from_str(text).map_err(|error| RulesError::Table { table: name.to_owned(), problem: error.to_string() })?;
        let head = TableHead {
            id: file.id,
            title: file.title,
            document_number: file.document_number,
            valid_from: file.valid_from,
            valid_to: file.valid_to,
            selected_by: file.selected_by,
            notes: file.note,
            hash: sha256_hex(text.as_bytes()),
        };
        let table = Self { head, duties: file.duty, sensitive_cases: file.sensitive_case, report_items: file.report_item };
        table.check()?;
        Ok(table)
    }

    /// What a report of this kind must contain. A follow-up builds on the initial report, the final one on both (Art. 13).
    pub fn items_for(&self, report: ReportKind) -> Vec<&ReportItem> {
        self.report_items.iter().filter(|item| item.report <= report).collect()
    }

    fn check(&self) -> Result<(), RulesError> {
        self.head.check()?;
        if self.head.selected_by != SelectedBy::Learning {
            return Err(self.head.defect("a reporting table is selected by the date of learning"));
        }
        let ids = self.duties.iter().map(|row| &row.id).chain(self.report_items.iter().map(|item| &item.id));
        let mut seen = std::collections::BTreeSet::new();
        for id in ids {
            if !id.starts_with(&format!("{}/", self.head.id)) || !seen.insert(id) {
                return Err(self.head.defect(format!("row {id} occurs twice or is not named {}/...", self.head.id)));
            }
        }
        for duty in &self.duties {
            self.check_duty(duty)?;
        }
        for item in &self.report_items {
            self.check_words(&item.id, &item.citation, &[&item.text], &item.source)?;
        }
        self.check_cases()
    }

    fn check_duty(&self, duty: &DutyRow) -> Result<(), RulesError> {
        self.check_words(&duty.id, &duty.citation, &[&duty.text, &duty.promptness], &duty.source)?;
        if duty.routes.is_empty() || duty.levels.is_empty() {
            return Err(self.head.defect(format!("row {} obliges nobody", duty.id)));
        }
        let needs_limit = duty.kind == DutyKind::ReportWithinLimit;
        if duty.limit_seconds.is_some_and(|limit| limit > 0) != needs_limit {
            return Err(self
                .head
                .defect(format!("row {}: a report within a limit has a limit, and no other duty of Order 17 has", duty.id)));
        }
        Ok(())
    }

    fn check_words(&self, id: &str, citation: &Citation, texts: &[&Text], source: &str) -> Result<(), RulesError> {
        if !citation.is_complete()
            || citation.document != self.head.document_number
            || source.is_empty()
            || !texts.iter().all(|text| text.is_complete())
        {
            return Err(self.head.defect(format!("row {id} needs a citation of this document, texts in both languages and a source")));
        }
        Ok(())
    }

    fn check_cases(&self) -> Result<(), RulesError> {
        if !self.sensitive_cases.iter().map(|case| case.number).eq(1..=6) {
            return Err(self.head.defect("needs the sensitive cases 1 to 6 in their order"));
        }
        for case in &self.sensitive_cases {
            let name = format!("sensitive case {}", case.number);
            self.check_words(&name, &case.citation, &[&case.text], &case.source)?;
            let own_fact = case.any_of.first().and_then(|condition| fact::definition(&condition.fact));
            if own_fact.is_none_or(|fact| fact.kind != FactKind::Code(Tristate::CODES)) {
                return Err(self.head.defect(format!("{name} must begin with a yes-or-no fact")));
            }
            if let Some(defect) = case.any_of.iter().find_map(Condition::defect) {
                return Err(self.head.defect(format!("{name} {defect}")));
            }
        }
        Ok(())
    }
}
