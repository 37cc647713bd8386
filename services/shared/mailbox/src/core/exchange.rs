//! One exchange with a partner: handshake, push, pull. It fails as a whole; the worker repeats it.

use fenghuo_api::partner::v1::*;
use fenghuo_durable::Result;

use super::post::diverged;
use super::receive::Way;
use super::serve::{batch, head_in, head_out};
use super::{Direction, Failure, Line, Outbox, Post, Store, Stored, Streams, Written};
use crate::machine::{Head, MAX_BATCH, compare};

/// The traffic with one partner in one space, as the side that calls.
pub struct Exchange<S: Store, L: Line> {
    /// Ours.
    pub post: Post<S>,
    /// Six-digit code of the partner.
    pub partner: String,
    /// Fetch as well: only we can open connections.
    pub pull: bool,
    /// The way to the partner.
    pub line: L,
    /// On this connection the partner was given every receipt that it lacked.
    pub(super) receipts_returned: bool,
}

impl<S: Store, L: Line> std::fmt::Debug for Exchange<S, L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange").field("partner", &self.partner).finish_non_exhaustive()
    }
}

/// What a handshake told.
struct Told {
    /// How far the partner has stored our stream: of the epoch that we are sending, or of an earlier one.
    stored: Head,
    /// The partner has envelopes for us.
    more: bool,
    /// The epoch that the partner writes.
    their_epoch: u64,
}

impl<S: Store, L: Line> Exchange<S, L> {
    /// Nothing was said yet.
    pub fn new(post: Post<S>, partner: String, pull: bool, line: L) -> Self {
        Self { post, partner, pull, line, receipts_returned: false }
    }

    /// Connects anew at the next call.
    pub fn reset(&mut self) {
        self.line.reset();
        self.receipts_returned = false;
    }

    /// Recovers if the node was restored; states positions; delivers what waits; fetches, where only we can call.
    pub async fn run(&mut self) -> Result<(), Failure> {
        self.recover_if_quarantined().await?;
        self.post.announce_successor(&self.partner).await?;
        let told = self.handshake().await?;
        self.push(&told.stored).await?;
        if self.pull {
            self.return_receipts(told.their_epoch).await?;
            if told.more {
                self.pull().await?;
            }
        }
        Ok(())
    }

    /// States both positions and compares them with the partner's.
    async fn handshake(&mut self) -> Result<Told, Failure> {
        let (sent, stored) = self.heads().await?;
        let request = OpenStreamRequest {
            sender: self.post.signer.keys.province_code().to_owned(),
            space: self.post.space(),
            epoch: sent.epoch.max(1),
            sent: Some(head_out(&sent)),
            stored: Some(head_out(&stored)),
            stored_epoch: stored.epoch,
        };
        let answer = self.line.open_stream(request).await?;
        let their_stored = head_in("stored", sent.epoch.max(1), answer.stored.as_ref())?;
        let their_sent = head_in("sent", answer.epoch, answer.sent.as_ref())?;
        let (written_there, stored_there) = self.digests(their_stored, their_sent).await?;
        compare(&sent, &their_stored, written_there).map_err(|divergence| diverged(&divergence.text()))?;
        compare(&their_sent, &stored, None).map_err(|divergence| diverged(&divergence.text()))?;
        if stored_there.is_some_and(|digest| digest != their_sent.digest) {
            return Err(diverged("the partner's last envelope is stored here with another digest").into());
        }
        let more = (their_sent.epoch, their_sent.position) > (stored.epoch, stored.position) && their_sent.position > 0;
        let their_stored = match &answer.last_stored {
            Some(_) => head_in("last_stored", answer.last_stored_epoch.max(1), answer.last_stored.as_ref())?,
            None => their_stored,
        };
        Ok(Told { stored: their_stored, more, their_epoch: their_sent.epoch })
    }

    /// Our last envelope, and the last that we have stored of the partner. Not that of an earlier epoch in which something still waits: a partner that
    /// has fetched a later one would take us for restored.
    async fn heads(&self) -> Result<(Head, Head)> {
        let read = self.post.store.read(self.partner.clone(), |partner, ledger: &mut S::Ledger| {
            Box::pin(async move {
                let sent = ledger.out_stream(partner).await?.head;
                Ok((sent, ledger.in_head(partner).await?))
            })
        });
        read.await
    }

    async fn digests(&self, written: Head, stored: Head) -> Result<(Option<[u8; 32]>, Option<[u8; 32]>)> {
        let context = (self.partner.clone(), written, stored);
        let read = self.post.store.read(context, |(partner, written, stored), ledger: &mut S::Ledger| {
            Box::pin(async move {
                let ours = ledger.digest_at(partner, Direction::Out, written.epoch, written.position).await?;
                let theirs = ledger.digest_at(partner, Direction::In, stored.epoch, stored.position).await?;
                Ok((ours, theirs))
            })
        });
        read.await
    }

    /// Delivers what waits, in order, until nothing waits. While a batch is under way the receipts of the one before are stored.
    async fn push(&mut self, told: &Head) -> Result<(), Failure> {
        let Some((mut epoch, mut after)) = self.push_from(*told).await? else { return Ok(()) };
        let mut receipts = Vec::new();
        loop {
            let envelopes = self.outgoing_after(epoch, after).await?;
            let stored = self.post.take_receipts(&self.partner, std::mem::take(&mut receipts));
            if envelopes.is_empty() {
                stored.await?;
                match self.next_epoch(epoch).await? {
                    (Some(next), _) => (epoch, after) = (next, 0),
                    (None, None) => return Ok(()),
                    (None, Some(_)) => return Err(Failure::Other("the partner did not give every envelope its receipt".to_owned())),
                }
                continue;
            }
            let positions: Vec<u64> = envelopes.iter().map(|one| one.position).collect();
            let envelopes = envelopes.into_iter().map(|one| one.signed).collect();
            let delivered = self.line.deliver_envelopes(DeliverEnvelopesRequest { envelopes });
            let (stored, answer) = futures::join!(stored, delivered);
            stored?;
            receipts = answer?.receipts;
            self.look_for_keys(&receipts).await?;
            let Some(last) = positions.get(receipts.len().wrapping_sub(1)) else {
                return Err(Failure::Other("the partner did not answer a delivery with a receipt for each envelope".to_owned()));
            };
            after = *last;
        }
    }

    /// After which place to send: before the first that waits for a receipt; earlier if the partner has lost what it once receipted.
    async fn push_from(&self, told: Head) -> Result<Option<(u64, u64)>> {
        let read = self.post.store.read((self.partner.clone(), told), |(partner, told), ledger: &mut S::Ledger| {
            Box::pin(async move {
                let waiting = ledger.first_waiting(partner).await?;
                let head = ledger.out_stream(partner).await?.head;
                let from = waiting.map_or((head.epoch, head.position), |(epoch, position)| (epoch, position - 1));
                // Where the two sides differ there, an epoch was given up by decision: nothing is added to it.
                let there = ledger.digest_at(partner, Direction::Out, told.epoch, told.position).await?;
                let agreed = told.position == 0 || there == Some(told.digest);
                let start = if agreed { from.min((told.epoch, told.position)) } else { from };
                Ok((waiting.is_some() || start < from).then_some(start))
            })
        });
        read.await
    }

    async fn outgoing_after(&self, epoch: u64, after: u64) -> Result<Vec<Written>> {
        let context = (self.partner.clone(), epoch, after);
        let read = self.post.store.read(context, |(partner, epoch, after), ledger: &mut S::Ledger| {
            Box::pin(async move { Ok(batch(ledger.written_after(partner, *epoch, *after, MAX_BATCH).await?)) })
        });
        read.await
    }

    /// The next epoch in which something was written, and the first envelope that still waits for its receipt.
    async fn next_epoch(&self, epoch: u64) -> Result<(Option<u64>, Option<(u64, u64)>)> {
        let read = self.post.store.read((self.partner.clone(), epoch), |(partner, epoch), ledger: &mut S::Ledger| {
            Box::pin(async move { Ok((ledger.next_epoch_written(partner, *epoch).await?, ledger.first_waiting(partner).await?)) })
        });
        read.await
    }

    /// Gives the partner the receipts that were lost on their way back: what was stored is not fetched again, so nobody else would. Once for
    /// each connection; the partner answers up to which position it holds receipts.
    async fn return_receipts(&mut self, their_epoch: u64) -> Result<(), Failure> {
        if self.receipts_returned {
            return Ok(());
        }
        let read = self.post.store.read(self.partner.clone(), |partner, ledger: &mut S::Ledger| {
            Box::pin(async move { ledger.last_of_each_epoch(partner).await })
        });
        for (epoch, last) in read.await? {
            self.return_receipts_of(epoch, last, epoch < their_epoch).await?;
        }
        self.receipts_returned = true;
        Ok(())
    }

    /// `over`: the partner writes a later epoch, and may have lost what it wrote in this one.
    async fn return_receipts_of(&mut self, epoch: u64, last: u64, over: bool) -> Result<(), Failure> {
        // The last one again, to be told how far the partner is.
        let (mut after, mut before) = (last - 1, None);
        loop {
            let receipts = self.receipts_after(epoch, after).await?;
            if receipts.is_empty() {
                return Err(Failure::Other("the partner says that it holds more receipts than were ever given".to_owned()));
            }
            let held = self.line.return_receipts(ReturnReceiptsRequest { receipts }).await?.receipted_position;
            let stuck = before.is_some_and(|before| held <= before);
            if held >= last || (stuck && over) {
                return Ok(());
            }
            if stuck {
                return Err(Failure::Other(format!("the partner does not take the receipts after position {held}")));
            }
            (after, before) = (held, Some(held));
        }
    }

    async fn receipts_after(&self, epoch: u64, position: u64) -> Result<Vec<SignedReceipt>> {
        let context = (self.partner.clone(), epoch, position);
        let read = self.post.store.read(context, |(partner, epoch, position), ledger: &mut S::Ledger| {
            Box::pin(async move { ledger.receipts_after(partner, *epoch, *position, MAX_BATCH).await })
        });
        read.await
    }

    /// Fetches what the partner has for us after what we have stored, and returns the receipts.
    pub(super) async fn pull(&mut self) -> Result<(), Failure> {
        loop {
            let (_, stored) = self.heads().await?;
            let envelopes = self.fetch(&stored).await?;
            if envelopes.is_empty() {
                return Ok(());
            }
            let fetched = envelopes.len();
            let receipts = self.post.take_in(&self.partner, envelopes, Way::Pulled).await?;
            if receipts.len() < fetched {
                // The store broke off, and may have kept the next ones all the same: they are not fetched again, so their receipts are looked for.
                self.receipts_returned = false;
            }
            self.line.return_receipts(ReturnReceiptsRequest { receipts }).await?;
        }
    }

    /// The next envelopes after what we have stored: of that epoch, else from the start of the next one.
    pub(super) async fn fetch(&mut self, stored: &Head) -> Result<Vec<SignedEnvelope>, Failure> {
        let mut same = self.ask(stored.epoch.max(1), stored.position).await?;
        let mut asked = stored.epoch.max(1);
        // An epoch may have nothing left in it; the next one says what follows.
        while same.envelopes.is_empty() && same.next_epoch > asked {
            asked = same.next_epoch;
            same = self.ask(asked, 0).await?;
        }
        if !same.envelopes.is_empty() {
            return Ok(same.envelopes);
        }
        let later = self.ask(0, 0).await?.envelopes;
        // Without a next epoch the partner gives its current one; where nothing further was in the epoch that we know, only a later one is new.
        let is_later =
            |signed: &SignedEnvelope| crate::envelope::open(signed.clone()).is_ok_and(|opened| opened.offered.epoch > stored.epoch);
        Ok(later.into_iter().filter(is_later).collect())
    }

    async fn ask(&mut self, epoch: u64, after_position: u64) -> Result<FetchEnvelopesResponse, Failure> {
        let request = FetchEnvelopesRequest { space: self.post.space(), epoch, after_position, max_envelopes: 0 };
        self.line.fetch_envelopes(request).await
    }
}
