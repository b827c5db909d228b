"""Exchanges: requests under way, each ended in time, even when an answer comes a byte a second.

A socket's own timeout begins again with every byte. What ends an exchange closes its connection,
and Elasticsearch cancels what it was doing for it.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from elastic_transport import NodeConfig, Urllib3HttpNode

#: Seconds between two looks at what is under way.
LOOK_SECONDS = 0.2


class Exchange:
    """One request and its answer. `ended`: set when nobody wants the answer any more."""

    def __init__(self, seconds: float, ended: threading.Event | None = None) -> None:
        self._due = time.monotonic() + seconds
        self._ended = ended
        self.connection: Any = None
        self.is_sent = False
        self.was_cut = False

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self._due or (self._ended is not None and self._ended.is_set())

    def cut(self) -> None:
        """Close the connection, so that whoever reads the answer reads its end.

        Where there is no connection yet, the next look does it.
        """
        self.was_cut = True
        sock = getattr(self.connection, "sock", None)
        if sock is not None and self.connection.exchange is self:  # not somebody else's by now
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class Exchanges:
    """Watches the exchanges of one client, in a thread that runs while there are any."""

    def __init__(self) -> None:
        self._under_way: set[Exchange] = set()
        self._changing = threading.Lock()
        self._looking = False
        self._own = threading.local()

    @property
    def current(self) -> Exchange | None:
        """The exchange of this thread, if it has one."""
        return getattr(self._own, "exchange", None)

    @contextlib.contextmanager
    def watched(self, exchange: Exchange) -> Iterator[None]:
        self._own.exchange = exchange
        with self._changing:
            self._under_way.add(exchange)
            if not self._looking:
                self._looking = True
                threading.Thread(target=self._look, name="watch-exchanges", daemon=True).start()
        try:
            yield
        finally:
            self._own.exchange = None
            with self._changing:
                self._under_way.discard(exchange)

    def _look(self) -> None:
        """Cut what is over, until nothing is under way."""
        while True:
            time.sleep(LOOK_SECONDS)
            with self._changing:
                if not self._under_way:
                    self._looking = False
                    return
                for exchange in self._under_way:
                    if exchange.is_over:
                        exchange.cut()


def node_class(exchanges: Exchanges) -> type[Urllib3HttpNode]:
    """Return a class of nodes that tell each exchange its connection."""

    class Node(Urllib3HttpNode):
        def __init__(self, config: NodeConfig) -> None:
            super().__init__(config)
            self.pool.ConnectionCls = connection_class(self.pool.ConnectionCls, exchanges)

    return Node


def connection_class(connections: Any, exchanges: Exchanges) -> Any:
    """Return a class of connections that tell their exchange when they are used."""

    class Connection(connections):  # type: ignore[misc]
        exchange: Exchange | None = None

        def request(self, *arguments: Any, **options: Any) -> None:
            self.exchange = exchange = exchanges.current
            if exchange is not None:
                exchange.connection = self
            super().request(*arguments, **options)
            if exchange is not None:
                exchange.is_sent = True

    return Connection
