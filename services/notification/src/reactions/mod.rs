//! What notification does on other services' events, on what partners send, and on its own timers.

pub mod acknowledge_due;
pub mod inbox;
pub mod incidents;
pub mod recovered;
