"""The socket of a download: what Python's WSGI does not tell, and what keeps slow readers cheap."""

import contextlib
import select
import socket
import struct
from typing import Any

#: Bytes of the kernel's send buffer: its default lets 100 slow readers hold 390 MB, this 70 (measured).
SEND_BUFFER_BYTES = 256 * 1024

#: States of a connection, as Linux numbers them: reset; and closed by its other side, in one direction at least.
TCP_CLOSE, TCP_CLOSE_WAIT = 7, 8

#: What a client that may still read does not mind.
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


class ClientSocket:
    """The client's socket where the server gives it (`gunicorn.socket`); without it, every call does nothing."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        self._may_ask = environ.get("SERVER_PROTOCOL") == "HTTP/1.1"

    def prepare(self, stalled_seconds: int) -> None:
        """Small buffers; and a reader that takes nothing for so long is dropped.

        TCP_USER_TIMEOUT, not `settimeout`: that counts a whole block and kills live slow readers.
        """
        if self._socket is None:
            return
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, stalled_seconds * 1000)

    def reset_on_close(self) -> None:
        """Make the close of a broken transfer a reset, which no client takes for an end."""
        if self._socket is None:
            return
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def begins(self) -> None:
        """The answer does: nothing but it may be sent now."""
        self._may_ask = False

    def has_left(self) -> bool:
        """The client reads no answer any more. Cheap, for any moment before the answer begins.

        One that has closed only its own side may still read. Then it is sent an interim answer, which every client of
        HTTP/1.1 has to skip; who has closed the whole answers by a reset, and has left when asked the next time.
        """
        if self._socket is None:
            return False
        try:
            state = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
            if state == TCP_CLOSE_WAIT and self._may_ask:
                self._may_ask = False
                self._socket.send(INTERIM, socket.MSG_DONTWAIT)
        except OSError:
            return True
        return state == TCP_CLOSE

    def is_gone(self) -> bool:
        """The client has closed its side: told without a write, for stretches where no row matches."""
        if self._socket is None:
            return False
        readable = select.poll()
        readable.register(self._socket, select.POLLIN)
        try:
            return bool(readable.poll(0)) and self._socket.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True
