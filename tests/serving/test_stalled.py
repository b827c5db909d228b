"""Who is cut for taking nothing, over real connections; time is told to the look."""

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest

from routes import tcp_options
from serving.stalled import Watch
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

SECONDS = 5

#: More than all buffers between two ends hold.
MUCH = 32 * 1024 * 1024

Connect = Callable[[], tuple[socket.socket, socket.socket]]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Our end and the client's."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def connected() -> tuple[socket.socket, socket.socket]:
            client = stack.enter_context(socket.create_connection(listener.getsockname(), timeout=10))
            ours = stack.enter_context(listener.accept()[0])
            ours.setblocking(False)
            return ours, client

        yield connected


def fill(ours: socket.socket) -> None:
    """Until there is no room for more."""
    with contextlib.suppress(BlockingIOError):
        for _ in range(MUCH // 65536):
            ours.send(b"x" * 65536)


def is_cut(client: socket.socket) -> bool:
    """What has arrived is read first."""
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def settle(ours: socket.socket) -> None:
    """Until nothing moves any more."""
    seen: list[tcp_options.Progress | None] = []

    def is_still() -> bool:
        seen.append(tcp_options.progress(ours))
        return len(seen) > 10 and len(set(seen[-10:])) == 1

    wait_until(is_still)


def test_one_that_takes_nothing_is_cut(connect: Connect) -> None:
    """Not before its time; by a reset."""
    watch = Watch(SECONDS)
    ours, client = connect()
    with watch.over(ours, "it"):
        fill(ours)
        settle(ours)
        watch.look(100)
        watch.look(101)
        watch.look(100 + SECONDS - 0.1)
        assert len(watch) == 1
        watch.look(100 + SECONDS)
        assert len(watch) == 0
    with pytest.raises(OSError, match="Broken pipe"):
        ours.send(b"x")
    ours.close()
    assert is_cut(client)


def test_one_elsewhere_is_given_longer(connect: Connect) -> None:
    """Where its kernel alone knows what it has read."""
    watch = Watch(SECONDS, unread=lambda _: None)
    ours, client = connect()
    with watch.over(ours, "it"):
        fill(ours)
        settle(ours)
        watch.look(0)
        watch.look(SECONDS)
        assert len(watch) == 1
        watch.look(2 * SECONDS)
        assert len(watch) == 0
    ours.close()
    assert is_cut(client)


def test_one_that_takes_a_byte_lives(connect: Connect) -> None:
    """Though nothing of it is seen outside of its kernel."""
    watch = Watch(SECONDS)
    ours, client = connect()
    with watch.over(ours, "it"):
        fill(ours)
        settle(ours)
        before = tcp_options.progress(ours)
        for turn in range(10):
            watch.look(turn * SECONDS)
            client.recv(1)
        assert tcp_options.progress(ours) == before
        assert len(watch) == 1


@pytest.mark.parametrize("unread", [tcp_options.unread, lambda _: None])
def test_one_that_takes_a_little_lives(connect: Connect, unread: Callable[[socket.socket], int | None]) -> None:
    """However long it goes on, here and elsewhere."""
    watch = Watch(SECONDS, unread)
    ours, client = connect()
    with watch.over(ours, "it"):
        for turn in range(10):
            fill(ours)
            settle(ours)
            watch.look(turn * SECONDS)
            client.recv(4 * 1024 * 1024)
            settle(ours)
        assert len(watch) == 1


def test_one_that_is_given_nothing_lives(connect: Connect) -> None:
    """A download that waits for its own store is not the client's fault, nor is one that is done."""
    watch = Watch(SECONDS)
    ours, client = connect()
    with watch.over(ours, "it"):
        watch.look(0)
        watch.look(10 * SECONDS)
        ours.send(b"taken")
        assert client.recv(5) == b"taken"
        settle(ours)
        watch.look(20 * SECONDS)
        watch.look(40 * SECONDS)
        assert len(watch) == 1
    assert len(watch) == 0


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_what_a_peer_on_this_machine_has_not_read(family: socket.AddressFamily, address: str) -> None:
    """To the byte, by either protocol."""
    with (
        socket.create_server((address, 0), family=family) as listener,
        socket.create_connection(listener.getsockname()[:2]) as client,
        listener.accept()[0] as ours,
    ):
        ours.sendall(b"x" * 1000)
        wait_until(lambda: tcp_options.unread(ours) == 1000)
        assert client.recv(1)
        assert tcp_options.unread(ours) == 999
        client.close()
        wait_until(lambda: tcp_options.unread(ours) is None)


def test_what_is_no_tcp_is_left_alone() -> None:
    ours, theirs = socket.socketpair()
    watch = Watch(SECONDS)
    with ours, theirs, watch.over(ours, "it"):
        watch.look(0)
        watch.look(10 * SECONDS)
        assert len(watch) == 1
