"""Bound a whole HTTP request in time: urllib3 bounds the wait for each byte, not for all of them."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

Answer = tuple[int, bytes]

_current = threading.local()


class Asking(threading.Thread):
    """One question, in a thread of its own: whoever asks goes on when its time is over."""

    def __init__(self, ask: Callable[["Asking"], Answer]) -> None:
        super().__init__(daemon=True)
        self._ask = ask
        self._answer: Answer | None = None
        self._error: BaseException | None = None
        self._connection: Any = None
        self.ended = False

    def within(self, seconds: float) -> Answer:
        """Return the answer. Raises `TimeoutError`, and what asking raises."""
        self.start()
        self.join(seconds)
        if self._answer is not None:
            return self._answer
        if self._error is not None:
            raise self._error
        self._end()
        raise TimeoutError(f"no whole answer within {seconds:g} s")

    def run(self) -> None:
        _current.asking = self
        try:
            self._answer = self._ask(self)
        except Exception as error:  # noqa: BLE001  raised again where the answer is awaited
            self._error = error

    def uses(self, connection: Any) -> None:
        """Note the connection in use.

        Raises `TimeoutError` when nobody waits any more, as after a slow DNS lookup.
        """
        self._connection = connection
        if self.ended:
            raise TimeoutError("too late")

    def _end(self) -> None:
        """Shut the connection down, which ends the wait for its next byte."""
        self.ended = True
        found = getattr(self._connection, "sock", None)
        if found is not None:
            with contextlib.suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)


class _Known:
    """A connection that is known to the question which uses it, from before it is made."""

    def connect(self) -> None:
        _current.asking.uses(self)
        super().connect()  # type: ignore[misc]

    def request(self, *arguments: Any, **options: Any) -> None:
        _current.asking.uses(self)
        super().request(*arguments, **options)  # type: ignore[misc]
        _current.asking.uses(self)


class _Plain(_Known, HTTPConnection):
    pass


class _Secure(_Known, HTTPSConnection):
    pass


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


def connections(**options: Any) -> urllib3.PoolManager:
    """Return a pool of connections for `Asking`, and for nothing else."""
    found = urllib3.PoolManager(**options)
    found.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
    return found
