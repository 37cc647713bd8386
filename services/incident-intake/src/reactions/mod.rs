//! What incident-intake does on its own timers and on what notification tells.

pub mod clock_due;
pub mod neighbour;
