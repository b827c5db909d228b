"""A first-in, first-out queue of messages, bounded in number and bytes."""

import threading
from collections import deque

#: Messages, and bytes of them, that wait at most; one may always, however long.
MOST_MESSAGES = 256
MOST_BYTES = 256 * 1024


class QueueClosed(Exception):
    """The queue, or the connection that fills it, is closed."""


class BoundedQueue:
    def __init__(self) -> None:
        self._messages: deque[bytes] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, message: bytes) -> None:
        """Add a message; blocks while there is no room, so that the client has to wait.

        Raises `QueueClosed`.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._has_room(message))
            self._check()
            self._messages.append(message)
            self._bytes += len(message)
            self._changed.notify_all()

    def take(self, seconds: float | None) -> bytes | None:
        """Return the next message, `None` when none came within `seconds`. Raises `QueueClosed`."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._messages, timeout=seconds)
            self._check()
            if not self._messages:
                return None
            message = self._messages.popleft()
            self._bytes -= len(message)
            self._changed.notify_all()
            return message

    def close(self) -> None:
        """Drop all messages, and wake whoever waits with `QueueClosed`."""
        with self._changed:
            self._closed = True
            self._messages.clear()
            self._changed.notify_all()

    def _has_room(self, message: bytes) -> bool:
        fits = len(self._messages) < MOST_MESSAGES and self._bytes + len(message) <= MOST_BYTES
        return fits or not self._messages

    def _check(self) -> None:
        if self._closed:
            raise QueueClosed
