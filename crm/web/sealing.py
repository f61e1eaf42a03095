"""Letters that a phone seals to this server: whoever holds the phone cannot read them again.

A phone without signal keeps a talk until it can be sent. It seals the talk at once to the
server's public key (ECDH on P-256 with a key made for this one letter, HKDF-SHA256, AES-GCM), and
forgets that key. The private key is made from the server's secret and is stored nowhere.
Source of the parts: NIST SP 800-56A (ECDH), RFC 5869 (HKDF), NIST SP 800-38D (GCM). The same steps,
in the browser, are in `crm/static/vault.js`.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import current_app

POINT: Final = 65
NONCE: Final = 12
_PURPOSE: Final = b"shopfloor phone 1"
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class NotForUs(ValueError):
    """The letter is damaged, was changed, or was sealed to another server."""


def public_key() -> str:
    """Return the key that phones seal to: an uncompressed point of P-256, in base64."""
    return base64.b64encode(_point(_private_keys()[0])).decode()


def open_sealed(letter: str, bound: str) -> bytes:
    """Return what was sealed. letter: in base64. bound: what it was sealed together with.

    Raises NotForUs for anything that was not sealed by these rules to this server.
    """
    try:
        raw = base64.b64decode(letter, validate=True)
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw[:POINT])
    except (binascii.Error, ValueError) as error:
        raise NotForUs("not a sealed letter") from error
    nonce, sealed = raw[POINT : POINT + NONCE], raw[POINT + NONCE :]
    if len(nonce) != NONCE:
        raise NotForUs("not a sealed letter")
    for private in _private_keys():
        secret = private.exchange(ec.ECDH(), sender)
        key = HKDF(SHA256(), 32, salt=raw[:POINT] + _point(private), info=_PURPOSE).derive(secret)
        try:
            return AESGCM(key).decrypt(nonce, sealed, bound.encode())
        except InvalidTag:
            continue
    raise NotForUs("sealed to another server, or changed on its way")


def seal(content: bytes, bound: str, point: str) -> str:
    """Return the content sealed to a public key, as a phone does it; in base64."""
    receiver = base64.b64decode(point)
    mine = ec.generate_private_key(ec.SECP256R1())
    secret = mine.exchange(
        ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), receiver)
    )
    key = HKDF(SHA256(), 32, salt=_point(mine) + receiver, info=_PURPOSE).derive(secret)
    nonce = AESGCM.generate_key(128)[:NONCE]
    return base64.b64encode(
        _point(mine) + nonce + AESGCM(key).encrypt(nonce, content, bound.encode())
    ).decode()


def _private_keys() -> list[ec.EllipticCurvePrivateKey]:
    """The keys of the present secret and of those before it: letters wait up to two weeks."""
    secrets = [
        current_app.config["SECRET_KEY"],
        *(current_app.config.get("SECRET_KEY_FALLBACKS") or ()),
    ]
    return [_private_key(str(secret)) for secret in secrets]


@lru_cache(maxsize=4)
def _private_key(secret: str) -> ec.EllipticCurvePrivateKey:
    # Twice the length of the order, so that taking the remainder leaves no number more likely.
    wide = HKDF(SHA256(), 64, salt=None, info=_PURPOSE).derive(secret.encode())
    return ec.derive_private_key(int.from_bytes(wide) % (_ORDER - 1) + 1, ec.SECP256R1())


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
