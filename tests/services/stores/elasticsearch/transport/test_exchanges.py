"""Requests end in time, and when nobody waits any more, whatever comes: over real sockets."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from services.stores.elasticsearch.transport.client import Client
from services.stores.elasticsearch.transport.exchanges import LOOK_SECONDS
from services.stores.elasticsearch.transport.retries import Late, Temporary

pytestmark = pytest.mark.slow

HEAD = b"HTTP/1.1 200 OK\r\nX-Elastic-Product: Elasticsearch\r\nContent-Type: application/json\r\n"

#: Seconds that an answer is awaited.
WAIT = 0.5


class Dripping:
    """Answers a byte at a time, as many as told; knows when its client has left."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.answer = b""
        self.pause = 0.05
        self.left = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection = self._listening.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._drip, args=(connection,), daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                try:
                    for at in range(len(self.answer)):
                        connection.sendall(self.answer[at : at + 1])
                        time.sleep(self.pause)
                except OSError:
                    break
            self.left.set()

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def peer() -> Iterator[Dripping]:
    found = Dripping()
    yield found
    found.close()


@pytest.fixture
def client(peer: Dripping) -> Iterator[Client]:
    found = Client([peer.url], timeout_seconds=WAIT)
    yield found
    found.close()


LONG = {
    "a long body": HEAD + b"Content-Length: 999\r\n\r\n" + b" " * 999,
    "a long header": HEAD + b"x: " + b"y" * 999,
    "long chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 99,
    "a long status": b"HTTP/1.1 200 " + b"O" * 999,
    "many continues": b"HTTP/1.1 100 Continue\r\n\r\n" * 99,
}


@pytest.mark.parametrize("answer", LONG.values(), ids=list(LONG))
def test_an_answer_that_drips(peer: Dripping, client: Client, answer: bytes) -> None:
    """A byte now and then is no sign that it will come in time; and its connection is closed."""
    peer.answer = answer
    began = time.monotonic()
    with pytest.raises(Late, match=r"no answer in time \(0\.5 s\)"):
        client.ask("GET", "/")
    assert time.monotonic() - began < WAIT + 3 * LOOK_SECONDS
    assert peer.left.wait(5)


def test_one_that_is_large_has_longer(peer: Dripping, client: Client) -> None:
    """Where it is told so: as long as it goes on coming."""
    peer.answer, peer.pause = HEAD + b"Content-Length: 20\r\n\r\n" + b" " * 20, 0.01
    assert client.ask("GET", "/", whole_times=10) == b" " * 20


def test_nobody_waits_any_more(peer: Dripping, client: Client) -> None:
    """Long before its time."""
    peer.answer = LONG["a long body"]
    ended = threading.Event()
    threading.Timer(0.1, ended.set).start()
    began = time.monotonic()
    with pytest.raises(Temporary):
        client.ask("GET", "/", wait_seconds=30, ended=ended)
    assert time.monotonic() - began < 5
    assert peer.left.wait(5)


def test_what_is_answered_in_time_stays(peer: Dripping, client: Client) -> None:
    """Its connection is used again; nothing of an exchange that is over disturbs the next."""
    peer.answer, peer.pause = HEAD + b"Content-Length: 2\r\n\r\n{}", 0
    for _ in range(50):
        assert client.ask("GET", "/") == b"{}"
    time.sleep(WAIT + 2 * LOOK_SECONDS)
    assert client.ask("GET", "/") == b"{}"
    assert not peer.left.is_set()


def test_nobody_is_there(client: Client, peer: Dripping) -> None:
    """No connection is another thing than no answer: it may be tried again."""
    peer.close()
    with pytest.raises(Temporary) as raised:
        Client(["http://127.0.0.1:9"], timeout_seconds=WAIT).ask("GET", "/")
    assert not isinstance(raised.value, Late)
