"""The client's socket of a download: its options, and whether the client has left."""

import contextlib
import errno
import socket
import time
from typing import Any

from routes import tcp_options

#: Bytes of the kernel's send buffer: its default lets 100 slow readers hold 390 MB, this 70 (measured).
SEND_BUFFER_BYTES = 256 * 1024

#: Seconds without traffic after which the kernel asks a client whether it is still there, and between such questions.
ASK_SECONDS = 5

#: Seconds between two looks at a client that may have left; they double. And how many looks: a chunk's size, which
#: they begin, may have 16 digits.
LOOK_SECONDS = 1.0
MOST_LOOKS = 8

#: The interim response that every client of HTTP/1.1 skips (RFC 9110, section 15.2).
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


class ClientSocket:
    """Wrap the client's socket that the server gives (`gunicorn.socket`); without it, every call
    does nothing.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        self._looks = 0
        self._next_look = 0.0
        self._may_ask = environ.get("SERVER_PROTOCOL") == "HTTP/1.1"

    def prepare(self) -> None:
        """Make the send buffer small, and have the kernel ask an idle client whether it is still
        there.
        """
        if self._socket is None:
            return
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, ASK_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, ASK_SECONDS)

    def reset_on_close(self) -> None:
        """Make the close of a broken transfer a reset, which no client takes for an end."""
        if self._socket is not None:
            tcp_options.reset_on_close(self._socket)

    def begins(self) -> None:
        """Note that the answer begins: from now on no interim response may be sent."""
        self._may_ask = False

    def has_left(self) -> bool:
        """Return whether the client reads no answer any more.

        Cheap; for any moment before the answer begins.

        One that has closed only its own side may still read. Then it is sent an interim answer, which every client of
        HTTP/1.1 has to skip; who has closed the whole answers by a reset, and has left when asked the next time.
        """
        progress = None if self._socket is None else tcp_options.progress(self._socket)
        if self._socket is None or progress is None:
            return False
        if progress.half and self._may_ask:
            self._may_ask = False
            with contextlib.suppress(OSError):
                self._socket.send(INTERIM, socket.MSG_DONTWAIT)
        return progress.over

    def check(self) -> None:
        """Raise `ConnectionResetError` when the client left.

        For between two chunks, while no row matches.

        One that has said its last may have left, or wait for the rest, as HTTP allows: the first answers whatever
        is sent with a reset. So a chunk's size is begun: zeros before it mean nothing.
        """
        progress = None if self._socket is None else tcp_options.progress(self._socket)
        if self._socket is None or progress is None:
            return
        if progress.over:
            raise ConnectionResetError(errno.ECONNRESET, "The client has left.")
        if progress.half and not progress.owed and self._is_time_to_look():
            self._socket.sendall(b"0")

    def _is_time_to_look(self) -> bool:
        if self._looks >= MOST_LOOKS or time.monotonic() < self._next_look:
            return False
        self._looks += 1
        self._next_look = time.monotonic() + LOOK_SECONDS * 2**self._looks
        return True
