"""Signatures of packages: what others make of them, what is taken for a key, and how one is made and kept."""

import hashlib
import multiprocessing
import os
import shutil
import stat
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from services.kept_file import SecretUnusable
from services.signing import KEPT, PublicKey, SigningKey, kept_key, made_pem
from tests.conftest import absent

DATA = b'{"resources": []}\n'

#: RFC 8032, section 7.1, test 2: seed, public key, message, signature.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNED = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def plain(key: ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey | x25519.X25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def key() -> SigningKey:
    return SigningKey.from_pem(made_pem())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return KEPT.beside(str(tmp_path / "data" / "measures.sqlite3"))


def test_the_vector_of_the_standard() -> None:
    """The signature of RFC 8032, and the key's bytes in the PEM."""
    key = SigningKey.from_pem(plain(ed25519.Ed25519PrivateKey.from_private_bytes(SEED)))
    assert key.sign(b"\x72") == SIGNED
    assert b64decode(b"".join(key.public.pem.splitlines()[1:-1]))[-32:] == PUBLIC
    assert PublicKey.from_pem(key.public.pem).holds(b"\x72", SIGNED)


def test_a_signature_is_of_these_bytes_by_this_key(key: SigningKey) -> None:
    """Of no others, by no other, and no part of it is one."""
    signature = key.sign(DATA)
    assert len(signature) == 64
    assert key.public.holds(DATA, signature)
    assert not key.public.holds(DATA + b"\n", signature)
    assert not SigningKey.from_pem(made_pem()).public.holds(DATA, signature)
    for wrong in (b"", signature[:-1], signature + b"\0", bytes(64), signature[:-1] + bytes([signature[-1] ^ 1])):
        assert not key.public.holds(DATA, wrong)


def test_what_openssl_says(key: SigningKey, tmp_path: Path) -> None:
    """The command that users are told, with nothing else than the public key."""
    program = shutil.which("openssl") or absent("openssl is not installed")
    for name, content in {"KEY.pem": key.public.pem, "FILE": DATA, "SIG": key.sign(DATA)}.items():
        (tmp_path / name).write_bytes(content)

    def verify() -> subprocess.CompletedProcess[str]:
        options = ["-verify", "-pubin", "-inkey", "KEY.pem", "-rawin", "-in", "FILE", "-sigfile", "SIG"]
        return subprocess.run([program, "pkeyutl", *options], cwd=tmp_path, capture_output=True, text=True, timeout=60)

    done = verify()
    assert (done.returncode, done.stdout) == (0, "Signature Verified Successfully\n"), done.stderr
    (tmp_path / "FILE").write_bytes(DATA + b" ")
    assert verify().returncode == 1


def test_a_fingerprint(key: SigningKey) -> None:
    """Is the SHA-256 of the key's DER, with its padding: what anybody computes of the PEM."""
    der = b64decode(b"".join(key.public.pem.splitlines()[1:-1]))
    assert key.public.fingerprint == f"SHA256:{b64encode(hashlib.sha256(der).digest()).decode()}"
    assert PublicKey.from_pem(key.public.pem).fingerprint == key.public.fingerprint


def test_each_key_is_another() -> None:
    """However often one is made."""
    assert len({made_pem() for _ in range(10)}) == 10


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "no private key in PEM"),
        (b"\xff", "no private key in PEM"),
        (b"secret", "no private key in PEM"),
        (SigningKey.from_pem(made_pem()).public.pem, "no private key in PEM"),
        (made_pem()[:-40], "no private key in PEM"),
        (
            ed25519.Ed25519PrivateKey.generate().private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
            ),
            "without a password",
        ),
        (plain(ed448.Ed448PrivateKey.generate()), "not of Ed25519"),
        (plain(x25519.X25519PrivateKey.generate()), "not of Ed25519"),
        (
            ec.generate_private_key(ec.SECP256R1()).private_bytes(
                Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
            ),
            "not of Ed25519",
        ),
    ],
    ids=["empty", "bytes", "text", "public", "cut", "password", "ed448", "x25519", "ec"],
)
def test_what_is_no_private_key(text: bytes, reason: str) -> None:
    """Said in words, not in those of a library."""
    with pytest.raises(ValueError, match=reason):
        SigningKey.from_pem(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "no public key in PEM"),
        (made_pem(), "no public key in PEM"),
        (
            ed448.Ed448PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "not of Ed25519",
        ),
    ],
    ids=["empty", "private", "ed448"],
)
def test_what_is_no_public_key(text: bytes, reason: str) -> None:
    """Said in words, too."""
    with pytest.raises(ValueError, match=reason):
        PublicKey.from_pem(text)


def test_a_key_is_made_once(path: Path) -> None:
    """Beside the data, readable by its owner only whatever the umask, and nothing is left of its making."""
    before = os.umask(0)
    try:
        made = kept_key(path)
    finally:
        os.umask(before)
    assert (stat.S_IMODE(path.stat().st_mode), os.listdir(path.parent)) == (0o600, ["signing-key.pem"])
    assert kept_key(path).public.pem == made.public.pem
    assert KEPT.problems(path) == []


def put(path: Path, content: bytes, mode: int = 0o600) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


@pytest.mark.parametrize("content", [b"", b"\n", made_pem()[:-1], made_pem()[:60], made_pem() * 2, b"x" * 100_000])
def test_anything_else_is_no_key(path: Path, content: bytes) -> None:
    """Not a disk that was full once. The file stays as it is."""
    put(path, content)
    with pytest.raises(SecretUnusable) as caught:
        kept_key(path)
    assert KEPT.problems(path) == [str(caught.value)]
    assert path.read_bytes() == content


def test_a_damaged_key(path: Path) -> None:
    """It looks like a PEM, and is told as any other file that cannot be used."""
    first, body, last = made_pem().splitlines(keepends=True)
    put(path, first + b"A" + body[1:] + last)
    with pytest.raises(SecretUnusable):
        kept_key(path)
    assert KEPT.problems(path) != []


def test_a_key_that_is_open_to_others(path: Path) -> None:
    """Whoever reads it signs."""
    put(path, made_pem(), 0o640)
    with pytest.raises(SecretUnusable, match=f"chmod 600 {path}"):
        kept_key(path)


def test_a_key_that_cannot_be_made(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full: said, and nothing stays, least of all a part."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SecretUnusable, match=f"^{path}, .* cannot be had: No space left on device"):
        kept_key(path)
    assert os.listdir(path.parent) == []


def ask(path: Path, found: "multiprocessing.queues.Queue[bytes]") -> None:
    found.put(kept_key(path).public.pem)


@pytest.mark.slow
def test_all_processes_have_the_same(path: Path) -> None:
    """Whoever comes first."""
    context = multiprocessing.get_context("spawn")
    found: multiprocessing.queues.Queue[bytes] = context.Queue()
    workers = [context.Process(target=ask, args=(path, found)) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert len({found.get(timeout=30) for _ in workers}) == 1
    for worker in workers:
        worker.join()
