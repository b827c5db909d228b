"""How long a silent client is kept, over a pair of sockets."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import Ping, TextMessage

from actions.dispatcher import Dispatcher
from actions.session import Session
from routes.websocket.connection import Timeouts, WebSocketConnection

#: Seconds; short, but long beside what an answer takes.
TIMEOUTS = Timeouts(ping_seconds=0.2, silent_seconds=0.4, goodbye_seconds=0.2)


class Held:
    """A conversation in a thread of its own, and the client's end of its socket."""

    def __init__(self) -> None:
        self._ours, self.client = socket.socketpair()
        self.client.settimeout(10)
        session = Session(Dispatcher({}), base_url="", expires_at=lambda _: None, clock=lambda: 0)
        self.connection = WebSocketConnection(self._ours, session, TIMEOUTS)
        self.thread = threading.Thread(target=self._hold)
        self.thread.start()

    def _hold(self) -> None:
        """And close, as gunicorn does."""
        self.connection.hold(b"")
        self._ours.close()


@pytest.fixture
def held() -> Iterator[Held]:
    found = Held()
    yield found
    found.client.close()
    found.thread.join(10)
    assert not found.thread.is_alive()


@pytest.fixture
def client(held: Held) -> socket.socket:
    return held.client


def test_a_silent_client_is_pinged_and_then_given_up(client: socket.socket) -> None:
    """It may have gone without a word."""
    assert client.recv(100) == b"\x89\x00"
    assert client.recv(100) == b""


@pytest.mark.slow
def test_an_idle_client_that_answers_is_kept(client: socket.socket) -> None:
    """Browsers answer pings by themselves, for hours."""
    connection = Connection(ConnectionType.CLIENT)
    for _ in range(6):
        connection.receive_data(client.recv(100))
        (event,) = connection.events()
        assert isinstance(event, Ping)
        client.sendall(connection.send(event.response()))


@pytest.mark.slow
def test_a_client_that_takes_nothing_delays_no_stop(held: Held) -> None:
    """It is cut, without the goodbye that it would not take either."""
    flood = Connection(ConnectionType.CLIENT).send(TextMessage(json.dumps({"volatile": "x" * 10_000}))) * 2000
    held.client.settimeout(0.5)
    with pytest.raises(TimeoutError):
        held.client.sendall(flood)
    held.connection.leave()
    held.thread.join(10)
    assert not held.thread.is_alive()
