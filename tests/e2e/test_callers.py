"""Callers that do not ask, ask slowly, or do not speak HTTP, on real sockets: nobody else feels it."""

import contextlib
import json
import select
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import Served
from tests.support.flood import flood
from tests.support.health import Health, healthy
from tests.support.service import Service, service
from tests.support.waiting import wait_until
from tests.support.websocket import answer, connect

#: Seconds; as settings.
HEADERS_SECONDS, BODY_SECONDS = 2, 3

#: Seconds that a busy machine may add.
SLACK_SECONDS = 2

#: Connections of a flood: more than a worker holds.
FLOOD = 3000

LARGEST = 1024 * 1024

EXPORT = "/_/device-manager/{engine}/assets/Container-c1/measures/_export"


@pytest.fixture(scope="module")
def brisk(embedded: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One worker, which does not wait for long."""
    environ = {
        **embedded.environ,
        "WEB_CONCURRENCY": "1",
        "REQUEST_HEADERS_SECONDS": str(HEADERS_SECONDS),
        "REQUEST_BODY_SECONDS": str(BODY_SECONDS),
    }
    with service(environ, tmp_path_factory.mktemp("callers") / "log") as running:
        yield Served(running, environ, embedded.engine)


def post(served: Served, *headers: str) -> bytes:
    """The head of a request that prepares an export."""
    path = EXPORT.format(engine=served.engine)
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: h", *headers, "", ""]).encode()


def told(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and envelope of the answer; what it is, its headers and its body agree on."""
    status, headers, text = answer(connection)
    while len(text) < int(headers["content-length"]):
        text += connection.recv(65536)
    envelope = json.loads(text)
    assert headers["content-type"] == "application/json"
    assert (envelope["status"], envelope["requestId"]) == (status, headers["x-kuzzle-request-id"])
    return status, envelope


def is_closed(connection: socket.socket) -> bool:
    """By the service, within the patience of `connect`."""
    with contextlib.suppress(ConnectionResetError):
        return connection.recv(1) == b""
    return True


def refusal(served: Served, *pieces: bytes, ends: bool = False) -> tuple[int, str]:
    """Status and message of the only answer to what is sent; then the connection is closed."""
    with connect(served.service.url) as connection:
        for piece in pieces:
            connection.sendall(piece)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        status, envelope = told(connection)
        assert envelope["result"] is None
        assert is_closed(connection)
        return status, envelope["error"]["message"]


CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"-1\r\n{}\r\n0\r\n\r\n",
        b"+2\r\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b" 2\r\n{}\r\n0\r\n\r\n",
        b"\r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n" + b"x" * 8300,
        b"2\r\n{}0\r\n\r\n",
        b"2\r\n{}xx0\r\n\r\n",
        b"1\r\n{}\r\n0\r\n\r\n",
        b"2;\x01=1\r\n{}\r\n0\r\n\r\n",
        b'2;a="b\r\n{}\r\n0\r\n\r\n',
        b"2;a=" + b"x" * 20_000 + b"\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n",
        b"2\r\n{}\r\n0\r\nno trailer\r\n\r\n",
        b"2\r\n{}\r\n0\r\na: b\r\n c\r\n\r\n",
        b"2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        b"2\r\n{}\r\n0\r\nx: \x00\r\n\r\n",
        b"2\r\n{}\r\n\xef\xbc\x90\r\n\r\n",
    ],
)
def test_malformed_chunks(brisk: Served, body: bytes) -> None:
    """A 400 of ours, and the connection ends: nobody knows where the next request would begin."""
    status, message = refusal(brisk, post(brisk, CHUNKED), body)
    assert (status, message.startswith("The body is not sent as HTTP wants it: ")) == (400, True)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["Content-Length: 10"], b'{"size":1'),
        (["Content-Length: 10"], b""),
        (["Content-Length: 1000000"], b"{}"),
        ([CHUNKED], b""),
        ([CHUNKED], b"2"),
        ([CHUNKED], b"2\r\n"),
        ([CHUNKED], b"2\r\n{"),
        ([CHUNKED], b"2\r\n{}"),
        ([CHUNKED], b"2\r\n{}\r"),
        ([CHUNKED], b"2\r\n{}\r\n"),
        ([CHUNKED], b"2\r\n{}\r\n0"),
        ([CHUNKED], b"2\r\n{}\r\n0\r\n"),
        ([CHUNKED], b"2\r\n{}\r\n0\r\na: b\r\n"),
    ],
)
def test_a_body_that_ends_early_is_never_taken_as_whole(brisk: Served, headers: list[str], body: bytes) -> None:
    assert refusal(brisk, post(brisk, *headers), body, ends=True)[0] == 400


@pytest.mark.parametrize("chunk", [b"fffff", b"1000000", b"fffffffffffffffff", b"f" * 8000])
def test_a_chunk_that_announces_much(brisk: Served, chunk: bytes) -> None:
    """Its bytes are read as they come, and no more of them than a body may hold."""
    assert refusal(brisk, post(brisk, CHUNKED), chunk + b"\r\n{}", ends=True)[0] == 400


@pytest.mark.parametrize("chunk", [LARGEST + 1, 65536, 1000])
def test_a_chunked_body_over_a_megabyte(brisk: Served, chunk: int) -> None:
    """Is too large, even where it begins with a whole body."""
    body, sent = b"{}" + b" " * LARGEST, b""
    for start in range(0, len(body), chunk):
        piece = body[start : start + chunk]
        sent += b"%x\r\n%s\r\n" % (len(piece), piece)
    with connect(brisk.service.url) as connection:
        connection.sendall(post(brisk, CHUNKED) + sent + b"0\r\n\r\n")
        status, envelope = told(connection)
    assert (status, envelope["error"]["id"]) == (413, "network.http.request_too_large")


@pytest.mark.parametrize("headers", [[f"Content-Length: {LARGEST}"], [CHUNKED]])
def test_a_body_of_a_megabyte(brisk: Served, headers: list[str]) -> None:
    """Is read, and the connection is kept."""
    body = b"{}" + b" " * (LARGEST - 2)
    sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if headers == [CHUNKED] else body
    with connect(brisk.service.url) as connection:
        for _ in range(2):
            connection.sendall(post(brisk, *headers) + sent)
            assert told(connection)[0] == 200


def test_extensions_and_trailers_are_no_mistake(brisk: Served) -> None:
    """They are HTTP; nothing is done with them. The next request is read where it begins."""
    body = b'2;name="a b";other\r\n{}\r\n0\r\nX-Trailer: yes\r\n\r\n'
    with connect(brisk.service.url) as connection:
        for _ in range(2):
            connection.sendall(post(brisk, CHUNKED) + body)
            assert told(connection)[0] == 200


def test_continue(brisk: Served) -> None:
    """curl waits for it before it sends a large body."""
    with connect(brisk.service.url) as connection:
        connection.sendall(post(brisk, "Content-Length: 2", "Expect: 100-continue"))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert told(connection)[0] == 200


TOKEN = "eyJhIjoic2VjcmV0In0.Zm9vYmFy.c2lnbmF0dXJl"
LINK = f"/_/device-manager/e/assets/a/measures/_export/x?jwt={TOKEN}"


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (f"GET {LINK}{'x' * 9000} HTTP/1.1\r\n\r\n", 414),
        (f"GET {LINK} HTTP/1.1\r\nX: {'x' * 9000}\r\n\r\n", 431),
        (f"GET {LINK} HTTP/1.1\r\n" + "X: y\r\n" * 101 + "\r\n", 431),
        (f"GET {LINK} HTTP/3.0\r\n\r\n", 400),
        (f"GET {LINK} HTTP/1.1 \r\n\r\n", 400),
        (f"GET {LINK}\r\n\r\n", 400),
        (f"GET  {LINK} HTTP/1.1\r\n\r\n", 400),
        (f"GET {LINK} x HTTP/1.1\r\n\r\n", 400),
        (f"GET {LINK}\x01 HTTP/1.1\r\n\r\n", 400),
        (f"GET {LINK}\xe9 HTTP/1.1\r\n\r\n", 400),
        (f"GET {LINK} HTTP/1.1\nHost: h\n\n", 400),
        (f"GET [{LINK} HTTP/1.1\r\n\r\n", 400),
        (f"GET http://[{LINK} HTTP/1.1\r\n\r\n", 400),
        (f"get {LINK} HTTP/1.1\r\n\r\n", 400),
        (f"{LINK} GET HTTP/1.1\r\n\r\n", 400),
        (f"GET {LINK} HTTP/1.1\r\n{TOKEN}\r\n\r\n", 400),
        (f"GET {LINK} HTTP/1.1\r\nX {TOKEN}: {TOKEN}\r\n\r\n", 400),
        (f"GET {LINK} HTTP/1.1\r\nX_{TOKEN}: 1\r\nContent-Length: {TOKEN}\r\n\r\n", 400),
        (f"GET {LINK} HTTP/1.1\r\nX: {TOKEN}\x00\r\n\r\n", 400),
        (f"GET {LINK} HTTP/1.1\r\nX: y\r\n {TOKEN}\r\n\r\n", 400),
        (f"GET {LINK} HTTP/1.1\r\nHost: a\r\nHost: {TOKEN}\r\n\r\n", 400),
        (f"GET {LINK} HTTP/1.1\r\nExpect: {TOKEN}\r\n\r\n", 417),
        (f"POST {LINK} HTTP/1.1\r\nTransfer-Encoding: {TOKEN}\r\n\r\n", 501),
        (f"POST {LINK} HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (f"POST {LINK} HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", 400),
        (f"POST {LINK} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (f"POST {LINK} HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", 400),
        (f"POST {LINK} HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}", 400),
        (f"POST {LINK} HTTP/1.1\r\nContent-Length: -2\r\n\r\n{{}}", 400),
        (f"POST {LINK} HTTP/1.1\r\nContent-Length: ²\r\n\r\n{{}}".encode().decode("latin-1"), 400),
        (f"GET {LINK} HTTP/1.1\r\nX: {'x' * 8000}\r\n" * 150, 431),
    ],
)  # fmt: skip
def test_what_is_no_http(brisk: Served, request_text: str, status: int) -> None:
    """An envelope, and no log holds what was sent."""
    assert refusal(brisk, request_text.encode("latin-1"))[0] == status
    log = brisk.service.log()
    assert TOKEN not in log
    assert "Traceback" not in log


def test_no_log_holds_the_token_of_a_request_that_breaks_off(brisk: Served) -> None:
    """Within its line, its headers, its body; by an end or by a reset."""
    whole = f"POST {LINK} HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n{{}}".encode()
    for length in range(60, len(whole), 7):
        with connect(brisk.service.url) as connection:
            connection.sendall(whole[:length])
    with Health(brisk.service):
        assert TOKEN not in brisk.service.log()


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (b"G", HEADERS_SECONDS),
        (b"GET /_healthz HTTP/1.1\r\nHost: h\r\n", HEADERS_SECONDS),
        (b"POST /_query HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n", BODY_SECONDS),
        (b"POST /_query HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", BODY_SECONDS),
        (b"POST /_query HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n{", BODY_SECONDS),
    ],
)
@pytest.mark.parametrize("trickles", [False, True])
def test_the_rest_of_a_request_is_awaited_for_so_long(brisk: Served, sent: bytes, seconds: int, trickles: bool) -> None:
    """As a whole: a byte now and then buys no time."""
    with connect(brisk.service.url) as connection:
        began = time.monotonic()
        connection.sendall(sent)
        while not select.select([connection], [], [], 0.2)[0]:
            if trickles:
                connection.sendall(b"1")
        took = time.monotonic() - began
        status, envelope = told(connection)
    assert (status, envelope["error"]["message"].endswith("did not come in time.")) == (408, True)
    assert seconds - 0.1 < took < seconds + SLACK_SECONDS


def test_one_that_says_nothing_is_closed_without_a_word(brisk: Served) -> None:
    """Browsers open connections ahead, and would take a word for the answer to their next request."""
    with connect(brisk.service.url) as connection:
        began = time.monotonic()
        assert connection.recv(1) == b""
    assert HEADERS_SECONDS - 0.1 < time.monotonic() - began < HEADERS_SECONDS + SLACK_SECONDS


def test_idle_connections_delay_no_stop(mortal: Served) -> None:
    """Neither one that has never asked nor one that is kept for the next request."""
    with connect(mortal.service.url), connect(mortal.service.url) as kept:
        kept.sendall(KEPT)
        assert answer(kept)[0] == 200
        began = time.monotonic()
        mortal.service.terminate()
        assert mortal.service.wait() == 0
    assert time.monotonic() - began < SLACK_SECONDS + 2


NOTHING = b""
HALF = b"GET /_healthz HTTP/1.1\r\nHost: h\r\n"
NO_BODY = b"POST /_query HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"
NO_CHUNK = b"POST /_query HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
KEPT = b"GET /_healthz HTTP/1.1\r\nHost: h\r\n\r\n"
BROKEN = b"no HTTP\r\n\r\n"


@pytest.mark.parametrize("sent", [NOTHING, HALF, NO_BODY, NO_CHUNK, KEPT, BROKEN])
def test_health_answers_during_a_flood(
    mortal: Served, idle: Service, sent: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """However many have come and do not ask: with the times that are the default, by the one worker there is."""
    with healthy(mortal.service, idle) as health, flood(mortal.service.url, sent, FLOOD):
        end = time.monotonic() + 2
        wait_until(lambda: time.monotonic() > end)
    with capsys.disabled():
        print(f"\n{FLOOD} connections that sent {sent[:40]!r}: health {health}")
    assert "Traceback" not in mortal.service.log()
