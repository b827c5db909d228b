"""Bound how long, and for how many clients at a time, the bytes of a request are awaited."""

import contextlib
import errno
import socket
import time
from collections import OrderedDict
from dataclasses import dataclass

from routes import tcp_options
from services.errors import RequestTimeout

#: Clients at most whose bytes are awaited at a time: with downloads and sockets below gunicorn's worker_connections,
#: and below the files that a process may open.
MOST_WAITING = 1000

#: Seconds that a client has to read a refusal, before what it still sends makes the close a reset.
LINGER_SECONDS = 2.0

#: Seconds between two that end: what telling one takes, and as much for others.
PACE_SECONDS = 0.002

#: Bytes asked of a socket at a time where nobody wants them.
READ_BYTES = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class RequestTimeouts:
    """Seconds, whole ones, not between two bytes: until a request begins, until its headers are there, its body."""

    first_seconds: float
    next_seconds: float
    headers_seconds: float
    body_seconds: float


class WaitingRoom:
    """The sockets whose bytes are awaited now; when there are too many, the one that waits longest
    is dropped.

    So a client that asks at once is heard, however many have come and say nothing.
    """

    def __init__(self, capacity: int = MOST_WAITING) -> None:
        self._capacity = capacity
        self._waiting: OrderedDict[RequestSocket, None] = OrderedDict()
        self._let_out_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(self, sock: "RequestSocket") -> None:
        self._waiting[sock] = None
        if len(self._waiting) > self._capacity:
            longest, _ = self._waiting.popitem(last=False)
            longest.drop()

    def leave(self, sock: "RequestSocket") -> None:
        """Remove a socket, also one that was dropped."""
        self._waiting.pop(sock, None)

    def let_out(self) -> None:
        """Wait, so that sockets end one after the other: a thousand that end together would hold up
        whoever asks for a second.
        """
        now = time.monotonic()
        self._let_out_at = max(now, self._let_out_at + PACE_SECONDS)
        if self._let_out_at > now:
            time.sleep(self._let_out_at - now)

    def dismiss(self) -> None:
        """Drop all sockets that have not begun a request."""
        for sock in list(self._waiting):
            if not sock.is_asking:
                sock.drop()


class RequestSocket:
    """A client's socket as gunicorn's parser reads it; `client` is the socket itself."""

    def __init__(self, client: socket.socket, room: WaitingRoom, timeouts: RequestTimeouts) -> None:
        self.client = client
        self._room = room
        self._timeouts = timeouts
        self._due = time.monotonic() + timeouts.first_seconds
        self.is_asking = False
        self._owes = "headers"
        self._dropped = False

    def check(self) -> None:
        """Raise `ConnectionResetError` when this socket was dropped."""
        if self._dropped:
            raise ConnectionResetError(errno.ECONNRESET, "Others wanted the place.")

    def recv(self, size: int) -> bytes:
        """Return the next bytes, none at the end or when no request begins in time.

        Raises `RequestTimeout` when one has begun and is not there in time.
        """
        data = self._receive(size)
        if data and not self.is_asking:
            self.is_asking = True
            self._due = time.monotonic() + self._timeouts.headers_seconds
        return data

    def owes_body(self) -> None:
        """Note that the headers are there: the body has its own time."""
        self.is_asking, self._owes = True, "body"
        self._due = time.monotonic() + self._timeouts.body_seconds

    def is_answered(self) -> None:
        """Note that the request is answered: the next may begin."""
        self.is_asking, self._owes = False, "headers"
        self._due = time.monotonic() + self._timeouts.next_seconds

    def refuse(self, answer: bytes) -> None:
        """Send a last answer, as far as the buffer takes it at once, and see that it arrives."""
        with contextlib.suppress(OSError):
            self.client.settimeout(0)
            self.client.sendall(answer)
        self.linger()

    def linger(self) -> None:
        """Read on for a moment: to close over unread bytes is a reset, which would take our last words along."""
        self.is_asking, self._due = False, time.monotonic() + LINGER_SECONDS
        with contextlib.suppress(OSError):
            self.client.shutdown(socket.SHUT_WR)
            while self._receive(READ_BYTES):
                pass

    def drop(self) -> None:
        """End the connection for whoever reads from it."""
        self._dropped = True
        tcp_options.hang_up(self.client)

    def close(self) -> None:
        self.client.close()

    def setblocking(self, flag: bool) -> None:
        """Set what gunicorn sets."""
        self.client.setblocking(flag)

    def _receive(self, size: int) -> bytes:
        data = self._received(size)
        if not data:
            self._room.let_out()
        if data is None and self.is_asking:
            raise RequestTimeout(f"The {self._owes} of the request did not come in time.")
        return data or b""

    def _received(self, size: int) -> bytes | None:
        """Return the next bytes, `None` when nothing came in time."""
        left = self._due - time.monotonic()
        if left <= 0:
            return None
        self.client.settimeout(left)
        self._room.enter(self)
        try:
            return self.client.recv(size)
        except TimeoutError:
            return None
        finally:
            self._room.leave(self)
            self.client.settimeout(None)
