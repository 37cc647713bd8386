//! Keeping every timer of a node from firing, for as long as a restored node is in quarantine.

use std::sync::Arc;

use tokio::sync::watch;

/// A switch that all spaces of a node share. Held, the clockwork of each waits; what comes due meanwhile fires when it is released, once, with
/// its own due time. It lives in this process; what it is set from is kept elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Hold(Arc<watch::Sender<bool>>);

impl Hold {
    /// Holds, or releases.
    pub fn set(&self, held: bool) {
        self.0.send_if_modified(|now| std::mem::replace(now, held) != held);
    }

    /// Is it held now?
    pub fn is_held(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits while it is held; `false` if the space ended first.
    pub(crate) async fn over(&self, stop: &mut watch::Receiver<bool>) -> bool {
        if !self.is_held() {
            return true;
        }
        let mut changes = self.0.subscribe();
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => false,
            _ = changes.wait_for(|held| !*held) => true,
        }
    }
}
