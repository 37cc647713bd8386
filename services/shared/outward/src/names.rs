//! What a space's stream, its subjects and its events are called outside.

use fenghuo_durable::SpaceId;

/// Reverse domain name before the kind of an event in the CloudEvents attribute `type`.
const TYPE_PREFIX: &str = "cn.fenghuo.";

/// The names of one space of one province, in one generation. A new generation begins where the log of the old one cannot be continued
/// (see [`crate::standing`]); the old stream then stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Six-digit code of the province.
    pub province_code: String,
    /// The space.
    pub space: SpaceId,
    /// From 1.
    pub generation: u32,
}

impl Names {
    /// The stream, for example `FENGHUO_500000_REAL_G1` or `FENGHUO_500000_EX_{uuid}_G1`.
    pub fn stream(&self) -> String {
        format!("{}{}", self.stream_prefix(), self.generation)
    }

    /// What the names of all generations of the stream begin with.
    pub fn stream_prefix(&self) -> String {
        let space = match self.space {
            SpaceId::Real => "REAL".to_owned(),
            SpaceId::Exercise(id) => format!("EX_{id}"),
        };
        format!("FENGHUO_{}_{space}_G", self.province_code)
    }

    /// Every subject of the stream, for example `fenghuo.500000.real.g1.>`.
    pub fn subjects(&self) -> String {
        format!("{}.g{}.>", self.subject_prefix(), self.generation)
    }

    /// Subjects of all generations, for example `fenghuo.500000.real.>`.
    pub fn all_subjects(&self) -> String {
        format!("{}.>", self.subject_prefix())
    }

    /// The subject of an event of this kind, for example `fenghuo.500000.real.g1.incident.opened`.
    pub fn subject(&self, kind: &str) -> String {
        let tokens = kind.split('.').map(token).collect::<Vec<_>>().join(".");
        format!("{}.g{}.{tokens}", self.subject_prefix(), self.generation)
    }

    fn subject_prefix(&self) -> String {
        match self.space {
            SpaceId::Real => format!("fenghuo.{}.real", self.province_code),
            SpaceId::Exercise(id) => format!("fenghuo.{}.ex-{id}", self.province_code),
        }
    }

    /// The CloudEvents attribute `source`, for example `/provinces/500000/spaces/real`.
    pub fn source(&self) -> String {
        format!("/provinces/{}/spaces/{}", self.province_code, self.space)
    }
}

/// The CloudEvents attribute `type`, for example `cn.fenghuo.incident.opened`.
pub fn event_type(kind: &str) -> String {
    format!("{TYPE_PREFIX}{kind}")
}

/// The kind in an attribute `type`; `None` if it is not one of ours.
pub fn kind_of(event_type: &str) -> Option<&str> {
    event_type.strip_prefix(TYPE_PREFIX)
}

/// One token of a NATS subject: what is not a letter, a digit, `-` or `_` becomes `_`.
fn token(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
    if text.is_empty() { "_".to_owned() } else { text.chars().map(plain).collect() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_of_real_and_exercise_never_meet() {
        let real = Names { province_code: "500000".into(), space: SpaceId::Real, generation: 1 };
        assert_eq!(real.stream(), "FENGHUO_500000_REAL_G1");
        assert_eq!(real.subject("incident.opened"), "fenghuo.500000.real.g1.incident.opened");
        assert_eq!(real.source(), "/provinces/500000/spaces/real");
        let id = "exercises/0198c0de-0000-7000-8000-000000000001".parse().unwrap();
        let exercise = Names { space: id, ..real.clone() };
        assert_eq!(exercise.stream(), "FENGHUO_500000_EX_0198c0de-0000-7000-8000-000000000001_G1");
        assert_eq!(exercise.subjects(), "fenghuo.500000.ex-0198c0de-0000-7000-8000-000000000001.g1.>");
        assert_eq!(exercise.source(), "/provinces/500000/spaces/exercises/0198c0de-0000-7000-8000-000000000001");
        let renewed = Names { generation: 2, ..real };
        assert_eq!(renewed.subject("a"), "fenghuo.500000.real.g2.a");
    }

    #[test]
    fn a_kind_cannot_leave_its_place_among_the_subjects() {
        let names = Names { province_code: "500000".into(), space: SpaceId::Real, generation: 1 };
        assert_eq!(names.subject("a.*.>. b"), "fenghuo.500000.real.g1.a._._._b");
        assert_eq!(names.subject(""), "fenghuo.500000.real.g1._");
        assert_eq!(kind_of(&event_type("incident.opened")), Some("incident.opened"));
        assert_eq!(kind_of("com.example.x"), None);
    }
}
