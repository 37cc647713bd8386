//! Types and transitions. Pure: no SQL, no clock. The content is the contract's own message, because it is what an officer approves and what is signed.

pub mod check;
pub mod draft;
pub mod letter;
pub mod notification;
pub mod partner;
pub mod recipients;

pub use notification::{Direction, Notification, State, StreamPlace};
pub use partner::{Mode, Partner};
