"""The obligations of the contract, without the network: what an arriving envelope is, what we answer, what we send."""

import datetime
import uuid

from fenghuo.partner.v1 import partner_pb2 as pb

from .keys import ENVELOPE, RECEIPT, Keys, key_id, sha256, verify
from .ledger import NOTHING, Ledger


class Refused(Exception):
    """Nothing was stored. `reason` is for the partner's program, the text for people."""

    def __init__(self, reason: str, text: str):
        super().__init__(text)
        self.reason = reason


class Mailbox:
    def __init__(self, keys: Keys, ledger: Ledger):
        self.keys = keys
        self.ledger = ledger

    # Receiving

    def store(self, partner: str, signed: pb.SignedEnvelope) -> pb.SignedReceipt:
        """Stores one envelope durably and gives its receipt; a repeated one gets the receipt given first, byte for byte."""
        envelope, digest = pb.Envelope.FromString(signed.envelope), sha256(signed.envelope)
        stream = envelope.stream
        if (stream.sender, stream.recipient) != (partner, self.keys.code):
            raise Refused("STREAM_NOT_OURS", f"the envelope is from {stream.sender} to {stream.recipient}")
        if stream.space != "real":
            raise Refused("EXERCISE_NOT_ACCEPTED", "this province has accepted no exercise")
        with self.ledger as ledger:
            if not self._signed(partner, signed.key_id, ENVELOPE, signed.envelope, signed.signature):
                raise Refused("SIGNATURE_INVALID", f"key {signed.key_id} did not sign this envelope, or is not known")
            place = (partner, stream.space, stream.epoch, envelope.position)
            there = ledger.rows("SELECT digest, signed_receipt FROM received WHERE partner = ? AND space = ? AND epoch = ? AND position = ?", *place)
            if there:
                if there[0][0] != digest:
                    raise Refused("STREAM_DIVERGED", f"another envelope is stored at epoch {stream.epoch} position {envelope.position}")
                return pb.SignedReceipt.FromString(there[0][1])
            self._check_next(partner, envelope, signed.key_id)
            outcome, reason = self._take_up(partner, envelope)
            receipt = self._receipt(envelope, digest, outcome, reason)
            stored = (digest, signed.SerializeToString(), receipt.SerializeToString())
            ledger.rows("INSERT INTO received VALUES (?, ?, ?, ?, ?, ?, ?)", *place, *stored)
        # The transaction has ended: the envelope is on disk, and only now may the receipt leave.
        return receipt

    def _signed(self, partner: str, by: str, domain: bytes, data: bytes, signature: bytes) -> bool:
        key = self.ledger.rows("SELECT public_key FROM signing_key WHERE partner = ? AND key_id = ?", partner, by)
        return bool(key) and verify(key[0][0], domain, data, signature)

    def _check_next(self, partner: str, envelope: pb.Envelope, signed_by: str) -> None:
        stream = envelope.stream
        # The key of the enrolment, until this stream has announced another one.
        sql = "SELECT key_id FROM signing_key WHERE partner = ? AND space IN ('', ?) ORDER BY epoch DESC, position DESC LIMIT 1"
        if self.ledger.rows(sql, partner, stream.space)[0][0] != signed_by:
            raise Refused("SIGNING_KEY_RETIRED", "the stream has announced a later key")
        epoch, position, digest = self.ledger.head("received", partner, stream.space)
        if stream.epoch < epoch:
            raise Refused("EPOCH_OVER", f"epoch {epoch} has begun")
        expected, before = (position + 1, digest) if stream.epoch == epoch else (1, NOTHING)
        if envelope.position > expected:
            raise Refused("POSITION_GAP", f"repeat from position {expected}")
        if envelope.position != expected or envelope.previous_digest != before:
            raise Refused("STREAM_DIVERGED", "the envelope does not continue what is stored here; a person decides")

    def _take_up(self, partner: str, envelope: pb.Envelope) -> tuple[int, str]:
        kind, stream = envelope.WhichOneof("content"), envelope.stream
        if kind == "notification":
            told = envelope.notification
            row = (told.name, partner, stream.space, told.subject, told.SerializeToString())
            self.ledger.rows("INSERT OR IGNORE INTO notification (name, partner, space, subject, content) VALUES (?, ?, ?, ?, ?)", *row)
            return pb.OUTCOME_ACCEPTED, ""
        if kind == "key_announcement":
            key = envelope.key_announcement.signing_key
            if key.key_id != key_id(key.public_key):
                return pb.OUTCOME_REFUSED, "KEY_INVALID"
            row = (partner, key.key_id, key.public_key, stream.space, stream.epoch, envelope.position)
            self.ledger.rows("INSERT OR IGNORE INTO signing_key VALUES (?, ?, ?, ?, ?, ?)", *row)
            return pb.OUTCOME_ACCEPTED, ""
        if kind in ("acknowledgement", "chain_head"):
            return pb.OUTCOME_ACCEPTED, ""
        return pb.OUTCOME_NOT_UNDERSTOOD, ""

    def _receipt(self, envelope: pb.Envelope, digest: bytes, outcome: int, reason: str) -> pb.SignedReceipt:
        receipt = pb.Receipt(stream=envelope.stream, position=envelope.position, envelope_digest=digest, outcome=outcome, reason=reason)
        receipt.store_time.FromDatetime(datetime.datetime.now(datetime.UTC))
        data = receipt.SerializeToString()
        return pb.SignedReceipt(receipt=data, key_id=self.keys.key_id, signature=self.keys.sign(RECEIPT, data))

    # Sending

    def write(self, partner: str, space: str, **content) -> None:
        """Signs a content as the next envelope to a partner and stores it; the network comes later."""
        with self.ledger as ledger:
            epoch, position, before = ledger.head("sent", partner, space)
            stream = pb.StreamId(sender=self.keys.code, recipient=partner, space=space, epoch=max(epoch, 1))
            envelope = pb.Envelope(stream=stream, position=position + 1, previous_digest=before, envelope_id=str(uuid.uuid4()), **content)
            envelope.space_time.FromDatetime(datetime.datetime.now(datetime.UTC))
            data = envelope.SerializeToString()
            signed = pb.SignedEnvelope(envelope=data, key_id=self.keys.key_id, signature=self.keys.sign(ENVELOPE, data))
            row = (partner, space, stream.epoch, envelope.position, sha256(data), signed.SerializeToString())
            ledger.rows("INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, NULL)", *row)

    def waiting(self, partner: str, space: str) -> list[pb.SignedEnvelope]:
        """The next batch without receipts, in order."""
        sql = "SELECT signed_envelope FROM sent WHERE partner = ? AND space = ? AND signed_receipt IS NULL ORDER BY epoch, position LIMIT 64"
        return [pb.SignedEnvelope.FromString(row[0]) for row in self.ledger.rows(sql, partner, space)]

    def keep_receipt(self, partner: str, signed: pb.SignedReceipt) -> None:
        """Stores a partner's receipt for an envelope of ours, if it proves what it says."""
        receipt = pb.Receipt.FromString(signed.receipt)
        stream = receipt.stream
        with self.ledger as ledger:
            if not self._signed(partner, signed.key_id, RECEIPT, signed.receipt, signed.signature):
                raise Refused("SIGNATURE_INVALID", "the receipt was not signed by the partner")
            sql = "UPDATE sent SET signed_receipt = ? WHERE partner = ? AND space = ? AND epoch = ? AND position = ? AND digest = ?"
            ledger.rows(sql, signed.SerializeToString(), partner, stream.space, stream.epoch, receipt.position, receipt.envelope_digest)
