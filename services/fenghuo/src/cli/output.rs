//! How commands say what they did and what went wrong.

use fenghuo_durable::{Code, Error};
use fenghuo_edge::RemoteError;

/// Why a command ends with an exit code other than 0.
#[derive(Debug)]
pub enum Failure {
    /// What was asked does not hold. The text was printed already.
    DoesNotHold,
    /// Wrong usage or input.
    Input(String),
    /// Refused, or failed, by this program or by the node.
    Refused(String),
    /// The node cannot be reached.
    Unreachable(String),
}

impl Failure {
    /// 1 to 4; see the help.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::DoesNotHold => 1,
            Self::Input(_) => 2,
            Self::Refused(_) => 3,
            Self::Unreachable(_) => 4,
        }
    }

    /// Says it on standard error.
    pub fn print(&self) {
        match self {
            Self::DoesNotHold => {}
            Self::Input(text) | Self::Refused(text) | Self::Unreachable(text) => eprintln!("fenghuo: {text}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = fenghuo_edge::status::chain(&error);
        match error.code {
            Code::InvalidArgument => Self::Input(text),
            _ => Self::Refused(text),
        }
    }
}

impl From<RemoteError> for Failure {
    fn from(error: RemoteError) -> Self {
        match error.code {
            tonic::Code::InvalidArgument => Self::Input(error.to_string()),
            // Without one of our reasons nobody answered.
            tonic::Code::Unavailable if error.reason.is_empty() => {
                Self::Unreachable(format!("the node cannot be reached: {}; is it running? see --url", error.message))
            }
            _ => Self::Refused(error.to_string()),
        }
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        RemoteError::from(status).into()
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Prints a value as JSON on standard output.
pub fn print_json(value: &serde_json::Value) {
    println!("{value:#}");
}

/// An instant as people in China read it.
pub fn beijing(time: Option<&prost_types::Timestamp>) -> String {
    let time = time.and_then(fenghuo_api::time::from_proto);
    time.map_or_else(|| "-".to_owned(), |time| jiff::tz::Offset::constant(8).to_datetime(time).strftime("%m-%d %H:%M").to_string())
}

/// An instant for machines; null if absent.
pub fn rfc3339(time: Option<&prost_types::Timestamp>) -> serde_json::Value {
    time.and_then(fenghuo_api::time::from_proto).map_or(serde_json::Value::Null, |time| time.to_string().into())
}
