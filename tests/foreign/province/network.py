"""The network: our PartnerService for who calls us, and the calls that we make. Mutual TLS, always."""

import concurrent.futures

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fenghuo.partner.v1 import partner_pb2 as pb
from fenghuo.partner.v1 import partner_pb2_grpc as rpc

from .keys import province_uri
from .mailbox import Mailbox, Refused


def _position(head: tuple[int, int, bytes]) -> pb.StreamPosition:
    return pb.StreamPosition(position=head[1], digest=head[2])


class Server(rpc.PartnerServiceServicer):
    """What other provinces call. Whom a call comes from, its certificate says, and nothing else."""

    def __init__(self, mailbox: Mailbox):
        self.mailbox = mailbox
        self.ledger = mailbox.ledger

    def start(self, address: str) -> tuple[grpc.Server, int]:
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        rpc.add_PartnerServiceServicer_to_server(self, server)
        cas = [x509.load_der_x509_certificate(row[0]).public_bytes(Encoding.PEM) for row in self.ledger.rows("SELECT ca FROM partner")]
        leaf = [self.mailbox.keys.leaf()]
        credentials = grpc.ssl_server_credentials(leaf, root_certificates=b"".join(cas), require_client_auth=True)
        port = server.add_secure_port(address, credentials)
        server.start()
        return server, port

    def _caller(self, context: grpc.ServicerContext) -> str:
        """The province of the caller: stated in its leaf, and pinned to the authority that signed the leaf."""
        told = context.auth_context()
        leaf = x509.load_pem_x509_certificate(told["x509_pem_cert"][0])
        for code, ca in self.ledger.rows("SELECT code, ca FROM partner"):
            try:
                leaf.verify_directly_issued_by(x509.load_der_x509_certificate(ca))
            except Exception:  # noqa: BLE001  another authority signed it
                continue
            names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            if names.get_values_for_type(x509.UniformResourceIdentifier) == [province_uri(code)]:
                return code
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "PARTNER_NOT_ENROLLED")

    def OpenStream(self, request, context):
        partner = self._caller(context)
        received, sent = self.ledger.head("received", partner, request.space), self.ledger.head("sent", partner, request.space)
        if received[0] == request.epoch and received[1] > request.sent.position:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "STREAM_DIVERGED: we have stored more than you have written")
        stored = received if received[0] == request.epoch else (request.epoch, 0, bytes(32))
        answer = pb.OpenStreamResponse(stored=_position(stored), epoch=max(sent[0], 1), sent=_position(sent))
        answer.wall_time.GetCurrentTime()
        return answer

    def DeliverEnvelopes(self, request, context):
        partner, receipts = self._caller(context), []
        for signed in request.envelopes:
            try:
                receipts.append(self.mailbox.store(partner, signed))
            except Refused as refused:
                if receipts:
                    break  # what is stored is answered; the sender repeats the rest and hears the error then
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{refused.reason}: {refused}")
        return pb.DeliverEnvelopesResponse(receipts=receipts)

    def FetchEnvelopes(self, request, context):
        partner = self._caller(context)
        epoch = request.epoch or max(self.ledger.head("sent", partner, request.space)[0], 1)
        sql = "SELECT signed_envelope FROM sent WHERE partner = ? AND space = ? AND epoch = ? AND position > ? ORDER BY position LIMIT 64"
        rows = self.ledger.rows(sql, partner, request.space, epoch, request.after_position)
        last = self.ledger.rows("SELECT COALESCE(MAX(position), 0) FROM sent WHERE partner = ? AND space = ? AND epoch = ?", partner, request.space, epoch)
        return pb.FetchEnvelopesResponse(envelopes=[pb.SignedEnvelope.FromString(row[0]) for row in rows], last_position=last[0][0])

    def ReturnReceipts(self, request, context):
        partner, position = self._caller(context), 0
        for signed in request.receipts:
            self.mailbox.keep_receipt(partner, signed)
            position = max(position, pb.Receipt.FromString(signed.receipt).position)
        return pb.ReturnReceiptsResponse(receipted_position=position)

    def FetchOwnEnvelopes(self, request, context):
        partner = self._caller(context)
        last_epoch = self.ledger.head("received", partner, request.space)[0]
        sql = "SELECT signed_envelope, signed_receipt FROM received WHERE partner = ? AND space = ? AND epoch = ? AND position > ? ORDER BY position LIMIT 64"
        rows = self.ledger.rows(sql, partner, request.space, request.epoch or last_epoch, request.after_position)
        own = [pb.OwnEnvelope(signed_envelope=pb.SignedEnvelope.FromString(e), signed_receipt=pb.SignedReceipt.FromString(r)) for e, r in rows]
        return pb.FetchOwnEnvelopesResponse(envelopes=own, last_epoch=last_epoch)


class Client:
    """The calls that we make to one partner."""

    def __init__(self, mailbox: Mailbox, partner: str):
        self.mailbox, self.ledger, self.partner = mailbox, mailbox.ledger, partner
        ((ca, endpoint),) = self.ledger.rows("SELECT ca, endpoint FROM partner WHERE code = ?", partner)
        key, certificate = mailbox.keys.leaf()
        # This partner's authority and no other: it signs for its own province alone.
        pinned = x509.load_der_x509_certificate(ca).public_bytes(Encoding.PEM)
        credentials = grpc.ssl_channel_credentials(pinned, key, certificate)
        self._channel = grpc.secure_channel(endpoint.removeprefix("https://"), credentials)
        self.calls = rpc.PartnerServiceStub(self._channel)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._channel.close()

    def open(self, space: str = "real") -> pb.OpenStreamResponse:
        """States both positions; first on every connection."""
        sent, received = self.ledger.head("sent", self.partner, space), self.ledger.head("received", self.partner, space)
        request = pb.OpenStreamRequest(
            sender=self.mailbox.keys.code,
            space=space,
            epoch=max(sent[0], 1),
            sent=_position(sent),
            stored=_position(received),
            stored_epoch=received[0],
        )
        return self.calls.OpenStream(request, timeout=10)

    def push(self, space: str = "real") -> int:
        """Hands over everything that has no receipt yet; how many receipts came."""
        count = 0
        while waiting := self.mailbox.waiting(self.partner, space):
            answer = self.calls.DeliverEnvelopes(pb.DeliverEnvelopesRequest(envelopes=waiting), timeout=30)
            if not answer.receipts:
                raise RuntimeError("the partner gave no receipt")
            for receipt in answer.receipts:
                self.mailbox.keep_receipt(self.partner, receipt)
                count += 1
        return count

    def pull(self, space: str = "real") -> int:
        """Fetches what the partner has for us, stores it, and returns the receipts; how many envelopes."""
        count, opened = 0, self.open(space)
        while True:
            epoch, position, _ = self.ledger.head("received", self.partner, space)
            after = position if epoch == opened.epoch else 0
            request = pb.FetchEnvelopesRequest(space=space, epoch=opened.epoch, after_position=after)
            batch = self.calls.FetchEnvelopes(request, timeout=30).envelopes
            if not batch:
                return count
            receipts = [self.mailbox.store(self.partner, signed) for signed in batch]
            self.calls.ReturnReceipts(pb.ReturnReceiptsRequest(receipts=receipts), timeout=30)
            count += len(batch)
