"""Read the state of a TCP connection from Linux, and set how it closes (tcp(7), linux/tcp.h)."""

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

#: Of linux/netlink.h, sock_diag.h and inet_diag.h; where in the answer the peer's unread bytes are.
_SOCK_DIAG, _BY_FAMILY, _REQUEST, _ANY_COOKIE, _UNREAD_AT = 4, 20, 1, (0xFFFFFFFF, 0xFFFFFFFF), 72


@dataclass(frozen=True)
class Progress:
    """How far a peer is. `owed`: there are bytes for it to take. `taken` grows with what it takes.

    Not the bytes acknowledged alone: a window that opens tells as well that somebody reads. `over`: the connection is
    gone as a whole. `half`: the peer has closed, or its sending side alone, as HTTP allows; both look alike.
    """

    owed: bool
    taken: int
    over: bool
    half: bool


def progress(client: socket.socket) -> Progress | None:
    """Return how far the peer is; `None` where Linux does not tell: no TCP, or a socket that has
    ended.
    """
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


def unread(client: socket.socket) -> int | None:
    """Return the bytes that the peer has not read, where the peer is on this machine; else `None`.

    There a window tells little: one segment may fill a whole buffer, which is free only when all of it was read.
    """
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _SOCK_DIAG) as kernel:
            kernel.sendto(_question(client), (0, 0))
            answer = kernel.recv(4096)
    except (OSError, ValueError):
        return None
    kind, *_ = struct.unpack_from("=H", answer, 4)
    return int(struct.unpack_from("=I", answer, _UNREAD_AT)[0]) if kind == _BY_FAMILY else None


def _question(client: socket.socket) -> bytes:
    """Return the request for the connection as seen from the other side (sock_diag(7))."""
    (ours, our_port), (theirs, their_port) = client.getsockname()[:2], client.getpeername()[:2]
    addresses = [socket.inet_pton(client.family, address).ljust(16, b"\0") for address in (theirs, ours)]
    question = struct.pack("=BBxxI", client.family, socket.IPPROTO_TCP, 0xFFFFFFFF)
    question += struct.pack("!HH", their_port, our_port) + b"".join(addresses) + struct.pack("=III", 0, *_ANY_COOKIE)
    return struct.pack("=IHHII", 16 + len(question), _BY_FAMILY, _REQUEST, 0, 0) + question


def reset_on_close(client: socket.socket) -> None:
    """Make the close a reset, which no client takes for a complete transfer."""
    with contextlib.suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(client: socket.socket) -> None:
    """End the connection for whoever waits on it, as a peer could; gevent's `shutdown` would raise
    in them.
    """
    with contextlib.suppress(OSError):
        getattr(client, "_sock", client).shutdown(socket.SHUT_RDWR)


def _of(info: bytes, field: tuple[int, str]) -> int:
    at, kind = field
    return int(struct.unpack_from(kind, info, at)[0])
