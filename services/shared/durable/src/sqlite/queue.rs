//! What waits for the writer: in order, but for what goes ahead.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

tokio::task_local! {
    static AHEAD: ();
}

/// Lets the writes of this future go ahead of those that wait on SQLite, and lets their group end with them: for the few on whose
/// speed another province waits. However many there are, each other group begins with a write that waited.
pub async fn ahead<F: Future>(writes: F) -> F::Output {
    AHEAD.scope((), writes).await
}

/// Is this asked for in [`ahead`]?
pub(super) fn asked_ahead() -> bool {
    AHEAD.try_with(|()| ()).is_ok()
}

/// Two lines of jobs with one server.
pub(super) struct Queue<J> {
    lines: Mutex<Lines<J>>,
    came: Condvar,
}

struct Lines<J> {
    ahead: VecDeque<J>,
    others: VecDeque<J>,
    /// The last group began with one that went ahead: now it is another's turn.
    owed: bool,
    closed: bool,
}

impl<J> Queue<J> {
    pub(super) fn new() -> Self {
        let lines = Lines { ahead: VecDeque::new(), others: VecDeque::new(), owed: false, closed: false };
        Self { lines: Mutex::new(lines), came: Condvar::new() }
    }

    /// Adds a job; `false` if the queue is closed.
    pub(super) fn push(&self, job: J, ahead: bool) -> bool {
        let mut lines = self.lines.lock();
        if lines.closed {
            return false;
        }
        if ahead {
            lines.ahead.push_back(job)
        } else {
            lines.others.push_back(job)
        }
        drop(lines);
        self.came.notify_one();
        true
    }

    /// The job that a group begins with and whether it went ahead, waiting for one; `None` once the queue is closed and empty.
    pub(super) fn wait(&self) -> Option<(J, bool)> {
        let mut lines = self.lines.lock();
        loop {
            if let Some(first) = lines.first() {
                return Some(first);
            }
            if lines.closed {
                return None;
            }
            self.came.wait(&mut lines);
        }
    }

    /// The next job for a group that is under way, and whether it went ahead: then only such ones may still come, for the group ends.
    pub(super) fn join(&self, ends: bool) -> Option<(J, bool)> {
        self.lines.lock().next(ends)
    }

    /// Jobs that nobody has taken.
    pub(super) fn len(&self) -> usize {
        let lines = self.lines.lock();
        lines.ahead.len() + lines.others.len()
    }

    /// Refuses further jobs; those that are there are still given out.
    pub(super) fn close(&self) {
        self.lines.lock().closed = true;
        self.came.notify_all();
    }
}

impl<J> Lines<J> {
    fn first(&mut self) -> Option<(J, bool)> {
        let owed = if self.owed { self.others.pop_front() } else { None };
        let first = owed.map(|job| (job, false)).or_else(|| self.next(false));
        self.owed = matches!(first, Some((_, true)));
        first
    }

    fn next(&mut self, ahead_alone: bool) -> Option<(J, bool)> {
        match self.ahead.pop_front() {
            Some(job) => Some((job, true)),
            None if ahead_alone => None,
            None => self.others.pop_front().map(|job| (job, false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_goes_ahead_overtakes_and_ends_the_group() {
        let queue = Queue::new();
        for (job, ahead) in [(1, false), (2, false), (3, asked_ahead()), (4, ahead(async { asked_ahead() }).await), (5, true)] {
            assert!(queue.push(job, ahead));
        }
        assert_eq!((queue.wait(), queue.len()), (Some((4, true)), 4));
        assert_eq!(queue.join(false), Some((5, true)));
        assert_eq!(queue.join(true), None, "the group ends with what went ahead");
        assert_eq!([queue.join(false), queue.join(false)], [Some((1, false)), Some((2, false))]);
        queue.close();
        assert!(!queue.push(6, true));
        assert_eq!([queue.wait(), queue.wait()], [Some((3, false)), None], "what was in the queue is still done");
    }

    #[test]
    fn what_goes_ahead_never_keeps_the_others_out() {
        let queue = Queue::new();
        for job in 0..3 {
            queue.push(job, false);
        }
        let mut served = Vec::new();
        for job in 10..16 {
            queue.push(job, true);
            served.extend(queue.wait());
        }
        let jobs: Vec<_> = served.into_iter().map(|(job, _)| job).collect();
        assert_eq!(jobs, [10, 0, 11, 1, 12, 2], "one of each in turn, though one that goes ahead always waits");
    }
}
