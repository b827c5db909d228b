"""What a connection tells of its client before the answer begins."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from routes.client_socket import INTERIM, ClientSocket
from tests.support.waiting import wait_until

Pair = tuple[ClientSocket, socket.socket]


def pair(protocol: str = "HTTP/1.1") -> Iterator[Pair]:
    """The server's side, and the client."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        with accepted:
            yield ClientSocket({"gunicorn.socket": accepted, "SERVER_PROTOCOL": protocol}), client


@pytest.fixture
def connection() -> Iterator[Pair]:
    yield from pair()


def test_who_waits_has_not_left(connection: Pair) -> None:
    """Whether it has sent more or not; it is sent nothing."""
    served, client = connection
    assert not served.has_left()
    client.sendall(b"GET /next HTTP/1.1\r\n\r\n")
    assert not served.has_left()
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(1)


def test_who_has_closed_has_left(connection: Pair) -> None:
    """Also when it had sent more."""
    served, client = connection
    client.sendall(b"more")
    client.close()
    wait_until(served.has_left)


def test_who_has_reset_has_left(connection: Pair) -> None:
    served, client = connection
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    wait_until(served.has_left)


def test_who_has_closed_its_own_side_still_reads(connection: Pair) -> None:
    """It is asked by an interim answer, once."""
    served, client = connection
    client.shutdown(socket.SHUT_WR)
    assert [served.has_left() for _ in range(100)] == [False] * 100
    assert client.recv(1000) == INTERIM
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(1)


def test_nothing_is_sent_once_the_answer_has_begun(connection: Pair) -> None:
    """It would be a part of it."""
    served, client = connection
    client.shutdown(socket.SHUT_WR)
    served.begins()
    assert not served.has_left()
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(1)


def test_http_1_0_knows_no_interim_answers() -> None:
    for served, client in pair("HTTP/1.0"):
        client.shutdown(socket.SHUT_WR)
        assert not served.has_left()
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(1)


@pytest.mark.parametrize("environ", [{}, {"gunicorn.socket": None}])
def test_a_server_that_does_not_tell(environ: dict[str, Any]) -> None:
    assert not ClientSocket(environ).has_left()
