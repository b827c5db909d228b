"""How long a silent client is kept, over a pair of sockets."""

import socket
import threading
from collections.abc import Iterator

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import Ping

from actions.desk import Desk
from actions.talk import Talk
from routes.conversation import Conversation, Patience

#: Seconds; short, but long beside what an answer takes.
PATIENCE = Patience(ping_seconds=0.2, silent_seconds=0.4)


@pytest.fixture
def client() -> Iterator[socket.socket]:
    """The other end of an open conversation."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(10)
    talk = Talk(Desk({}), base_url="", expires_at=lambda _: None, clock=lambda: 0)
    held = threading.Thread(target=hold, args=(ours, Conversation(ours, talk, PATIENCE)))
    held.start()
    yield theirs
    theirs.close()
    held.join(10)
    assert not held.is_alive()


def hold(connection: socket.socket, conversation: Conversation) -> None:
    """And close, as gunicorn does."""
    conversation.hold(b"")
    connection.close()


def test_a_silent_client_is_pinged_and_then_given_up(client: socket.socket) -> None:
    """It may have gone without a word."""
    assert client.recv(100) == b"\x89\x00"
    assert client.recv(100) == b""


def test_an_idle_client_that_answers_is_kept(client: socket.socket) -> None:
    """Browsers answer pings by themselves, for hours."""
    connection = Connection(ConnectionType.CLIENT)
    for _ in range(6):
        connection.receive_data(client.recv(100))
        (event,) = connection.events()
        assert isinstance(event, Ping)
        client.sendall(connection.send(event.response()))
