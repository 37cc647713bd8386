//! Nodes start, crash, and are restored from older copies.

use std::sync::Arc;

use fenghuo_mailbox::SpaceKeys;
use fenghuo_mailbox::core::{Exchange, Post, Store, quarantine};

use super::{Done, Event, Worker, World};
use crate::desk::Desk;
use crate::keys::{SimKeys, SimTrust, public_key};
use crate::ledger::{MemLedger, MemStore};
use crate::net::SimLine;

/// A restore takes longer than anything stays under way: in life, minutes.
const RESTORE_MS: u64 = 6000;

impl World {
    pub(super) fn restart(&mut self, node: usize) {
        let now = self.hub.lock().now_ms;
        if self.nodes[node].up || now < self.nodes[node].down_until_ms {
            return;
        }
        if std::mem::take(&mut self.nodes[node].put_back) {
            crate::check::note_lost(self);
        }
        self.trace(|| format!("{node} starts"));
        let partners: Vec<usize> = self.plan.partners_of(node);
        let spaces = self.plan.spaces.clone();
        let codes: Vec<String> = partners.iter().map(|partner| self.nodes[*partner].code.clone()).collect();
        let hub = self.hub.clone();
        let this = &mut self.nodes[node];
        (this.up, this.trust) = (true, Arc::new(SimTrust::default()));
        for code in &codes {
            this.trust.believe(code, public_key(code, 0));
        }
        let keys = Arc::new(SimKeys { code: this.code.clone(), folder: this.folder.clone() });
        let inbox = Arc::new(Desk::default());
        this.posts = spaces
            .iter()
            .map(|space| {
                let store = MemStore { hub: hub.clone(), disk: this.disk.clone(), space: *space, code: this.code.clone() };
                let signer = SpaceKeys { keys: keys.clone(), space: *space };
                (*space, Post { store, signer, trust: this.trust.clone(), inbox: inbox.clone() })
            })
            .collect();
        let (posts, disk) = (this.posts.clone(), this.disk.clone());
        let start = async move {
            let restored = disk.lock().restored;
            for post in posts.values() {
                for code in &codes {
                    if post.begin(code).await.is_err() {
                        return Done::Broken;
                    }
                }
                if restored && put_in_quarantine(post, &codes).await.is_err() {
                    return Done::Broken;
                }
            }
            disk.lock().restored = false;
            Done::Started
        };
        self.spawn(node, None, Box::pin(start));
    }

    pub(super) fn serve(&mut self, node: usize) {
        self.nodes[node].serving = true;
        let spaces = self.plan.spaces.clone();
        for partner in self.plan.called_by(node) {
            for space in &spaces {
                let line = SimLine { hub: self.hub.clone(), from: node, to: partner, space: *space };
                let post = self.nodes[node].posts[space].clone();
                let pull = self.plan.pulls(node, partner);
                let traffic = Exchange::new(post, self.nodes[partner].code.clone(), pull, line);
                let worker = Worker { traffic: Some(Box::new(traffic)), running: false, failures: 0 };
                self.nodes[node].workers.insert((partner, *space), worker);
                let first = self.dice(100);
                self.schedule(first, Event::Wake { node, partner, space: *space });
            }
        }
        if self.nodes[node].folder.lock().next.is_some() {
            self.rotate(node);
        }
    }

    pub(super) fn crash(&mut self, node: usize) {
        if !self.nodes[node].up {
            return;
        }
        self.trace(|| format!("{node} crashes"));
        self.hub.lock().counts.crashes += 1;
        while let Some(index) = self.tasks.iter().position(|task| task.node == node) {
            self.remove(index);
        }
        let this = &mut self.nodes[node];
        (this.up, this.serving) = (false, false);
        this.workers.clear();
        this.posts.clear();
        this.disk.lock().unwritten.clear();
        let pause = 5 + self.dice(600);
        self.schedule(pause, Event::Restart { node });
    }

    /// Restores an older copy of the databases. That takes minutes: nothing that this node sent before is still under way afterwards.
    pub(super) fn restore(&mut self, node: usize, marked: bool) {
        if self.nodes[node].snapshots.is_empty() {
            return;
        }
        self.crash(node);
        self.hub.lock().counts.restores += 1;
        self.events.retain(|_, event| !matches!(event, Event::Arrive { from, to, .. } if *from == node || *to == node));
        while let Some(index) = self.tasks.iter().position(|task| task.of == Some(node)) {
            self.remove(index);
        }
        let spaces = self.plan.spaces.clone();
        for space in spaces {
            let which = self.dice(self.nodes[node].snapshots.len() as u64) as usize;
            self.trace(|| format!("{node} is restored: {space} from copy {which}"));
            let this = &mut self.nodes[node];
            let copy = this.snapshots[which].get(&space).cloned().unwrap_or_default();
            this.disk.lock().spaces.insert(space, copy);
        }
        if marked {
            self.nodes[node].disk.lock().restored = true;
        } else {
            self.unmarked.insert(node);
        }
        let this = &mut self.nodes[node];
        (this.put_back, this.down_until_ms) = (true, self.hub.lock().now_ms + RESTORE_MS);
        self.schedule(RESTORE_MS, Event::Restart { node });
    }
}

async fn put_in_quarantine(post: &Post<MemStore>, partners: &[String]) -> fenghuo_durable::Result<()> {
    let write = post.store.write(partners.to_vec(), |partners, ledger: &mut MemLedger| {
        Box::pin(async move {
            for partner in partners {
                quarantine(ledger, partner).await?;
            }
            Ok(())
        })
    });
    write.await
}
