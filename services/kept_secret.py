"""A secret that the embedded service makes for itself and keeps beside its data."""

import os
import re
import secrets
import stat
import tempfile
from pathlib import Path

from services.files import sync

NAME = "link-secret"

#: Bytes of chance in a secret, and what `secrets.token_urlsafe` makes of them: nothing else was ever written.
CHANCE_BYTES = 32
WRITTEN = re.compile(rb"[A-Za-z0-9_-]{43}\n?")

#: Bytes read of a file that may be anything.
MOST_BYTES = 64

REMEDY = "Delete it, and a new one is made: links given out within the last LINK_TTL_SECONDS end. Or set LINK_SECRETS."


class SecretUnusable(Exception):
    """The file cannot be used: the message says why and what to do."""


def beside(database: str) -> Path:
    """Return where the secret of a database is kept."""
    return Path(database).parent / NAME


def kept_secret(path: Path) -> str:
    """Return the secret in a file, made at first use; readable by its owner only. Raises
    `SecretUnusable`.

    Several processes may ask at once: the first to link the file into place wins, all read the
    same.
    """
    try:
        if not path.exists():
            _make(path)
        return _read(path)
    except OSError as error:
        raise SecretUnusable(f"{path}, which keeps the secret of links, cannot be had: {error.strerror}.") from error


def problems(path: Path) -> list[str]:
    """Return what is wrong with the file, if there is one."""
    try:
        if path.exists():
            kept_secret(path)
    except SecretUnusable as error:
        return [str(error)]
    return []


def _read(path: Path) -> str:
    """Return the secret. Raises `SecretUnusable`, `OSError`."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would be waited for
    with os.fdopen(handle, "rb", buffering=0) as file:
        _check(path, os.fstat(handle))
        written = file.read(MOST_BYTES)
    if not WRITTEN.fullmatch(written):
        raise SecretUnusable(f"{path} holds no secret that this service has written. {REMEDY}")
    return written.decode().strip()


def _check(path: Path, found: os.stat_result) -> None:
    """Raise `SecretUnusable` where others may write the file, and so make links, or read it.

    A folder that anybody may write, such as /tmp, may hold a file that somebody else has put there.
    """
    if not stat.S_ISREG(found.st_mode):
        raise SecretUnusable(f"{path}, which keeps the secret of links, is no file. {REMEDY}")
    if found.st_uid not in (os.geteuid(), path.parent.stat().st_uid):
        raise SecretUnusable(f"{path}, which keeps the secret of links, is another user's. {REMEDY}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise SecretUnusable(
            f"{path}, which keeps the secret of links, is open to other users. If none has read or changed it: "
            f"chmod 600 {path}. {REMEDY}"
        )


def _make(path: Path) -> None:
    """Write the file whole or not at all, also when the disk is full or the power fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{NAME}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(CHANCE_BYTES))
            file.flush()
            os.fsync(handle)
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
    sync(path.parent)
