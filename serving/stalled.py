"""Cut clients that take nothing of their answer for too long."""

import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from routes import tcp_options

log = logging.getLogger(__name__)

#: Looks within the time that a client may take nothing: it is cut at most a fifth of that later.
LOOKS = 5

#: Times that time, for a client elsewhere: its kernel holds what it has not read, and tells late that it reads.
ELSEWHERE = 1.7


@dataclass(eq=False)
class WatchedClient:
    """`name` is what the log calls it; `taken` how far it was when last seen, at `since` (monotonic seconds).

    `unread`: what it then had and had not read, where that is known.
    """

    client: socket.socket
    name: str
    since: float
    taken: int = -1
    unread: int | None = None


class Watch:
    """Watches sockets that are written to.

    A client is cut when, for so long, there was something to take and it took
    nothing: then the write ends with an error, and what the answer held is freed."""

    def __init__(
        self, stalled_seconds: float, unread: Callable[[socket.socket], int | None] = tcp_options.unread
    ) -> None:
        self._stalled_seconds = stalled_seconds
        self._unread = unread
        self._watched: set[WatchedClient] = set()

    def __len__(self) -> int:
        return len(self._watched)

    @contextlib.contextmanager
    def over(self, client: socket.socket, name: str) -> Iterator[None]:
        watched = WatchedClient(client, name, time.monotonic())
        self._watched.add(watched)
        try:
            yield
        finally:
            self._watched.discard(watched)

    def run(self) -> None:
        """Look at all clients, for ever."""
        while True:
            time.sleep(self._stalled_seconds / LOOKS)
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Cut the clients that have stalled for too long at `now` (monotonic seconds)."""
        for watched in list(self._watched):
            allowed_seconds = self._allowed_seconds(watched)
            if allowed_seconds is None:
                watched.since = now
            elif now - watched.since >= allowed_seconds:
                self._cut(watched, now)

    def _allowed_seconds(self, watched: WatchedClient) -> float | None:
        """Return the seconds that a client may go on so; `None`: it has moved, or has nothing to
        take, or is not known.
        """
        progress = tcp_options.progress(watched.client)
        taken, watched.taken = watched.taken, progress.taken if progress else -1
        if progress is None or not progress.owed or progress.taken != taken:
            watched.unread = None
            return None
        unread, watched.unread = watched.unread, self._unread(watched.client)
        if unread is None or watched.unread is None:
            return self._stalled_seconds * ELSEWHERE
        return self._stalled_seconds if watched.unread == unread else None

    def _cut(self, watched: WatchedClient, now: float) -> None:
        """Reset the connection: what the client has is not the whole, and what is on its way to it
        would be held for minutes.
        """
        log.info("%s: the client took nothing for %d s, and is cut", watched.name, now - watched.since)
        self._watched.discard(watched)
        tcp_options.reset_on_close(watched.client)
        tcp_options.hang_up(watched.client)
