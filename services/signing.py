"""Signatures of packages: Ed25519 (RFC 8032), by keys in PEM. Only here is `cryptography`."""

import base64
import hashlib
import re
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from services.kept_file import KeptFile, SecretUnusable

ALGORITHM = "Ed25519"


class PublicKey:
    """Checks signatures."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    @classmethod
    def from_pem(cls, text: bytes) -> "PublicKey":
        """Return the key of a PEM. Raises `ValueError` with the reason."""
        try:
            key = load_pem_public_key(text)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("it holds no public key in PEM") from error
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("its key is not of Ed25519")
        return cls(key)

    @property
    def pem(self) -> bytes:
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def fingerprint(self) -> str:
        """`SHA256:` and the base64 of the hash of the key's DER."""
        der = self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"SHA256:{base64.b64encode(hashlib.sha256(der).digest()).decode()}"

    def holds(self, data: bytes, signature: bytes) -> bool:
        """Return whether a signature was made of these bytes by this key."""
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """Makes signatures."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    @classmethod
    def from_pem(cls, text: bytes) -> "SigningKey":
        """Return the key of a PEM without a password. Raises `ValueError` with the reason."""
        try:
            key = load_pem_private_key(text, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ValueError("it holds no private key in PEM (PKCS 8) without a password") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("its key is not of Ed25519; make one with: openssl genpkey -algorithm ed25519")
        return cls(key)

    def sign(self, data: bytes) -> bytes:
        """Return the signature of these bytes: 64 bytes."""
        return self._key.sign(data)


def made_pem() -> bytes:
    """Return a new private key."""
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


KEPT = KeptFile(
    name="signing-key.pem",
    holds="the key of packages",
    make=made_pem,
    # RFC 8410: 16 bytes that are always the same, and 32 of chance.
    written=re.compile(
        rb"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI[A-P][A-Za-z0-9+/]{42}\n-----END PRIVATE KEY-----\n"
    ),
    remedy="Delete it, and a new one is made: packages signed before no longer match the public key. "
    "Or set SIGNING_KEY_FILE.",
)


def kept_key(path: Path) -> SigningKey:
    """Return the key in a file, made at first use. Raises `SecretUnusable`."""
    return SigningKey.from_pem(KEPT.content(path))


class OwnKey:
    """Holds the key that this service signs packages with: that of a file, else one that is kept beside an embedded
    database and made at its first use, else none.
    """

    def __init__(self, file: str | None, *, database: str | None) -> None:
        """`database`: the path of the embedded one, if that is used. Raises `SecretUnusable`."""
        self._key = None if file is None else read_key(file)
        self._kept = KEPT.beside(database) if file is None and database is not None else None

    def get(self) -> SigningKey | None:
        """Return the key; `None`: nobody signs. Raises `SecretUnusable`."""
        if self._key is None and self._kept is not None:
            self._key = kept_key(self._kept)
        return self._key

    def public(self) -> PublicKey | None:
        """Return the key that packages of this service are checked with; `None`: it has signed none."""
        if self._key is None and self._kept is not None and not self._kept.exists():
            return None
        key = self.get()
        return None if key is None else key.public


def problems(file: str | None, *, database: str | None) -> list[str]:
    """Return what is wrong with the own key, if there is one."""
    try:
        OwnKey(file, database=database).public()
    except SecretUnusable as error:
        return [str(error)]
    return []


def read_key(path: str) -> SigningKey:
    try:
        return SigningKey.from_pem(Path(path).read_bytes())
    except OSError as error:
        raise SecretUnusable(f"SIGNING_KEY_FILE: {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SecretUnusable(f"SIGNING_KEY_FILE: {path}: {error}.") from error
