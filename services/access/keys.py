"""API keys: a JSON list of `{"name", "sha256", "engines", "kinds", "expiresAt"}`; the keys themselves are nowhere.

`sha256`: of the whole key, in hex. `engines`: ids, or `"*"`. `kinds`: `assets`, `devices`; absent: both.
`expiresAt`: ISO 8601 or epoch milliseconds; absent or null: never. A key is revoked by taking it out.
"""

import contextlib
import fcntl
import hashlib
import hmac
import json
import logging
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from services.access.rights import Right
from services.errors import AccessUnavailable
from services.files import sync
from services.index_names import is_index
from services.instants import first_ms, iso
from services.measures import Kind

log = logging.getLogger(__name__)

#: What the SDK's `setAPIKey` wants: Kuzzle's prefix, and a second part, between dots, that is JSON in base64: `{}`.
PREFIX = "kapikey-e30.e30."
EVERY = "*"


class KeysUnreadable(Exception):
    """What is wrong with the file, in a sentence's second half."""


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    """A key as it is written; a misspelt `expiresAt` must not mean for ever."""

    name: str
    sha256: str
    engines: str | list[str]
    kinds: tuple[Kind, ...] = ("assets", "devices")
    expires: int | str | None = msgspec.field(name="expiresAt", default=None)


@dataclass(frozen=True)
class ApiKey:
    """An API key; it expires at `expires_ms` (epoch milliseconds), `None`: never."""

    name: str
    digest: bytes
    engines: frozenset[str]
    kinds: frozenset[Kind]
    expires_ms: int | None

    def opens(self, right: Right) -> bool:
        return right.kind in self.kinds and not self.engines.isdisjoint((right.engine, EVERY))


class KeyFile:
    """The keys of a file; read again whenever it has changed."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._read: tuple[Any, tuple[ApiKey, ...]] | None = None

    def find(self, token: str) -> ApiKey | None:
        """Return the key of a token, `None` without one, in a time that does not tell which.

        Raises `AccessUnavailable` when the file is unreadable.

        Then the keys last read are not used: the mistake may be in the line that revokes one.
        """
        digest = hashlib.sha256(token.encode()).digest()
        try:
            found = [key for key in self._keys() if hmac.compare_digest(key.digest, digest)]
        except KeysUnreadable as error:
            log.error("API_KEYS_FILE %s", error)
            raise AccessUnavailable("The keys that may export cannot be read. Try again later.") from error
        return found[0] if found else None

    def _keys(self) -> tuple[ApiKey, ...]:
        state = state_of(self._path)
        if self._read is None or self._read[0] != state:
            self._read = state, read_keys(self._path)
        return self._read[1]


def state_of(path: Path) -> tuple[int, ...]:
    """Return a value that differs after every change of the file. Raises `KeysUnreadable`."""
    try:
        found = path.stat()
    except OSError as error:
        raise KeysUnreadable(f"cannot be read: {error.strerror}.") from error
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def read_keys(path: Path) -> tuple[ApiKey, ...]:
    """Return the keys.

    Raises `KeysUnreadable`, also for a file that others may write: they could give themselves a
    key.

    They may read it: a hash of 32 random bytes leads nobody back to the key.
    """
    try:
        if path.stat().st_mode & 0o022:
            raise KeysUnreadable(f"can be written by other users. If none has changed it: chmod go-w {path}.")
        keys = tuple(key_of(entry) for entry in msgspec.json.decode(path.read_bytes(), type=list[Entry]))
    except OSError as error:
        raise KeysUnreadable(f"cannot be read: {error.strerror}.") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise KeysUnreadable(f"is wrong: {error}.") from error
    if len({key.digest for key in keys}) < len(keys):
        raise KeysUnreadable("is wrong: two keys have the same sha256.")
    return keys


def key_of(entry: Entry) -> ApiKey:
    """Return the key of an entry. Raises `ValueError` for one that is wrong."""
    if not entry.name or not entry.name.isprintable():
        raise ValueError("each key needs a name, of printable characters")
    digest = bytes.fromhex(entry.sha256)
    if len(digest) != hashlib.sha256().digest_size:
        raise ValueError(f'the sha256 of "{entry.name}" must have 64 hexadecimal digits')
    if isinstance(entry.engines, str) and entry.engines != EVERY:
        raise ValueError(f'the engines of "{entry.name}" must be a list of ids, or "*"')
    for engine in entry.engines:
        if engine != EVERY and not is_index(engine):
            raise ValueError(f'the engines of "{entry.name}" must each be the id of one engine, or "*"; not "{engine}"')
    expires = first_ms(entry.expires) if isinstance(entry.expires, str) else entry.expires
    return ApiKey(entry.name, digest, frozenset(entry.engines), frozenset(entry.kinds), expires)


def add(path: Path, name: str, *, engines: Sequence[str], kinds: Sequence[Kind], expires_ms: int | None) -> str:
    """Return a new key, added to the file, which is made when it is missing.

    Raises `ValueError` for a name that is empty or taken, `KeysUnreadable` for a file that is wrong, `OSError`.
    """
    key = PREFIX + secrets.token_urlsafe(32)
    entry: dict[str, Any] = {"name": name, "sha256": hashlib.sha256(key.encode()).hexdigest(), "engines": list(engines)}
    if kinds:
        entry["kinds"] = list(kinds)
    if expires_ms is not None:
        entry["expiresAt"] = iso(expires_ms)
    key_of(msgspec.convert(entry, Entry))
    path = path.resolve()
    with alone(path):
        taken = read_keys(path) if path.exists() else ()
        if name in {other.name for other in taken}:
            raise ValueError(f'a key named "{name}" is there already')
        replace(path, [*(json.loads(path.read_bytes()) if taken else []), entry])
    return key


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock of the file: one writer at a time.

    The lock is a file of its own, since the other is replaced.
    """
    with open(f"{path}.lock", "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def replace(path: Path, entries: list[Any]) -> None:
    """Replace the file atomically; only its owner, who stays the same, can read the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(entries, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError):  # there is none before, or only root may
            os.chown(temporary, path.stat().st_uid, path.stat().st_gid)
        os.replace(temporary, path)
        sync(path.parent)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
