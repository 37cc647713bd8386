"""A province's keys: a certificate authority of its own, a TLS leaf below it, and an Ed25519 key that signs."""

import datetime
import hashlib
import ipaddress
import os
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ENVELOPE = b"fenghuo.envelope.v1\n"
RECEIPT = b"fenghuo.receipt.v1\n"


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def key_id(public_key: bytes) -> str:
    return hashlib.sha256(public_key).hexdigest()[:16]


def province_uri(code: str) -> str:
    return f"fenghuo://provinces/{code}"


class Keys:
    """Loads the keys of a folder, or makes them at the first start."""

    def __init__(self, folder: pathlib.Path, code: str):
        self.code = code
        folder.mkdir(parents=True, exist_ok=True)
        ca_file, signing_file, certificate_file = folder / "ca.key", folder / "signing.key", folder / "ca.pem"
        if not certificate_file.exists():
            ca_key = ec.generate_private_key(ec.SECP256R1())
            _write(ca_file, _pem(ca_key))
            _write(signing_file, _pem(ed25519.Ed25519PrivateKey.generate()))
            _write(certificate_file, _authority(code, ca_key).public_bytes(serialization.Encoding.PEM))
        self._ca_key = serialization.load_pem_private_key(ca_file.read_bytes(), None)
        self._signing = serialization.load_pem_private_key(signing_file.read_bytes(), None)
        self.ca = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        self.public_key = self._signing.public_key().public_bytes_raw()
        self.key_id = key_id(self.public_key)

    def sign(self, domain: bytes, data: bytes) -> bytes:
        """The signature over the domain and the SHA-256 of these bytes, as the contract says."""
        return self._signing.sign(domain + sha256(data))

    def leaf(self) -> tuple[bytes, bytes]:
        """A new TLS leaf that states our province: private key and certificate, PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        names = [x509.UniformResourceIdentifier(province_uri(self.code)), x509.DNSName("localhost")]
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        certificate = (
            _builder(f"node {self.code}", self.ca.subject, key.public_key(), now, 365)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._ca_key, hashes.SHA256())
        )
        return _pem(key), certificate.public_bytes(serialization.Encoding.PEM)


def verify(public_key: bytes, domain: bytes, data: bytes, signature: bytes) -> bool:
    """Whether this key signed these bytes."""
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public_key).verify(signature, domain + sha256(data))
    except Exception:  # noqa: BLE001  whatever is wrong with it, it does not hold
        return False
    return True


def _authority(code: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CA {code}")])
    return (
        _builder(f"CA {code}", name, key.public_key(), now, 3650)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(province_uri(code))]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _builder(name: str, issuer: x509.Name, public_key, now: datetime.datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _pem(key) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _write(file: pathlib.Path, data: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)
