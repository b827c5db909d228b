"""Files with a secret that the embedded service makes for itself and keeps beside its data."""

import os
import re
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.files import sync

#: Bytes read of a file that may be anything.
MOST_BYTES = 1024


class SecretUnusable(Exception):
    """The file cannot be used: the message says why and what to do."""


@dataclass(frozen=True)
class KeptFile:
    """A kind of such files. `holds`: what it keeps, in words. `make`: makes a new one. `written`: nothing else was ever
    written. `remedy`: what to do when it is wrong.
    """

    name: str
    holds: str
    make: Callable[[], bytes]
    written: re.Pattern[bytes]
    remedy: str

    def beside(self, database: str) -> Path:
        """Return where the file of a database is kept."""
        return Path(database).parent / self.name

    def content(self, path: Path) -> bytes:
        """Return what is in a file, made at first use; readable by its owner only. Raises `SecretUnusable`.

        Several processes may ask at once: the first to link the file into place wins, all read the
        same.
        """
        try:
            if not path.exists():
                self._make(path)
            return self._read(path)
        except OSError as error:
            raise SecretUnusable(f"{path}, which keeps {self.holds}, cannot be had: {error.strerror}.") from error

    def problems(self, path: Path) -> list[str]:
        """Return what is wrong with the file, if there is one."""
        try:
            if path.exists():
                self.content(path)
        except SecretUnusable as error:
            return [str(error)]
        return []

    def _read(self, path: Path) -> bytes:
        """Return the content. Raises `SecretUnusable`, `OSError`."""
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would be waited for
        with os.fdopen(handle, "rb", buffering=0) as file:
            self._check(path, os.fstat(handle))
            written = file.read(MOST_BYTES)
        if not self.written.fullmatch(written):
            kind = self.holds.split()[1]
            raise SecretUnusable(f"{path} holds no {kind} that this service has written. {self.remedy}")
        return written

    def _check(self, path: Path, found: os.stat_result) -> None:
        """Raise `SecretUnusable` where others may write the file, and so make links, or read it.

        A folder that anybody may write, such as /tmp, may hold a file that somebody else has put there.
        """
        if not stat.S_ISREG(found.st_mode):
            raise SecretUnusable(f"{path}, which keeps {self.holds}, is no file. {self.remedy}")
        if found.st_uid not in (os.geteuid(), path.parent.stat().st_uid):
            raise SecretUnusable(f"{path}, which keeps {self.holds}, is another user's. {self.remedy}")
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise SecretUnusable(
                f"{path}, which keeps {self.holds}, is open to other users. If none has read or changed it: "
                f"chmod 600 {path}. {self.remedy}"
            )

    def _make(self, path: Path) -> None:
        """Write the file whole or not at all, also when the disk is full or the power fails."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{self.name}.")  # made with mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self.make())
                file.flush()
                os.fsync(handle)
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(temporary)
        sync(path.parent)
