//! The four column types that both databases share, and rows of them.

use crate::error::{Error, Result};

/// A bound parameter or a column. A NULL keeps its type, which PostgreSQL needs.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// BIGINT.
    Int(Option<i64>),
    /// DOUBLE PRECISION; never NaN or infinite.
    Real(Option<f64>),
    /// TEXT; never with NUL.
    Text(Option<String>),
    /// BYTEA or BLOB.
    Blob(Option<Vec<u8>>),
}

impl Value {
    /// NULL of any type: SQLite cannot tell the type of a NULL that it returns.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Int(None) | Self::Real(None) | Self::Text(None) | Self::Blob(None))
    }
}

macro_rules! from {
    ($($type:ty => |$v:ident| $variant:ident($expr:expr)),+ $(,)?) => {
        $(
            impl From<$type> for Value {
                fn from($v: $type) -> Self {
                    Value::$variant(Some($expr))
                }
            }
            impl From<Option<$type>> for Value {
                fn from(value: Option<$type>) -> Self {
                    Value::$variant(value.map(|$v| $expr))
                }
            }
        )+
    };
}

from! {
    i64 => |v| Int(v),
    u64 => |v| Int(i64::try_from(v).unwrap_or(i64::MAX)),
    bool => |v| Int(i64::from(v)),
    f64 => |v| Real(v),
    String => |v| Text(v),
    &str => |v| Text(v.to_owned()),
    &String => |v| Text(v.clone()),
    Vec<u8> => |v| Blob(v),
    &[u8] => |v| Blob(v.to_vec()),
    &Vec<u8> => |v| Blob(v.clone()),
    [u8; 32] => |v| Blob(v.to_vec()),
    jiff::Timestamp => |v| Int(v.as_microsecond()),
}

/// Builds the parameters of a statement: `params![name, revision, body]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::Value::from($value)),*][..] };
}

/// One row of an answer, columns by position.
#[derive(Debug, Clone)]
pub struct Row(pub(crate) Vec<Value>);

macro_rules! getters {
    ($($name:ident, $optional:ident, $variant:ident, $type:ty, $what:literal);+ $(;)?) => {
        $(
            #[doc = concat!("The ", $what, " in this column; an error if it is NULL or of another type.")]
            pub fn $name(&self, column: usize) -> Result<$type> {
                self.$optional(column)?.ok_or_else(|| mismatch(column, $what, "NULL"))
            }

            #[doc = concat!("The ", $what, " in this column, or `None` for NULL.")]
            pub fn $optional(&self, column: usize) -> Result<Option<$type>> {
                match self.0.get(column) {
                    Some(value) if value.is_null() => Ok(None),
                    Some(Value::$variant(value)) => Ok(value.clone()),
                    other => Err(mismatch(column, $what, &format!("{other:?}"))),
                }
            }
        )+
    };
}

impl Row {
    getters! {
        int, opt_int, Int, i64, "integer";
        real, opt_real, Real, f64, "real";
        text, opt_text, Text, String, "text";
        blob, opt_blob, Blob, Vec<u8>, "blob";
    }

    /// A time stored in microseconds.
    pub fn time(&self, column: usize) -> Result<jiff::Timestamp> {
        to_time(self.int(column)?)
    }

    /// A time stored in microseconds, or `None` for NULL.
    pub fn opt_time(&self, column: usize) -> Result<Option<jiff::Timestamp>> {
        self.opt_int(column)?.map(to_time).transpose()
    }

    /// A count or a number that is never negative.
    pub fn count(&self, column: usize) -> Result<u64> {
        let value = self.int(column)?;
        u64::try_from(value).map_err(|_| mismatch(column, "number from 0", &value.to_string()))
    }
}

fn to_time(us: i64) -> Result<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(us).map_err(|error| Error::internal("a stored time is out of range").caused_by(error))
}

fn mismatch(column: usize, wanted: &str, found: &str) -> Error {
    Error::internal(format!("column {column} should hold {wanted}, and holds {found}"))
}
