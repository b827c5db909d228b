"""Asking a Kuzzle: what is asked, what is kept, and what no answer is."""

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import urllib3

from services.access.kuzzle import KEPT_ANSWERS, Answers, Kuzzle, Question
from services.errors import AccessUnavailable, TokenInvalid
from tests.services.access.conftest import ASSET, NOW, MakeAccess, token
from tests.support.clock import Clock
from tests.support.judge import Judge, envelope
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

EXPORT = Question("device-manager/assets", "exportMeasures", "demo", "Container-1")
SHORT = urllib3.Timeout(connect=0.2, read=0.2)


def test_what_is_asked(kuzzle: Judge) -> None:
    """The request to judge, with the caller's own token, or with none."""
    kuzzle.tokens, kuzzle.rights = {"t"}, {("t", "device-manager/assets", "demo")}
    asked = Kuzzle(f"{kuzzle.url}/", lambda: NOW)
    assert [asked.allows("t", EXPORT), asked.allows(None, EXPORT)] == [True, False]
    body = {
        "controller": "device-manager/assets",
        "action": "exportMeasures",
        "engineId": "demo",
        "_id": "Container-1",
    }
    assert kuzzle.asked == [("t", body), (None, body)]


def test_an_answer_is_kept_for_thirty_seconds(kuzzle: Judge) -> None:
    """Whichever it is, each for its own question and token."""
    clock = Clock(NOW)
    asked = Kuzzle(kuzzle.url, clock)
    kuzzle.tokens, kuzzle.rights = {"t"}, {("t", "device-manager/assets", "demo")}
    other = Question("device-manager/assets", "exportMeasures", "demo", "Container-2")
    for _ in range(3):
        assert asked.allows("t", EXPORT)
        assert not asked.allows(None, EXPORT)
        with pytest.raises(TokenInvalid):
            asked.allows("bad", EXPORT)
    assert len(kuzzle.asked) == 3
    asked.allows("t", other)
    assert len(kuzzle.asked) == 4
    kuzzle.rights.clear()
    clock.seconds = NOW + 29.9
    assert asked.allows("t", EXPORT)
    clock.seconds = NOW + 30
    assert not asked.allows("t", EXPORT)


def test_an_answer_is_not_kept_beyond_its_token(kuzzle: Judge) -> None:
    """Then Kuzzle is asked again, and knows."""
    clock = Clock(NOW)
    asked = Kuzzle(kuzzle.url, clock)
    kuzzle.tokens, kuzzle.rights = {"t"}, {("t", "device-manager/assets", "demo")}
    assert asked.allows("t", EXPORT, until_ms=(NOW + 5) * 1000)
    kuzzle.tokens.clear()
    clock.seconds = NOW + 5
    with pytest.raises(TokenInvalid):
        asked.allows("t", EXPORT)


def test_so_many_answers_are_kept() -> None:
    """The oldest is forgotten first; one given again is a new one."""
    answers = Answers(lambda: NOW)
    for number in range(KEPT_ANSWERS):
        answers.keep(number, "yes", until_ms=None)
    answers.keep(0, "no", until_ms=None)
    answers.keep("one more", "yes", until_ms=None)
    assert [answers.get(asked) for asked in (0, 1, 2, "one more")] == ["no", None, "yes", "yes"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((500, envelope(500, None, {"id": "plugin.runtime.unexpected_error"})), id="500"),
        pytest.param((500, envelope(200, {"allowed": True}, None)), id="500 that says yes"),
        pytest.param((503, b""), id="503"),
        pytest.param((429, envelope(429, None, {"id": "api.process.too_many_requests"})), id="429"),
        pytest.param((404, envelope(404, None, {"id": "network.http.url_not_found"})), id="no Kuzzle"),
        pytest.param((400, envelope(400, None, {"id": "api.assert.missing_argument"})), id="400"),
        pytest.param((302, envelope(302, {"allowed": True}, None)), id="redirect"),
        pytest.param((201, envelope(201, {"allowed": True}, None)), id="201"),
        pytest.param((200, b""), id="nothing"),
        pytest.param((200, b"<html>welcome</html>"), id="HTML"),
        pytest.param((200, b"\xff\xfe"), id="no text"),
        pytest.param((200, b"true"), id="true"),
        pytest.param((200, b"{}"), id="empty"),
        pytest.param((200, envelope(200, None, None)), id="no result"),
        pytest.param((200, envelope(200, {}, None)), id="no allowed"),
        pytest.param((200, envelope(200, {"allowed": "true"}, None)), id="allowed is text"),
        pytest.param((200, envelope(200, {"allowed": 1}, None)), id="allowed is a number"),
        pytest.param((200, envelope(200, {"allowed": None}, None)), id="allowed is null"),
        pytest.param((200, envelope(200, {"allowed": True}, {"id": "x"})), id="a result and an error"),
        pytest.param((200, envelope(200, {"allowed": True}, None)[:-1]), id="cut"),
        pytest.param((200, b'{"result":{"allowed":true},"x":"' + b" " * 70_000 + b'"}'), id="very long"),
        pytest.param((200, b'{"result":{"allowed":true},"x":' + b"[" * 60_000), id="very deep"),
        pytest.param((200, b'{"x":' + b'{"x":' * 12_000), id="very deep objects"),
        pytest.param((204, b""), id="204"),
        pytest.param((301, b""), id="301"),
        pytest.param((200, b"null"), id="null"),
        pytest.param((200, b"[]"), id="list"),
        pytest.param((200, gzip.compress(envelope(200, {"allowed": True}, None))), id="gzip"),
    ],
)
def test_no_answer_is_never_a_yes(kuzzle: Judge, answer: tuple[int, bytes]) -> None:
    """Nor is it kept: the next one is taken as soon as it comes."""
    asked = Kuzzle(kuzzle.url, lambda: NOW)
    kuzzle.answer = answer
    with pytest.raises(AccessUnavailable, match="does not answer"):
        asked.allows("t", EXPORT)
    kuzzle.answer = (200, envelope(200, {"allowed": True}, None))
    assert asked.allows("t", EXPORT)


@pytest.mark.parametrize(("with_token", "expected"), [(True, TokenInvalid), (False, None)])
def test_a_401_is_about_the_token(kuzzle: Judge, with_token: bool, expected: type[Exception] | None) -> None:
    """Without one, nobody may even ask."""
    kuzzle.answer = (401, envelope(401, None, {"id": "security.rights.unauthorized"}))
    asked = Kuzzle(kuzzle.url, lambda: NOW)
    with pytest.raises(expected) if expected else contextlib.nullcontext():
        assert asked.allows("t" if with_token else None, EXPORT) is False


def test_who_may_not_ask_may_not_export(kuzzle: Judge) -> None:
    """403: a good token without the right to `auth:checkRights`."""
    kuzzle.answer = (403, envelope(403, None, {"id": "security.rights.forbidden"}))
    assert Kuzzle(kuzzle.url, lambda: NOW).allows("t", EXPORT) is False


def test_a_kuzzle_that_hangs(kuzzle: Judge) -> None:
    """Is given up after a while."""
    kuzzle.silent = True
    with pytest.raises(AccessUnavailable):
        Kuzzle(kuzzle.url, lambda: NOW, timeout=SHORT).allows("t", EXPORT)


@pytest.mark.slow
@pytest.mark.parametrize("answer", [None, (200, envelope(200, {"allowed": True}, None))], ids=["long", "whole"])
def test_a_kuzzle_that_drips(kuzzle: Judge, answer: tuple[int, bytes] | None) -> None:
    """A byte now and then is no answer: the question ends as a whole, and its connection with it."""
    kuzzle.answer = answer
    kuzzle.drip_seconds = 0.05
    before = threading.active_count()
    began = time.monotonic()
    with pytest.raises(AccessUnavailable):
        Kuzzle(kuzzle.url, lambda: NOW, longest_seconds=0.5).allows("t", EXPORT)
    assert 0.4 < time.monotonic() - began < 1.5
    assert len(kuzzle.asked) == 1
    wait_until(lambda: threading.active_count() <= before)


def test_a_kuzzle_that_is_slow_but_whole(kuzzle: Judge) -> None:
    """Within its time every byte is waited for."""
    kuzzle.answer = (200, envelope(200, {"allowed": True}, None))
    kuzzle.drip_seconds = 0.002
    assert Kuzzle(kuzzle.url, lambda: NOW).allows("t", EXPORT)


def test_a_kuzzle_that_is_not_there(unused_port: int) -> None:
    """Nothing listens."""
    with pytest.raises(AccessUnavailable):
        Kuzzle(f"http://127.0.0.1:{unused_port}", lambda: NOW, timeout=SHORT).allows("t", EXPORT)


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{"])
def test_something_else_that_listens(said: bytes) -> None:
    """It says this and hangs up."""
    with listener(said) as url, pytest.raises(AccessUnavailable):
        Kuzzle(url, lambda: NOW, timeout=SHORT).allows("t", EXPORT)


def test_a_connection_that_was_closed_meanwhile(kuzzle: Judge) -> None:
    """Is no failure: a kept connection is one that the other side may have closed."""
    kuzzle.tokens, kuzzle.rights = {"t"}, {("t", "device-manager/assets", "demo")}
    kuzzle.hang_ups = 1
    assert Kuzzle(kuzzle.url, lambda: NOW).allows("t", EXPORT)


def test_a_kuzzle_that_only_hangs_up(kuzzle: Judge) -> None:
    """Is asked twice."""
    kuzzle.hang_ups = 2
    with pytest.raises(AccessUnavailable):
        Kuzzle(kuzzle.url, lambda: NOW).allows("t", EXPORT)


def test_check_token_always_has_a_result(make_access: MakeAccess, kuzzle: Judge) -> None:
    """Though Kuzzle has none; never that the token is good."""
    kuzzle.answer = (500, b"")
    state = "The Kuzzle that knows who may export does not answer. Try again later."
    assert make_access("kuzzle").check_token(token()) == {"valid": False, "state": state}


def test_a_bad_token_beside_anonymous_needs_an_answer(make_access: MakeAccess, kuzzle: Judge) -> None:
    """Nobody is admitted without asking; a token may be bad."""
    kuzzle.answer = (500, b"")
    access = make_access("anonymous", "kuzzle")
    assert access.admit(None, ASSET) == "-1"
    with pytest.raises(AccessUnavailable):
        access.admit(token(), ASSET)


@pytest.fixture
def unused_port() -> Iterator[int]:
    """Bound, so that nobody else takes it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextlib.contextmanager
def listener(said: bytes) -> Iterator[str]:
    """Says the same to whoever comes, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client:
                        client.recv(65536)
                        client.sendall(said)

        running = threading.Thread(target=serve)
        running.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            running.join()
