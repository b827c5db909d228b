"""Which requests become WebSockets, and how many, over pairs of sockets."""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from werkzeug.test import create_environ, run_wsgi_app
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection

from actions.dispatcher import Dispatcher
from actions.session import Session
from routes.websocket.middleware import WebSockets
from tests.support.waiting import wait_until

HEADERS = {
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "WebSocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}

#: What the RFC answers to that key (section 1.3).
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

Open = Callable[[], socket.socket]


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"not taken"]


@pytest.fixture
def live() -> WebSockets:
    """That holds two at a time."""
    return WebSockets(
        application,
        lambda _: Session(Dispatcher({}), base_url="", expires_at=lambda _: None, clock=lambda: 0),
        origins=("*",),
        most=2,
    )


def environ(**others: Any) -> dict[str, Any]:
    return create_environ("/", headers=HEADERS) | {"SERVER_PROTOCOL": "HTTP/1.1"} | others


@pytest.fixture
def open_one(live: WebSockets) -> Iterator[Open]:
    """The client's end of a new one; all are closed at the end."""
    held: list[tuple[socket.socket, threading.Thread]] = []

    def open_one() -> socket.socket:
        ours, theirs = socket.socketpair()
        theirs.settimeout(10)
        thread = threading.Thread(target=hold, args=(live, ours))
        thread.start()
        held.append((theirs, thread))
        return theirs

    yield open_one
    for theirs, thread in held:
        theirs.close()
        thread.join(10)
        assert not thread.is_alive()


def hold(live: WebSockets, ours: socket.socket) -> None:
    """As gunicorn does: `StopIteration` tells it to close."""
    with pytest.raises(StopIteration):
        live(environ(**{"gunicorn.socket": ours}), None)
    ours.close()


def refused(live: WebSockets) -> int:
    """The status of one that is not opened."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        _, status, headers = run_wsgi_app(live, environ(**{"gunicorn.socket": ours}))
    assert headers["Content-Type"] == "application/json"
    return int(status.split()[0])


def test_the_answer_is_the_one_of_the_rfc(open_one: Open) -> None:
    head = open_one().recv(4096)
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert ACCEPT in head


def test_all_else_goes_to_the_application(live: WebSockets) -> None:
    """As does a WebSocket where the server hands out no socket."""
    for other in (create_environ("/"), create_environ("/", headers={"Upgrade": "h2c"}), environ()):
        body, _, _ = run_wsgi_app(live, other)
        assert list(body) == [b"not taken"]


def test_no_more_than_a_process_may_hold(live: WebSockets, open_one: Open) -> None:
    """The next is told to come back; a place that is free again is given again."""
    first, second = open_one(), open_one()
    assert first.recv(4096)
    assert second.recv(4096)
    assert refused(live) == 503
    first.close()
    wait_until(lambda: live.held < 2)
    assert open_one().recv(4096).startswith(b"HTTP/1.1 101")


def test_leaving(live: WebSockets, open_one: Open) -> None:
    """Who is there is told to go elsewhere, and so is who comes."""
    client = open_one()
    client.recv(4096)
    live.leave()
    connection = Connection(ConnectionType.CLIENT)
    connection.receive_data(client.recv(4096))
    assert list(connection.events()) == [CloseConnection(1001, "")]
    assert refused(live) == 503
