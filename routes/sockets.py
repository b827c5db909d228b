"""The socket of a download: what Python's WSGI does not tell, and what keeps slow readers cheap."""

import contextlib
import select
import socket
import struct
from typing import Any

#: Bytes of the kernel's send buffer: its default lets 100 slow readers hold 390 MB, this 70 (measured).
SEND_BUFFER_BYTES = 256 * 1024


class ClientSocket:
    """The client's socket where the server gives it (`gunicorn.socket`); without it, every call does nothing."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._socket: socket.socket | None = environ.get("gunicorn.socket")

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
