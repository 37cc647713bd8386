//! The clock of an exercise as its database keeps it: the same for every replica.
//!
//! A setting is decided in a transaction on the row, and each transaction of an exercise on PostgreSQL first looks whether another replica
//! has put a newer one there. So what is written is written at the exercise's time, whichever replica writes it.

use crate::clock::{Clock, ClockSetting, real_clock, wall};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::params;
use crate::tx::Tx;
use crate::value::Row;

/// The row: the setting as it was when it came into force, in wall time, and whether the exercise is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Kept {
    setting: ClockSetting,
    since: jiff::Timestamp,
    pub(crate) ended: bool,
}

impl Kept {
    fn read(row: &Row) -> Result<Self> {
        let setting = ClockSetting { number: row.count(0)?, space_time: row.time(1)?, rate: row.real(2)? };
        Ok(Self { setting, since: row.time(3)?, ended: row.int(4)? != 0 })
    }

    /// The setting with the exercise's time of now.
    fn now(&self) -> ClockSetting {
        self.setting.after(wall::now().duration_since(self.since))
    }
}

/// The row, if a setting was ever kept.
pub(crate) async fn kept(tx: &mut Tx) -> Result<Option<Kept>> {
    let sql = "SELECT setting, space_time_us, rate, wall_time_us, ended FROM space_clock WHERE one = 1";
    tx.row(sql, &[]).await?.as_ref().map(Kept::read).transpose()
}

async fn keep(tx: &mut Tx, setting: ClockSetting, ended: bool) -> Result<Kept> {
    let sql = "INSERT INTO space_clock (one, setting, space_time_us, rate, wall_time_us, ended) VALUES (1, $1, $2, $3, $4, $5)
        ON CONFLICT (one) DO UPDATE SET setting = excluded.setting, space_time_us = excluded.space_time_us, rate = excluded.rate,
        wall_time_us = excluded.wall_time_us, ended = excluded.ended";
    let kept = Kept { setting, since: wall::now(), ended };
    tx.execute_one(sql, params![setting.number, setting.space_time, setting.rate, kept.since, i64::from(ended)]).await?;
    Ok(kept)
}

async fn begin(tx: &mut Tx, first: ClockSetting) -> Result<Kept> {
    match kept(tx).await? {
        Some(found) => Ok(found),
        None => keep(tx, first, false).await,
    }
}

/// Brings a clock to what the database has, if that is news to it.
pub(crate) fn follow(clock: &Clock, seen: &parking_lot::Mutex<Option<Kept>>, kept: Kept) {
    let mut seen = seen.lock();
    if *seen != Some(kept) {
        *seen = Some(kept);
        clock.adopt(kept.now());
    }
}

impl Db {
    /// Puts a clock setting in force for every replica. It must have a higher number than the one in force, and no earlier time.
    pub(crate) async fn set_clock(&self, setting: ClockSetting) -> Result<()> {
        if self.clock().setting().is_none() {
            return Err(real_clock());
        }
        let kept = self
            .write(setting, |setting, tx| {
                Box::pin(async move {
                    if let Some(before) = kept(tx).await? {
                        setting.check_after(&before.now())?;
                    }
                    keep(tx, *setting, false).await
                })
            })
            .await?;
        self.follow_clock(kept);
        Ok(())
    }

    /// Takes the clock up as the database has it; an exercise that is new begins with `first`.
    pub(crate) async fn resume_clock(&self, first: Option<ClockSetting>) -> Result<()> {
        let found = self.read((), |(), tx| Box::pin(kept(tx))).await?;
        let kept = match (found, first) {
            (Some(found), _) => found,
            // Another replica may begin it at the same moment: the first one's setting holds.
            (None, Some(first)) => self.write(first, |first, tx| Box::pin(begin(tx, *first))).await?,
            (None, None) => return Err(Error::internal("an exercise has no clock")),
        };
        self.follow_clock(kept);
        Ok(())
    }

    /// Ends the exercise for every replica: its clock stops where it is, and nothing but numbering is written from now on.
    pub(crate) async fn end_clock(&self) -> Result<()> {
        let ended = self
            .write_unheard(crate::db::Isolation::Serializable, (), |(), tx| {
                Box::pin(async move {
                    match kept(tx).await? {
                        Some(found) if !found.ended => {
                            let stopped = ClockSetting { rate: 0.0, ..found.now() };
                            keep(tx, stopped, true).await.map(Some)
                        }
                        found => Ok(found),
                    }
                })
            })
            .await?;
        if let Some(ended) = ended {
            self.follow_clock(ended);
        }
        Ok(())
    }
}
