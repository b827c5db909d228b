"""What Linux tells about a connection, and what it can be told (tcp(7), linux/tcp.h)."""

import contextlib
import socket
import struct
from dataclasses import dataclass

#: Of `struct tcp_info`: the state; segments sent and not acknowledged; bytes acknowledged; bytes not sent; bytes of the
#: window that the peer lets us send (Linux 5.4). At these places, and this long.
_STATE, _UNACKED, _ACKED, _NOT_SENT, _WINDOW = (0, "B"), (24, "I"), (120, "Q"), (144, "I"), (228, "I")
_INFO_BYTES = 232

#: States: ended, by a reset or by silence; the peer has said its last, we have not.
_CLOSE, _CLOSE_WAIT = 7, 8


@dataclass(frozen=True)
class Progress:
    """How far a peer is. `owed`: there is something that it could take. `taken` grows with what it takes.

    Not the bytes acknowledged alone: a window that opens tells as well that somebody reads. `over`: the connection is
    gone as a whole. `half`: the peer has closed, or its sending side alone, as HTTP allows; both look alike.
    """

    owed: bool
    taken: int
    over: bool
    half: bool


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
        over=_of(info, _STATE) == _CLOSE,
        half=_of(info, _STATE) == _CLOSE_WAIT,
    )


def reset_on_close(client: socket.socket) -> None:
    """Make the close a reset, which no client takes for an end."""
    with contextlib.suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(client: socket.socket) -> None:
    """End it for whoever waits on it, as the peer could: not gevent's `shutdown`, which is an error to them."""
    with contextlib.suppress(OSError):
        getattr(client, "_sock", client).shutdown(socket.SHUT_RDWR)


def _of(info: bytes, field: tuple[int, str]) -> int:
    at, kind = field
    return int(struct.unpack_from(kind, info, at)[0])
