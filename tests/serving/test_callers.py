"""Who is awaited, for how long, and who has to go when there are too many; over pairs of sockets."""

import socket
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from services.errors import RequestTimeout
from serving.callers import RequestSocket, RequestTimeouts, WaitingRoom
from tests.support.waiting import wait_until

LONG = RequestTimeouts(first_seconds=30, next_seconds=30, headers_seconds=30, body_seconds=30)
SHORT = RequestTimeouts(first_seconds=0.1, next_seconds=0.1, headers_seconds=0.1, body_seconds=0.1)


class Pair:
    """A caller, the client's end of its socket, and what the caller has heard so far."""

    def __init__(self, room: WaitingRoom, timeouts: RequestTimeouts = LONG) -> None:
        ours, self.client = socket.socketpair()
        self.caller = RequestSocket(ours, room, timeouts)
        self.heard: list[bytes] = []
        self._listening: list[threading.Thread] = []

    def listen(self) -> None:
        """In a thread of its own, once."""
        self._listening.append(threading.Thread(target=lambda: self.heard.append(self.caller.recv(100))))
        self._listening[-1].start()

    def close(self) -> None:
        self.client.close()
        for thread in self._listening:
            thread.join()
        self.caller.close()

    def has_heard(self, piece: bytes) -> bool:
        return self.heard == [piece]


@pytest.fixture
def room() -> WaitingRoom:
    return WaitingRoom(2)


@pytest.fixture
def pairs(room: WaitingRoom) -> Iterator[list[Pair]]:
    """Three, of whom the room holds two."""
    made = [Pair(room) for _ in range(3)]
    yield made
    for pair in made:
        pair.close()


def test_who_waits_the_longest_has_to_go(pairs: list[Pair], room: WaitingRoom) -> None:
    """And is told as if its client had left; the others are heard."""
    first, second, third = pairs
    first.listen()
    wait_until(lambda: len(room) == 1)
    second.listen()
    wait_until(lambda: len(room) == 2)
    third.listen()
    wait_until(lambda: first.has_heard(b""))
    with pytest.raises(ConnectionResetError):
        first.caller.check()
    for pair in (second, third):
        pair.client.sendall(b"here")
        wait_until(partial(pair.has_heard, b"here"))
        pair.caller.check()
    assert len(room) == 0


def test_who_was_heard_waits_anew(pairs: list[Pair], room: WaitingRoom) -> None:
    """It is not the first to go any more."""
    first, second, third = pairs
    first.listen()
    wait_until(lambda: len(room) == 1)
    second.listen()
    wait_until(lambda: len(room) == 2)
    first.client.sendall(b"here")
    wait_until(lambda: first.has_heard(b"here"))
    first.listen()
    wait_until(lambda: len(room) == 2)
    third.listen()
    wait_until(lambda: second.has_heard(b""))
    assert first.heard == [b"here"]


@pytest.mark.parametrize("answered", [False, True])
def test_one_that_does_not_ask_ends_without_a_word(room: WaitingRoom, answered: bool) -> None:
    pair = Pair(room, SHORT)
    if answered:
        pair.caller.is_answered()
    assert pair.caller.recv(100) == b""
    pair.close()


def test_headers_that_do_not_come(room: WaitingRoom) -> None:
    """From their first byte on."""
    pair = Pair(room, SHORT)
    pair.client.sendall(b"G")
    assert pair.caller.recv(100) == b"G"
    with pytest.raises(RequestTimeout, match="The headers of the request did not come in time"):
        pair.caller.recv(100)
    pair.close()


def test_a_body_that_does_not_come(room: WaitingRoom) -> None:
    pair = Pair(room, SHORT)
    pair.caller.owes_body()
    with pytest.raises(RequestTimeout, match="The body of the request did not come in time"):
        pair.caller.recv(100)
    pair.close()


def test_a_refusal_arrives_though_more_is_sent(room: WaitingRoom) -> None:
    """To close over what was not read would take it along."""
    pair = Pair(room)
    pair.client.sendall(b"x" * 100_000)
    refusing = threading.Thread(target=pair.caller.refuse, args=(b"no",))
    refusing.start()
    pair.client.sendall(b"x" * 100_000)
    pair.client.shutdown(socket.SHUT_WR)
    refusing.join(10)
    pair.caller.close()
    assert pair.client.recv(100) == b"no"
    pair.client.close()
