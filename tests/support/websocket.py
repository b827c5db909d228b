"""A WebSocket client: frames by wsproto over a plain socket, and whatever else a test wants to send."""

import base64
import json
import os
import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, Message, Ping, Pong, TextMessage

#: Seconds that an answer may take.
PATIENCE = 30


def opening(url: str, headers: Mapping[str, str | None] | None = None, *, path: str = "/", start: str = "") -> bytes:
    """A request for a WebSocket; `headers` are added or replace others, `None` leaves one out."""
    lines: dict[str, str | None] = {
        "Host": urlsplit(url).netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        **(headers or {}),
    }
    kept = [f"{name}: {value}" for name, value in lines.items() if value is not None]
    return "\r\n".join([start or f"GET {path} HTTP/1.1", *kept, "", ""]).encode("latin-1")


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((str(parts.hostname), parts.port or 80), timeout=PATIENCE)


def answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status and headers (names in lower case) of what comes back, and the bytes that came with them."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(4096)
        assert piece, f"closed after {received!r}"
        received += piece
    head, _, rest = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return int(status.split()[1]), {name.lower(): value for name, value in headers.items()}, rest


class WebSocket:
    """An open one. Pings are answered unasked."""

    def __init__(self, url: str, headers: Mapping[str, str | None] | None = None, *, path: str = "/") -> None:
        self.socket = connect(url)
        self.socket.sendall(opening(url, headers, path=path))
        self.status, self.headers, rest = answer(self.socket)
        assert self.status == 101, self.headers
        self._connection = Connection(ConnectionType.CLIENT, trailing_data=rest)
        self._waiting: list[Event] = []
        self._text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def frames(self, *events: Event) -> bytes:
        return b"".join(self._connection.send(event) for event in events)

    def send(self, *events: Event) -> None:
        self.socket.sendall(self.frames(*events))

    def say(self, *texts: str) -> None:
        self.send(*[TextMessage(text) for text in texts])

    def ask(self, **message: Any) -> Any:
        """The answer to a request."""
        self.say(json.dumps(message))
        return json.loads(self.hear())

    def hear(self) -> str:
        """The next text."""
        event = self.next()
        assert isinstance(event, TextMessage), event
        return event.data

    def next(self) -> Event:
        """The next whole message, pong, or close; without a close of its own, one of 1006."""
        while not self._waiting:
            self.take()
        return self._waiting.pop(0)

    def take(self) -> None:
        """What has come, or comes next; pings are answered."""
        try:
            data = self.socket.recv(64 * 1024)
        except ConnectionResetError:
            data = b""
        self._connection.receive_data(data or None)
        for event in self._connection.events():
            if isinstance(event, Ping):
                self.send(event.response())
            elif isinstance(event, TextMessage):
                self._gather(event)
            else:
                assert isinstance(event, Message | Pong | CloseConnection)
                self._waiting.append(event)

    def _gather(self, event: TextMessage) -> None:
        self._text += event.data
        if event.message_finished:
            self._waiting.append(TextMessage(self._text))
            self._text = ""
