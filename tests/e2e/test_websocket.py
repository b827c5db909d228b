"""WebSockets as users open them, on the port of everything else: a real socket, a real gunicorn."""

import json
import random
import select
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from tests.e2e.conftest import Served
from tests.support.health import Health
from tests.support.judge import judge
from tests.support.readers import PLAIN, SlowReaders
from tests.support.service import service
from tests.support.waiting import wait_until
from tests.support.websocket import WebSocket, answer, connect, opening

EXPORT = {"controller": "device-manager/assets", "action": "exportMeasures", "_id": "Container-c1"}
CHECK_TOKEN = {"controller": "auth", "action": "checkToken"}

LARGEST = 1024 * 1024

SECRET = "the secret that Kuzzle signs its tokens with"

#: What a worker may grow by while it is flooded: its heap is never quite what it was.
GROWTH_BYTES = 24 * 1024 * 1024

#: Milliseconds. Health at its slowest while the service is busy; a second is promised.
LONGEST_MS = 1000
FIRST_BYTE_MS = 3000


@pytest.fixture(scope="module")
def single(embedded: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One process: what one socket does, all others feel."""
    environ = {**embedded.environ, "WEB_CONCURRENCY": "1", "CORS_ORIGINS": "https://own.example"}
    with service(environ, tmp_path_factory.mktemp("live") / "log") as running:
        yield Served(running, environ, embedded.engine)


@pytest.fixture
def client(single: Served) -> Iterator[WebSocket]:
    with WebSocket(single.service.url) as opened:
        yield opened


def export(served: Served, **others: Any) -> dict[str, Any]:
    return {**EXPORT, "engineId": served.engine, **others}


@pytest.mark.parametrize("path", ["/", "/ws", "/any/where%2Felse?jwt=1", "/_healthz"])
def test_any_path(single: Served, path: str) -> None:
    with WebSocket(single.service.url, path=path) as opened:
        assert opened.ask(**CHECK_TOKEN, requestId="r")["room"] == "r"


@pytest.mark.parametrize(("asked", "echoed"), [(None, None), ("null", "null"), ("kuzzle, other", "kuzzle")])
def test_the_subprotocol_comes_back(single: Served, asked: str | None, echoed: str | None) -> None:
    """`null` too, which Kuzzle's SDK makes browsers send."""
    with WebSocket(single.service.url, {"Sec-WebSocket-Protocol": asked}) as opened:
        assert opened.headers.get("sec-websocket-protocol") == echoed
        assert "sec-websocket-extensions" not in opened.headers


@pytest.mark.parametrize(
    ("headers", "start", "status"),
    [
        ({"Sec-WebSocket-Version": "8"}, "", 426),
        ({"Sec-WebSocket-Version": None}, "", 426),
        ({"Sec-WebSocket-Key": None}, "", 400),
        ({"Sec-WebSocket-Key": "c2hvcnQ="}, "", 400),
        ({"Sec-WebSocket-Key": "not base64, not at all"}, "", 400),
        ({"Sec-WebSocket-Protocol": "ü"}, "", 400),
        ({"Connection": None}, "", 400),
        ({"Content-Length": "2"}, "", 400),
        ({}, "POST / HTTP/1.1", 405),
        ({}, "GET / HTTP/1.0", 400),
        ({"Origin": "https://other.example"}, "", 403),
        ({"Origin": "null"}, "", 403),
    ],
)  # fmt: skip
def test_openings_that_are_refused(single: Served, headers: dict[str, str | None], start: str, status: int) -> None:
    """By a real status and an envelope, as everywhere."""
    with connect(single.service.url) as connection:
        connection.sendall(opening(single.service.url, headers, start=start) + b"{}")
        found, told, body = answer(connection)
        while len(body) < int(told["content-length"]):
            body += connection.recv(4096)
    assert (found, json.loads(body)["status"]) == (status, status)
    assert told.get("sec-websocket-version") == ("13" if status == 426 else None)


@pytest.mark.parametrize("origin", [None, "https://own.example"])
def test_origins_that_may(single: Served, origin: str | None) -> None:
    """Those of CORS_ORIGINS, and what is no page."""
    with WebSocket(single.service.url, {"Origin": origin}) as opened:
        assert opened.status == 101


def test_an_export_over_a_socket_is_the_same_as_over_http(single: Served, client: WebSocket) -> None:
    """The link begins where the socket was opened, and downloads the same bytes."""
    result = client.ask(**export(single, size=5, type="temperature", body={"sort": {"measuredAt": "asc"}}))["result"]
    assert result["link"].startswith(f"{single.service.url}/_/device-manager/{single.engine}/assets/Container-c1/")
    over_http = single.link(params={"size": 5, "type": "temperature"}, json={"sort": {"measuredAt": "asc"}})
    assert requests.get(result["link"], timeout=30).content == requests.get(over_http, timeout=30).content


def test_a_link_begins_where_a_proxy_says_that_the_socket_was_opened(single: Served) -> None:
    headers = {"Host": "export.example", "X-Forwarded-Proto": "https"}
    with WebSocket(single.service.url, headers) as opened:
        assert opened.ask(**export(single))["result"]["link"].startswith("https://export.example/_/")


def test_devices(single: Served, client: WebSocket) -> None:
    device = {"controller": "device-manager/devices", "_id": "DummyTemp-d2"}
    assert client.ask(**export(single, **device))["result"]["fileName"] == "device-DummyTemp-d2.csv"


def test_pings_of_both_kinds(client: WebSocket) -> None:
    """Frames, and the text by which browsers do it."""
    client.send(Ping(b"payload"), TextMessage('{"p":1}'))
    assert (client.next(), client.hear()) == (Pong(b"payload"), '{"p":2}')


def test_messages_are_answered_in_order(client: WebSocket) -> None:
    """Those in bytes as well; an empty one has no answer."""
    client.say("", json.dumps({**CHECK_TOKEN, "requestId": "1"}))
    client.send(BytesMessage(json.dumps({**CHECK_TOKEN, "requestId": "2"}).encode()))
    client.say("{", json.dumps({**CHECK_TOKEN, "requestId": "3"}))
    assert [json.loads(client.hear()).get("room") for _ in range(4)] == ["1", "2", None, "3"]


@pytest.mark.parametrize("pieces", [1, 7])
def test_the_largest_message(client: WebSocket, pieces: int) -> None:
    """1 MB is answered, in how many frames it may come; a byte more is told, and ends the talk."""
    message = json.dumps({**CHECK_TOKEN, "requestId": "r"})
    client.send(*split(message.ljust(LARGEST), pieces))
    assert json.loads(client.hear())["room"] == "r"
    client.send(*split(message.ljust(LARGEST + 1), pieces))
    error = json.loads(client.hear())["error"]
    assert (error["status"], error["id"]) == (413, "network.http.request_too_large")
    assert client.next() == CloseConnection(1009, "")


def split(text: str, pieces: int) -> Iterator[TextMessage]:
    size = -(-len(text) // pieces)
    for start in range(0, len(text), size):
        yield TextMessage(text[start : start + size], message_finished=start + size >= len(text))


def test_a_message_far_too_large(client: WebSocket) -> None:
    """The answer arrives although the client is still sending."""
    sending = threading.Thread(target=send_all, args=(client.socket, client.frames(TextMessage("x" * 20 * LARGEST))))
    sending.start()
    assert json.loads(client.hear())["status"] == 413
    assert client.next() == CloseConnection(1009, "")
    client.socket.close()
    sending.join()


def send_all(connection: socket.socket, data: bytes) -> None:
    try:
        connection.sendall(data)
    except OSError:
        """The other side has closed."""


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x02hi", 1002),  # not masked
        (b"\x83\x80\x00\x00\x00\x00", 1002),  # an opcode that is none
        (b"\xc1\x80\x00\x00\x00\x00", 1002),  # compressed, which nobody agreed on
        (b"\x80\x80\x00\x00\x00\x00", 1002),  # the rest of nothing
        (b"\x89\xfe\x00\x80\x00\x00\x00\x00", 1002),  # a ping that is too long
        (b"\x81\x82\x00\x00\x00\x00\xff\xfe", 1007),  # text that is no UTF-8
        (b"\x88\x82\x00\x00\x00\x00\x03\xe8", 1000),  # a goodbye
    ],
)  # fmt: skip
def test_how_a_talk_ends(client: WebSocket, frame: bytes, code: int) -> None:
    """By the code that the RFC has for it, then by the end of the connection."""
    client.socket.sendall(frame)
    event = client.next()
    assert isinstance(event, CloseConnection)
    assert (event.code, client.socket.recv(100)) == (code, b"")


def test_a_token_that_expires_is_told(embedded: Served, tmp_path: Path) -> None:
    """Unasked, when it does."""
    environ = {**embedded.environ, "AUTH": "kuzzle-jwt", "KUZZLE_JWT_SECRET": SECRET, "WEB_CONCURRENCY": "1"}
    with service(environ, tmp_path / "log") as running, WebSocket(running.url) as opened:
        token = "kauth-" + jwt.encode({"_id": "bob", "exp": time.time() + 2}, SECRET)
        served = Served(running, environ, embedded.engine)
        assert opened.ask(**export(served), jwt=token)["status"] == 200
        assert json.loads(opened.hear())["type"] == "TokenExpired"
        assert opened.ask(**export(served), jwt=token)["error"]["id"] == "security.token.invalid"


def test_a_slow_answer_keeps_no_ping_waiting(embedded: Served, tmp_path: Path) -> None:
    """While a Kuzzle is asked that does not answer; what came after waits its turn."""
    with judge() as kuzzle:
        kuzzle.silent = True
        environ = {**embedded.environ, "AUTH": "kuzzle", "KUZZLE_URL": kuzzle.url, "WEB_CONCURRENCY": "1"}
        with service(environ, tmp_path / "log") as running, WebSocket(running.url) as opened:
            served = Served(running, environ, embedded.engine)
            opened.say(json.dumps(export(served, requestId="slow")), json.dumps(CHECK_TOKEN | {"requestId": "next"}))
            for _ in range(20):
                opened.send(Ping(b"p"), TextMessage('{"p":1}'))
                assert (opened.next(), opened.hear()) == (Pong(b"p"), '{"p":2}')
            kuzzle.thawed.set()
            assert [json.loads(opened.hear())["room"] for _ in range(2)] == ["slow", "next"]


def test_a_stopping_service_says_goodbye(embedded: Served, tmp_path: Path) -> None:
    """At once, in every worker, to a client that does not answer as well; new ones are sent elsewhere."""
    with service(embedded.environ, tmp_path / "log") as running:
        clients = [WebSocket(running.url) for _ in range(20)]
        began = time.monotonic()
        running.terminate()
        assert [opened.next() for opened in clients] == [CloseConnection(1001, "")] * 20
        seconds = time.monotonic() - began
        assert running.wait() == 0
    for opened in clients:
        opened.socket.close()
    assert seconds < 2


def memory(served: Served) -> int:
    """Bytes that its one worker has."""
    return int(served.service.workers[0].memory_info().rss)


def files(served: Served) -> int:
    return int(served.service.workers[0].num_fds())


def test_a_burst_of_messages(single: Served) -> None:
    """10,000 at once, some of them exports, are answered in order; others are served meanwhile, and nothing stays."""
    burst(single, 1000)
    before = memory(single)
    with Health(single.service) as health:
        assert burst(single, 10_000) == [str(number) for number in range(10_000)]
    assert memory(single) - before < GROWTH_BYTES
    assert health.longest_ms < LONGEST_MS


def burst(served: Served, size: int) -> list[str]:
    """The rooms of the answers."""
    kinds = [export(served), *[CHECK_TOKEN] * 19]
    messages = [json.dumps({**kinds[number % 20], "requestId": str(number)}) for number in range(size)]
    with WebSocket(served.service.url) as opened:
        frames = opened.frames(*[TextMessage(message) for message in messages])
        sending = threading.Thread(target=send_all, args=(opened.socket, frames))
        sending.start()
        rooms = [json.loads(opened.hear())["room"] for _ in messages]
        sending.join()
    return rooms


def test_clients_that_never_read(single: Served) -> None:
    """The service stops reading what they send, and keeps nothing of it once they are gone."""
    before, open_files = memory(single), files(single)
    clients = [WebSocket(single.service.url) for _ in range(20)]
    flood = clients[0].frames(TextMessage(json.dumps(CHECK_TOKEN | {"volatile": "x" * 10_000}))) * 2000
    with Health(single.service) as health:
        sending = [threading.Thread(target=send_all, args=(opened.socket, flood)) for opened in clients]
        for opened, thread in zip(clients, sending, strict=True):
            opened.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            opened.socket.settimeout(3)
            thread.start()
        for thread in sending:
            thread.join()
        held = memory(single)
    for opened in clients:
        opened.socket.close()
    wait_until(lambda: files(single) <= open_files)
    assert held - before < 2 * GROWTH_BYTES
    assert health.longest_ms < LONGEST_MS


def test_nonsense(single: Served) -> None:
    """Random bytes, huge frames, half messages: the service goes on, and nothing of them stays."""
    chance = random.Random(5)
    nonsense(single, chance)
    before, open_files = memory(single), files(single)
    with Health(single.service) as health:
        for _ in range(2):
            nonsense(single, chance)
    wait_until(lambda: files(single) <= open_files)
    assert memory(single) - before < GROWTH_BYTES
    assert health.longest_ms < LONGEST_MS
    with WebSocket(single.service.url) as opened:
        assert opened.ask(**export(single))["status"] == 200


def nonsense(served: Served, chance: random.Random) -> None:
    """A round of it, each on a connection of its own."""
    url = served.service.url
    for size in (1, 10, 1000, 100_000):
        for _ in range(10):
            after_opening(url, chance.randbytes(size))
            raw(url, opening(url)[: chance.randrange(150)] + chance.randbytes(size))
    for code in b"\x01\x02\x81\x82":
        huge = bytes([code, 0xFF]) + (2**40).to_bytes(8, "big") + b"mask"
        after_opening(url, huge)
        after_opening(url, huge + chance.randbytes(3 * LARGEST))
        after_opening(url, bytes([code, 0xFE, 0x40, 0x00]) + b"mask" + b"half of it")
    after_opening(url, b"\x01\x80mask" + b"\x00\x80mask" * 10_000)  # a message of empty frames, without an end
    after_opening(url, b"\x89\x80mask" * 10_000)  # pings
    after_opening(url, b"\x01\x81mask" + b"\x00\x81maskx" * 10_000)  # a message, byte by byte
    for text in ("[" * LARGEST, '{"a":' * 100_000, "1" * LARGEST, '"' + "\\ud800" * 100_000 + '"'):
        told(url, text)


def after_opening(url: str, data: bytes) -> None:
    with WebSocket(url) as opened:
        send_all(opened.socket, data)


def raw(url: str, data: bytes) -> None:
    with connect(url) as connection:
        send_all(connection, data)


def told(url: str, text: str) -> None:
    """What can be read as a message is answered, with a mistake of its sender."""
    with WebSocket(url) as opened:
        opened.say(text)
        assert json.loads(opened.hear())["status"] == 400


def test_idle_sockets_and_slow_downloads(single: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """300 and 100 on one process: health answers within a second, and a new download begins at once."""
    clients = [WebSocket(single.service.url) for _ in range(300)]
    links = [single.link("Container-many")] * 100
    with SlowReaders(links, bytes_per_second=40_000) as readers:
        wait_until(lambda: kept_alive(clients) and readers.started == len(links), seconds=90)
        with Health(single.service) as health:
            first_ms = first_byte_ms(single)
            for opened in clients:
                opened.say('{"p":1}')
            answers: list[Event | str] = [opened.hear() for opened in clients]
        ended = readers.ended
    for opened in clients:
        opened.socket.close()
    with capsys.disabled():
        print(f"\n300 sockets, 100 slow downloads: health {health}; a new download: first byte after {first_ms:.0f} ms")
    assert (ended, answers) == (0, ['{"p":2}'] * 300)
    assert health.longest_ms < LONGEST_MS
    assert first_ms < FIRST_BYTE_MS


def kept_alive(clients: list[WebSocket]) -> bool:
    """Answers the pings that have come."""
    readable = select.poll()
    for opened in clients:
        readable.register(opened.socket, select.POLLIN)
    ready = {number for number, _ in readable.poll(0)}
    for opened in clients:
        if opened.socket.fileno() in ready:
            opened.take()
    return True


def first_byte_ms(served: Served) -> float:
    """Milliseconds from asking for a download to its first byte."""
    link = served.link("Container-many")
    began = time.monotonic()
    with requests.get(link, timeout=60, stream=True, headers=PLAIN) as answer:
        assert answer.raw.read(1)
        return (time.monotonic() - began) * 1000
