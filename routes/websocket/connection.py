"""One open WebSocket: frames by wsproto, one thread that listens and one that answers.

The listening thread answers pings, however busy the answering thread is.
"""

import contextlib
import select
import socket
import threading
import time
from dataclasses import dataclass

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError

from actions.session import PONG, Session, is_ping, refusal
from routes.calls import LARGEST_BODY
from routes.websocket.bounded_queue import BoundedQueue, QueueClosed
from services.errors import RequestTooLarge

#: Seconds at most until the end of a token is looked at again: a clock may be set.
LONGEST_WAIT_SECONDS = 600

#: Bytes taken from the socket at a time.
READ_BYTES = 16 * 1024

#: Seconds of work after which the others are let in, and for how long. Never 0: see
#: `services.scheduling.cpu_turn`.
WORK_SECONDS = 0.005
PAUSE_SECONDS = 0.001


@dataclass(frozen=True)
class Timeouts:
    """Seconds of silence until a client is pinged, and until it is given up; seconds that a goodbye may take."""

    ping_seconds: float
    silent_seconds: float
    goodbye_seconds: float


TIMEOUTS = Timeouts(ping_seconds=15, silent_seconds=30, goodbye_seconds=2)


class AnswerPauses:
    """Pauses a thread after each stretch of work: neither a socket that always has bytes nor a full
    queue ever waits.
    """

    def __init__(self) -> None:
        self._since = time.monotonic()

    def take(self) -> None:
        if time.monotonic() - self._since > WORK_SECONDS:
            time.sleep(PAUSE_SECONDS)
            self._since = time.monotonic()


class WebSocketConnection:
    """`hold` it until it ends; `leave` it from another thread."""

    def __init__(self, client: socket.socket, session: Session, timeouts: Timeouts = TIMEOUTS) -> None:
        self._client = client
        self._session = session
        self._timeouts = timeouts
        self._protocol = Connection(ConnectionType.SERVER)
        self._sending = threading.Lock()
        self._queue = BoundedQueue()
        self._message = bytearray()
        self._over = threading.Event()

    def hold(self, opening: bytes) -> None:
        """Serve the client until one side ends the connection, or the client is silent for too
        long.
        """
        threading.Thread(target=self._answer, daemon=True).start()
        try:
            with contextlib.suppress(OSError):
                self._client.sendall(opening)
                with contextlib.suppress(QueueClosed):
                    self._listen()
                if self._protocol.state is ConnectionState.LOCAL_CLOSING:
                    self._linger()
        finally:
            self._over.set()
            self._queue.close()

    def leave(self) -> None:
        """Send the close frame `GOING_AWAY`, and wait a moment for the client's own."""
        with contextlib.suppress(OSError):
            self._send(CloseConnection(CloseReason.GOING_AWAY), wait_seconds=self._timeouts.goodbye_seconds)
        if not self._over.wait(self._timeouts.goodbye_seconds):
            self._queue.close()
            with contextlib.suppress(OSError):
                self._client.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        """Return when the client is silent for too long.

        Raises `QueueClosed` once either side has closed.
        """
        pauses, heard = AnswerPauses(), time.monotonic()
        while True:
            if self._is_readable(self._timeouts.ping_seconds):
                self._protocol.receive_data(self._read())
                for event in self._protocol.events():
                    self._hear(event)
                    pauses.take()
                heard = time.monotonic()
            elif time.monotonic() - heard >= self._timeouts.silent_seconds:
                return
            else:
                self._send(Ping())

    def _hear(self, event: Event) -> None:
        if isinstance(event, TextMessage | BytesMessage):
            self._gather(event)
        elif isinstance(event, Ping):
            self._send(event.response())
        elif isinstance(event, CloseConnection):  # the client's goodbye, or what wsproto says to broken frames
            self._send(CloseConnection(event.code, event.reason))
            raise QueueClosed

    def _gather(self, event: TextMessage | BytesMessage) -> None:
        """Join the pieces of a message: it may come in many frames, and a frame in many pieces."""
        self._message += event.data.encode() if isinstance(event, TextMessage) else event.data
        if len(self._message) > LARGEST_BODY:
            self._send(TextMessage(refusal(RequestTooLarge(f"A message may hold {LARGEST_BODY} bytes."))))
            self._send(CloseConnection(CloseReason.MESSAGE_TOO_BIG))
            raise QueueClosed
        if event.message_finished:
            message, self._message = bytes(self._message), bytearray()
            self._receive(message)

    def _receive(self, message: bytes) -> None:
        if is_ping(message):
            self._send(TextMessage(PONG))
        else:
            self._queue.put(message)

    def _answer(self) -> None:
        """Answer all messages in order, and send what is due unasked.

        When this ends, so does the listener.
        """
        pauses = AnswerPauses()
        try:
            with contextlib.suppress(QueueClosed, OSError):
                while True:
                    message = self._queue.take(self._seconds_to_wait())
                    text = self._session.news() if message is None else self._session.answer(message)
                    if text is not None:
                        self._send(TextMessage(text))
                    pauses.take()
        finally:
            self._queue.close()

    def _seconds_to_wait(self) -> float | None:
        left = self._session.seconds_left()
        return None if left is None else min(left, LONGEST_WAIT_SECONDS)

    def _send(self, event: Event, *, wait_seconds: float = -1) -> None:
        """Send one frame whole; after a close frame send nothing.

        Wait `wait_seconds` for the sender before, -1: for ever.

        A client that takes nothing is cut by the server (`serving.stalled`).
        """
        if not self._sending.acquire(timeout=wait_seconds):
            return
        try:
            with contextlib.suppress(LocalProtocolError):
                self._client.sendall(self._protocol.send(event))
        finally:
            self._sending.release()

    def _is_readable(self, seconds: float) -> bool:
        """Return whether bytes come in time.

        Not by `settimeout`, which would bound `sendall` as well.
        """
        readable = select.poll()
        readable.register(self._client, select.POLLIN)
        return bool(readable.poll(seconds * 1000))

    def _read(self) -> bytes:
        """Return the next bytes. Raises `QueueClosed` at the end of the stream."""
        data = self._client.recv(READ_BYTES)
        if not data:
            raise QueueClosed
        return data

    def _linger(self) -> None:
        """Read on for a moment: to close over unread bytes is a reset, which would take our last words along."""
        end, pauses = time.monotonic() + self._timeouts.goodbye_seconds, AnswerPauses()
        self._client.shutdown(socket.SHUT_WR)
        with contextlib.suppress(QueueClosed):
            while (left := end - time.monotonic()) > 0 and self._is_readable(left):
                self._read()
                pauses.take()
