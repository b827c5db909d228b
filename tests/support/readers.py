"""Many downloads at once that take their bytes slowly, as phones on bad networks do."""

import selectors
import socket
import threading
import time
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

#: What a client sends that wants to be slow: compressed, a file fits the buffers on its way.
PLAIN = {"Accept-Encoding": "identity"}

#: Bytes that a reader takes at most at a time, and its receive buffer: what it has not taken stays with the server.
SIP = 4096


class SlowReaders:
    """Opens one download a link and reads each at `bytes_per_second`, from one thread, until left.

    `sip`: bytes at a time. `buffer`: bytes of the receive buffer; `None`: the system's own.
    """

    def __init__(self, links: list[str], *, bytes_per_second: int, sip: int = SIP, buffer: int | None = SIP) -> None:
        self._bytes_per_second = bytes_per_second
        self._bytes = sip
        self._sockets = [self._open(link, buffer) for link in links]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.taken = [0] * len(links)
        self.ended = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for each in self._sockets:
            each.close()

    @property
    def started(self) -> int:
        """How many have got a byte."""
        return sum(1 for taken in self.taken if taken)

    @staticmethod
    def _open(link: str, buffer: int | None) -> socket.socket:
        parts = urlsplit(link)
        reader = socket.socket()
        if buffer is not None:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        reader.connect((parts.hostname, parts.port))
        reader.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        reader.setblocking(False)
        return reader

    def _read(self) -> None:
        """Each socket rests for as long as its last sip lasts; an ended one is read no more."""
        due = [time.monotonic()] * len(self._sockets)
        selector = selectors.DefaultSelector()
        resting: list[int] = []
        for number, reader in enumerate(self._sockets):
            selector.register(reader, selectors.EVENT_READ, number)
        while not self._stop.is_set():
            for key, _ in selector.select(timeout=0.01):
                selector.unregister(key.fileobj)
                if size := self._sip(key.data):
                    due[key.data] = max(due[key.data] + size / self._bytes_per_second, time.monotonic())
                    resting.append(key.data)
            now = time.monotonic()
            for number in resting:
                if due[number] <= now:
                    selector.register(self._sockets[number], selectors.EVENT_READ, number)
            resting = [number for number in resting if due[number] > now]
        selector.close()

    def _sip(self, number: int) -> int:
        """Bytes; 0 at the end."""
        try:
            piece = self._sockets[number].recv(self._bytes)
        except OSError:
            piece = b""
        self.taken[number] += len(piece)
        self.ended += not piece
        return len(piece)
