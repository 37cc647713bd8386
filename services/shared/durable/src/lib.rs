//! All that must survive a crash: the store, the event log, timers, spaces and their clocks. No tonic in here.
//!
//! The cast: a [`Space`] is one database at work. Its [`Db`] runs writes as rerunnable closures over a [`Tx`]; a change and its
//! event commit together ([`Tx::append`]), and so does a timer ([`Tx::schedule`]). Three tasks drive a space: the sequencer
//! gives committed events a gapless number and a place in the SHA-256 chain; each [`Consumer`] reads the log after a cursor
//! that moves in the transaction of its effect; the clockwork fires timers that the space's [`Clock`] has passed.
//!
//! The rules: what `write` returned is on disk. A closure decides from what it reads in its own transaction and awaits nothing
//! but the store. Signals are hints; everything also looks by itself. One SQL text serves both databases (`$1`, BIGINT, TEXT,
//! BLOB/BYTEA, DOUBLE PRECISION); booleans are 0 and 1; times are microseconds in columns ending in `_us`.

pub mod clock;
pub mod clock_watch;
pub mod consumer;
pub mod databases;
pub mod db;
pub mod error;
pub mod faults;
pub mod health;
pub mod hold;
pub mod log;
pub mod measure;
pub mod migrate;
pub mod page;
pub mod picture;
pub mod queues;
pub mod request;
pub mod space;
mod space_clock;
pub mod space_id;
pub mod spaces;
mod sqlite;
mod standing;
#[cfg(feature = "testing")]
#[allow(clippy::expect_used, missing_docs)]
pub mod testing;
pub mod timers;
pub mod trace;
pub mod tx;
pub mod value;
pub mod verify;
pub mod waiting;

pub use clock::{Clock, ClockSetting, new_id, wall};
pub use clock_watch::{ClockStep, clock_steps, watch_clock};
pub use consumer::Consumer;
pub use db::{Db, Isolation, Location, create_postgres_database, drop_postgres_databases};
pub use error::{Code, Error, Result, Violation};
pub use hold::Hold;
pub use log::{Event, Line, NewEvent, sha256};
pub use migrate::Migration;
pub use request::RequestKey;
pub use space::{Activity, Fittings, Space};
pub use space_id::SpaceId;
pub use spaces::{FolderLock, Locations, Spaces, lock_folder};
pub use sqlite::ahead;
pub use standing::Lease;
pub use timers::{NewTimer, Timer, TimerHandler};
pub use tx::{Dialect, Tx};
pub use value::{Row, Value};
pub use verify::{RecordQuery, Verification, verify};
