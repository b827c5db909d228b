"""What Linux tells about a connection, and what it can be told (tcp(7), linux/tcp.h)."""

import contextlib
import select
import socket
import struct
from dataclasses import dataclass

#: Of `struct tcp_info`: segments sent and not acknowledged; bytes acknowledged; bytes not sent; bytes of the window
#: that the peer lets us send (Linux 5.4). At these places, and this long.
_UNACKED, _ACKED, _NOT_SENT, _WINDOW = (24, "I"), (120, "Q"), (144, "I"), (228, "I")
_INFO_BYTES = 232


@dataclass(frozen=True)
class Progress:
    """How far a peer is. `owed`: there is something that it could take. `taken` grows with what it takes.

    Not the bytes acknowledged alone: a window that opens tells as well that somebody reads.
    """

    owed: bool
    taken: int


def progress(client: socket.socket) -> Progress | None:
    """`None`: it is not known, as of what is no TCP, or ended."""
    try:
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return None
    if len(info) < _INFO_BYTES:
        return None
    return Progress(
        owed=bool(_of(info, _UNACKED) or _of(info, _NOT_SENT)),
        taken=_of(info, _ACKED) + _of(info, _WINDOW),
    )


def reset_on_close(client: socket.socket) -> None:
    """Make the close a reset, which no client takes for an end."""
    with contextlib.suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(client: socket.socket) -> None:
    """End it for whoever waits on it, as the peer could: not gevent's `shutdown`, which is an error to them."""
    with contextlib.suppress(OSError):
        getattr(client, "_sock", client).shutdown(socket.SHUT_RDWR)


def is_over(client: socket.socket) -> bool:
    """Whether the connection is gone as a whole. A peer that has only said its last is still there."""
    return bool(_polled(client, 0))


def has_said_its_last(client: socket.socket) -> bool:
    """The peer has closed, or only its sending side: both look alike."""
    return bool(_polled(client, select.POLLRDHUP))


def _polled(client: socket.socket, events: int) -> int:
    try:
        poll = select.poll()
        poll.register(client, events)
        found = poll.poll(0)
    except (OSError, ValueError):
        return select.POLLERR
    return found[0][1] if found else 0


def _of(info: bytes, field: tuple[int, str]) -> int:
    at, kind = field
    return int(struct.unpack_from(kind, info, at)[0])
