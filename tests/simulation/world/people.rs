//! What people do: officers write, operators look at what stays stopped, administrators rotate keys and begin new epochs.

use fenghuo_durable::SpaceId;
use fenghuo_mailbox::core::Store;
use fenghuo_mailbox::core::epoch::begin_new_epoch;

use super::{Done, Event, World};
use crate::desk;
use crate::keys::{public_key, signing_key};
use crate::ledger::MemLedger;
use crate::plan::Action;

impl World {
    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Notify { from, to, space, count } => self.at_desk(from, to, space, "notify", count),
            Action::Acknowledge { from, to, space } => self.at_desk(from, to, space, "acknowledge", 0),
            Action::Crash { node } => self.crash(node),
            Action::Snapshot { node } => {
                if self.nodes[node].serving {
                    let copy = self.nodes[node].disk.lock().spaces.clone();
                    self.nodes[node].snapshots.push(copy);
                }
            }
            Action::Restore { node, marked } => self.restore(node, marked),
            Action::Rotate { node } => {
                let this = &self.nodes[node];
                if !this.serving || this.folder.lock().next.is_some() {
                    return;
                }
                let number = this.folder.lock().keys.len();
                this.folder.lock().next = Some(public_key(&this.code, number));
                self.rotate(node);
            }
            Action::Cut { one, other, for_ms } => {
                let cut = (one.min(other), one.max(other));
                self.trace(|| format!("{one} and {other} are cut off from each other for {for_ms} ms"));
                self.cut.push(cut);
                self.schedule(for_ms, Event::Mend { one: cut.0, other: cut.1 });
            }
        }
    }

    /// Streams that stay stopped, or in quarantine, are begun anew by an administrator. One that was restored unmarked is marked at last, or
    /// begun anew at once.
    pub(super) fn look(&mut self) {
        self.schedule(3000, Event::Look);
        let now = self.hub.lock().now_ms;
        for node in self.unmarked.clone() {
            if now < self.plan.heal_ms + 4000 && self.dice(2) == 0 {
                self.trace(|| format!("{node} is marked as restored, late"));
                self.crash(node);
                self.nodes[node].disk.lock().restored = true;
            }
        }
        for space in self.plan.spaces.clone() {
            for (one, other, _) in self.plan.pairs.clone() {
                for (from, to) in [(one, other), (other, one)] {
                    let cannot_call = !self.plan.called_by(from).contains(&to);
                    let told = self.diverged.contains(&(from, to, space));
                    let quarantined = crate::check::quarantined(self, from, to, space);
                    // What recovers by itself is left alone for a while.
                    let stuck = quarantined && (cannot_call || now > self.plan.heal_ms + 15_000);
                    if stuck || told {
                        self.decide(from, to, space);
                    }
                }
            }
        }
        self.diverged.clear();
    }

    fn decide(&mut self, from: usize, to: usize, space: SpaceId) {
        let Some(post) = self.nodes[from].posts.get(&space).filter(|_| self.nodes[from].serving).cloned() else { return };
        self.decided.insert((from, to, space));
        let key_id = self.retired.remove(&(from, to, space)).unwrap_or_default();
        let context = (post.signer.clone(), post.inbox.clone(), self.nodes[to].code.clone(), key_id);
        let write = async move {
            let written = post.store.write(context, |(signer, inbox, partner, key_id), ledger: &mut MemLedger| {
                Box::pin(begin_new_epoch(ledger, signer, inbox.as_ref(), partner, key_id))
            });
            let _ = written.await;
            Done::Decided
        };
        self.spawn(from, None, Box::pin(write));
    }

    fn at_desk(&mut self, from: usize, to: usize, space: SpaceId, what: &'static str, count: usize) {
        let Some(post) = self.nodes[from].posts.get(&space).filter(|_| self.nodes[from].serving).cloned() else { return };
        let context = (post.signer.clone(), self.nodes[to].code.clone());
        let write = async move {
            let written = post.store.write(context, move |(signer, partner), ledger: &mut MemLedger| {
                Box::pin(async move {
                    if count > 0 {
                        desk::notify(ledger, signer, partner, count).await
                    } else {
                        desk::acknowledge(ledger, signer, partner).await
                    }
                })
            });
            Done::Desk(what, written.await)
        };
        self.spawn(from, None, Box::pin(write));
    }

    /// Announces the prepared key in every stream, then makes it the present one. Broken off, it goes on at the next start.
    pub(super) fn rotate(&mut self, node: usize) {
        let codes: Vec<String> = self.plan.partners_of(node).iter().map(|partner| self.nodes[*partner].code.clone()).collect();
        let this = &self.nodes[node];
        let (posts, folder, hub) = (this.posts.clone(), this.folder.clone(), self.hub.clone());
        let Some(next) = folder.lock().next.clone() else { return };
        let key = signing_key(&next);
        self.trace(|| format!("{node} announces key {}", key.key_id));
        let run = async move {
            for post in posts.values() {
                for code in &codes {
                    if post.announce(code, &key).await.is_err() {
                        return Done::Rotated;
                    }
                }
            }
            let mut folder = folder.lock();
            if folder.next.take_if(|one| *one == next).is_some() {
                folder.keys.push(next);
                hub.lock().counts.rotations += 1;
            }
            Done::Rotated
        };
        self.spawn(node, None, Box::pin(run));
    }

    /// A stream that was begun anew is signed by a key that the partner takes for retired: the announcement of the key that it names was lost here.
    pub(super) fn note_retired(&mut self, node: usize, partner: usize, space: SpaceId, text: &str) {
        let Some(named) = text.split("must be signed by key ").nth(1).and_then(|rest| rest.split(',').next()) else { return };
        for stream in [(node, partner, space), (partner, node, space)] {
            let owns = self.nodes[stream.0].folder.lock().keys.iter().any(|key| signing_key(key).key_id == named);
            if owns && self.decided.contains(&stream) {
                self.retired.insert(stream, named.to_owned());
                self.diverged.insert(stream);
            }
        }
    }

    /// Whose stream is it? That of an unmarked node; else the caller's own.
    pub(super) fn note_diverged(&mut self, node: usize, partner: usize, space: SpaceId) {
        // Not while the other side is only recovering: it begins a new epoch by itself.
        if self.unmarked.contains(&node) {
            self.diverged.insert((node, partner, space));
        }
        if self.unmarked.contains(&partner) {
            self.diverged.insert((partner, node, space));
        }
        let again = self.decided.contains(&(node, partner, space));
        if again {
            self.diverged.insert((node, partner, space));
        }
        if self.decided.contains(&(partner, node, space)) {
            self.diverged.insert((partner, node, space));
        }
    }
}
