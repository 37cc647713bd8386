"""The enrolment bundle: what one province gives another as a file, and the fingerprint compared by telephone."""

import datetime

from cryptography.hazmat.primitives.serialization import Encoding
from fenghuo.partner.v1 import partner_pb2 as pb
from google.protobuf import json_format

from .keys import Keys, key_id, sha256


def own(keys: Keys, name: str, endpoint: str, telephone: str) -> pb.EnrolmentBundle:
    """Our bundle. An empty endpoint says that we cannot be called and pull."""
    bundle = pb.EnrolmentBundle(
        province_code=keys.code,
        display_name=name,
        ca_certificate_der=keys.ca.public_bytes(Encoding.DER),
        signing_key=pb.SigningKey(key_id=keys.key_id, public_key=keys.public_key),
        endpoint=endpoint,
        duty_telephone=telephone,
    )
    bundle.create_time.FromDatetime(datetime.datetime.now(datetime.UTC))
    return bundle


def to_json(bundle: pb.EnrolmentBundle) -> str:
    return json_format.MessageToJson(bundle, ensure_ascii=False)


def from_json(text: str) -> pb.EnrolmentBundle:
    """Reads and checks a bundle; ValueError says what is wrong."""
    bundle = json_format.Parse(text, pb.EnrolmentBundle(), ignore_unknown_fields=True)
    if len(bundle.province_code) != 6 or not bundle.province_code.isdigit():
        raise ValueError("provinceCode must be the six-digit code of a province")
    if len(bundle.signing_key.public_key) != 32 or bundle.signing_key.key_id != key_id(bundle.signing_key.public_key):
        raise ValueError("signingKey must be an Ed25519 key of 32 bytes with its own keyId")
    return bundle


def fingerprint(bundle: pb.EnrolmentBundle) -> str:
    """Eight groups of four hexadecimal digits."""
    told = b"fenghuo.fingerprint.v1\n" + bundle.province_code.encode() + bundle.ca_certificate_der + bundle.signing_key.public_key
    digits = sha256(told)[:16].hex()
    return " ".join(digits[at : at + 4] for at in range(0, 32, 4))
