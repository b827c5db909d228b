"""Kuzzle's WebSocket protocol, message by message, without a socket."""

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from actions.catalogue import actions
from actions.dispatcher import Dispatcher
from actions.exports import Exports
from actions.session import Session
from services.access import Access
from services.formats import Maker
from services.links import Links
from tests.fakes import FakeStore
from tests.support.clock import Clock

SECRET = "the secret that Kuzzle signs its tokens with"
NOW = 1_718_000_000

EXPORT = {"controller": "device-manager/assets", "action": "exportMeasures", "engineId": "e", "_id": "a"}
CHECK_TOKEN = {"controller": "auth", "action": "checkToken", "requestId": "r"}

EXPIRED = {
    "type": "TokenExpired",
    "room": "kuzzle:notification:server",
    "status": 200,
    "message": "Authentication Token Expired",
}

Ask = Callable[..., Any]


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def session(clock: Clock) -> Session:
    """With a service where tokens are known and nobody needs one."""
    access = Access(("anonymous", "kuzzle-jwt"), kuzzle_jwt_secret=SECRET, clock=clock)
    exports = Exports(
        store=FakeStore(),
        links=Links(["s" * 32], ttl_seconds=120, clock=clock),
        admission=access,
        lang="koncorde",
        public_url=None,
        formula_guard=True,
        maker=Maker(),
    )
    dispatcher = Dispatcher(actions(exports, access))
    return Session(dispatcher, base_url="https://export.example/", expires_at=access.expires_at, clock=clock)


@pytest.fixture
def ask(session: Session) -> Ask:
    """The answer to a message, both decoded."""

    def ask(**message: Any) -> Any:
        answer = session.answer(json.dumps(message).encode())
        assert answer is not None
        return json.loads(answer)

    return ask


def token(*, seconds: int = 3600, secret: str = SECRET) -> str:
    return "kauth-" + jwt.encode({"_id": "bob", "iat": NOW, "exp": NOW + seconds}, secret.ljust(64, "\0"))


@pytest.mark.parametrize("kind", ["assets", "devices"])
def test_an_export_is_prepared(ask: Ask, kind: str) -> None:
    """The whole answer; its room is the request's id, by which alone the SDK finds the request."""
    message = {**EXPORT, "controller": f"device-manager/{kind}", "size": 2}
    answer = ask(**message, body={"query": {}}, requestId="r-1", volatile={"sdkName": "js@7"})
    link, expires_at = answer["result"].pop("link"), answer["result"].pop("expiresAt")
    assert link.startswith(f"https://export.example/_/device-manager/e/{kind}/a/measures/_export/")
    assert expires_at == (NOW + 120) * 1000
    answer.pop("node")
    assert answer == {
        "status": 200,
        "error": None,
        "controller": f"device-manager/{kind}",
        "action": "exportMeasures",
        "requestId": "r-1",
        "room": "r-1",
        "result": {"fileName": f"{kind[:-1]}-a.csv", "estimatedRows": 2, "estimate": "exact"},
        "headers": {},
        "volatile": {"sdkName": "js@7"},
    }


def test_a_request_without_an_id_gets_one(ask: Ask) -> None:
    for nothing in ({}, {"requestId": None}, {"requestId": ""}):
        answer = ask(**CHECK_TOKEN | nothing)
        made = {"requestId": answer["requestId"], "room": answer["room"]}
        assert ask(**{"controller": "auth", "action": "checkToken"} | nothing)["room"] != made["room"]
        assert made["room"] == made["requestId"] != ""


@pytest.mark.parametrize(
    ("message", "status", "error_id"),
    [
        ({"controller": "document", "action": "search"}, 404, "api.process.controller_not_found"),
        ({"controller": "auth", "action": "login"}, 404, "api.process.action_not_found"),
        ({"controller": "realtime", "action": "subscribe"}, 404, "api.process.controller_not_found"),
        ({"action": "search"}, 400, "api.assert.missing_argument"),
        ({"controller": "auth"}, 400, "api.assert.missing_argument"),
        ({"controller": ["auth"], "action": "checkToken"}, 400, "api.assert.invalid_type"),
        (EXPORT | {"engineId": "nowhere"}, 412, "services.storage.unknown_index"),
        (EXPORT | {"_id": "nowhere"}, 404, "services.storage.not_found"),
        (EXPORT | {"_id": 5}, 400, "api.assert.invalid_type"),
        (EXPORT | {"startAt": "2024-13"}, 400, "api.assert.invalid_argument"),
        (EXPORT | {"body": []}, 400, "api.assert.invalid_type"),
        (EXPORT | {"jwt": "bad"}, 401, "security.token.invalid"),
        (EXPORT | {"jwt": 5}, 401, "security.token.invalid"),
    ],
)  # fmt: skip
def test_requests_that_are_refused(ask: Ask, message: dict[str, Any], status: int, error_id: str) -> None:
    """With Kuzzle's ids, and in their room."""
    answer = ask(**message, requestId="r-2")
    assert (answer["status"], answer["error"]["status"], answer["error"]["id"]) == (status, status, error_id)
    assert (answer["room"], answer["result"]) == ("r-2", None)


@pytest.mark.parametrize(
    ("message", "status", "error_id"),
    [
        (b"{", 400, "network.http.body_parse_failed"),
        (b" ", 400, "network.http.body_parse_failed"),
        (b"nonsense", 400, "network.http.body_parse_failed"),
        (b"\xff\xfe\x00", 400, "network.http.body_parse_failed"),
        (b'{"size": NaN}', 400, "network.http.body_parse_failed"),
        (b"[" * 100_000, 400, "api.assert.invalid_argument"),
        (b'{"requestId": "a", "requestId": "b"}', 400, "api.assert.invalid_argument"),
        (b'{"requestId": 5}', 400, "api.assert.invalid_type"),
        (b"[]", 400, "api.assert.invalid_type"),
        (b'"text"', 400, "api.assert.invalid_type"),
        (b"null", 400, "api.assert.invalid_type"),
        (b"5", 400, "api.assert.invalid_type"),
    ],
)  # fmt: skip
def test_messages_that_nobody_can_read(session: Session, message: bytes, status: int, error_id: str) -> None:
    """There is no request to answer: an envelope without a room."""
    answer = json.loads(session.answer(message) or "")
    assert (answer["status"], answer["error"]["id"]) == (status, error_id)
    assert "room" not in answer


def test_an_empty_message_is_ignored(session: Session) -> None:
    assert session.answer(b"") is None


@pytest.mark.parametrize("message", [b'{"p":1}', b'{"p": 1}', b' { "p" : 1 }\n'])
def test_pings(session: Session, message: bytes) -> None:
    """To the byte: the SDK gives the connection up over anything else."""
    assert session.answer(message) == '{"p":2}'


@pytest.mark.parametrize("message", [{"p": 2}, {"p": "1"}, {"p": 1, "q": 1}, {"p": 10}])
def test_what_looks_like_a_ping(ask: Ask, message: dict[str, Any]) -> None:
    assert ask(**message)["error"]["id"] == "api.assert.missing_argument"


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ({}, {"valid": True, "kuid": "-1", "expiresAt": None}),
        ({"token": None}, {"valid": True, "kuid": "-1", "expiresAt": None}),
        ({"token": token()}, {"valid": True, "kuid": "bob", "expiresAt": (NOW + 3600) * 1000}),
        ({"token": token(secret="guessed")}, {"valid": False, "state": "Invalid token."}),
        ({"token": token(seconds=-1)}, {"valid": False, "state": "Invalid token."}),
    ],
)  # fmt: skip
def test_the_first_message_of_the_sdk(ask: Ask, body: dict[str, Any], result: dict[str, Any]) -> None:
    """`auth:checkToken`: always an answer, whatever the token."""
    answer = ask(**CHECK_TOKEN, body=body)
    assert (answer["status"], answer["result"]) == (200, result)


def test_the_current_user(ask: Ask) -> None:
    """Of each message's own token."""
    message = {"controller": "auth", "action": "getCurrentUser"}
    assert ask(**message)["result"]["_id"] == "-1"
    assert ask(**message, jwt=token())["result"]["_id"] == "bob"


def test_a_token_that_expires_is_told_once(session: Session, ask: Ask, clock: Clock) -> None:
    """When it does, not before."""
    ask(**EXPORT, jwt=token(seconds=60))
    assert (session.seconds_left(), session.news()) == (60, None)
    clock.seconds += 60
    assert session.seconds_left() == 0
    assert json.loads(session.news() or "") == EXPIRED
    assert (session.seconds_left(), session.news()) == (None, None)


def test_which_token_is_watched(session: Session, ask: Ask) -> None:
    """The last that a request came with; until there is one, that of the SDK's first message."""
    assert session.seconds_left() is None
    ask(**CHECK_TOKEN, body={"token": token(seconds=60)})
    assert session.seconds_left() == 60
    ask(**EXPORT, jwt=token(seconds=90))
    assert session.seconds_left() == 90
    ask(**CHECK_TOKEN, body={"token": token(seconds=30)})
    ask(**EXPORT)
    assert session.seconds_left() == 90


@pytest.mark.parametrize("bad", [token(seconds=-1), token(secret="guessed"), "nonsense", 5, ["a"]])
def test_a_refused_token_is_not_watched(session: Session, ask: Ask, bad: Any) -> None:
    """Its holder was told already."""
    ask(**EXPORT, jwt=bad)
    ask(**CHECK_TOKEN, body={"token": bad})
    assert (session.seconds_left(), session.news()) == (None, None)


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"volatile": {"a": "\ud800"}}, "volatile"),
        ({"volatile": {"\ud800": 1}}, "volatile"),
        ({"volatile": "x" * 70_000}, "volatile"),
        ({"controller": "auth\ud800"}, "controller"),
        ({"action": "\ud800"}, "action"),
        ({"engineId": "\ud800"}, "engineId"),
        ({"_id": "\ud800"}, "_id"),
        ({"refresh": ["\ud800"]}, "refresh"),
        ({"\ud800": 1}, "\\ud800"),
        ({"body": {"type": "\ud800"}}, "type"),
        ({"body": {"startAt": "\ud800"}}, "startAt"),
        ({"body": {"lang": "\ud800"}}, "lang"),
        ({"body": {"pretty": {"\ud800": 1}}}, "pretty"),
        ({"body": {"\ud800": 1}}, "\\ud800"),
        ({"body": {"sort": "\ud800"}}, "sort"),
        ({"body": {"sort": {"a": {"missing": "\ud800"}}}}, "sort.a.missing"),
        ({"body": {"sort": {"a": {"unmapped_type": "\ud800"}}}}, "sort.a.unmapped_type"),
        ({"body": {"sort": {"a": {"\ud800": 1}}}}, "sort.a.\\ud800"),
        ({"body": {"query": {"equals": {"a": "\ud800"}}}}, "query.equals.a"),
        ({"body": {"query": {"equals": {"\ud800": 1}}}}, "query.equals.\\ud800"),
        ({"body": {"query": {"match": {"a": {"\ud800": 1}}}}}, "query.match.a.\\ud800"),
        ({"body": {"lang": "elasticsearch", "query": {"term": {"a": "\ud800"}}}}, "query.term.a"),
        ({"body": {"lang": "elasticsearch", "query": {"term": {"\ud800": "a"}}}}, "query.term.\\ud800"),
    ],
)
def test_text_that_is_no_unicode(ask: Ask, change: dict[str, Any], argument: str) -> None:
    """Wherever it stands: named, in the request's room, in an answer that is Unicode itself."""
    answer = ask(**EXPORT | change, requestId="r-4")
    assert (answer["status"], answer["error"]["props"]["argument"], answer["room"]) == (400, argument, "r-4")
    assert json.dumps(answer, ensure_ascii=False).encode()


@pytest.mark.parametrize("id", ["\ud800", "x" * 1001, 5])
def test_an_id_that_cannot_come_back(session: Session, id: Any) -> None:
    """Names no room."""
    answer = json.loads(session.answer(json.dumps(CHECK_TOKEN | {"requestId": id}).encode()) or "")
    assert (answer["status"], "room" in answer) == (400, False)


@pytest.mark.parametrize("message", [{"type": ""}, {"body": {"type": ""}}])
def test_an_empty_type_is_none(ask: Ask, message: dict[str, Any]) -> None:
    """At the root, and in the body."""
    assert ask(**EXPORT | message)["result"]["estimatedRows"] == 3


def test_a_token_that_is_too_long_is_not_kept(session: Session, ask: Ask) -> None:
    """A client may send a megabyte each time."""
    assert ask(**EXPORT, jwt="x" * 1_000_000)["error"]["id"] == "security.token.invalid"
    ask(**CHECK_TOKEN, body={"token": "x" * 1_000_000})
    assert len(session.token or "") < 5000


def test_what_is_nested_deep_breaks_nothing(session: Session) -> None:
    """What could still be read can be echoed."""
    for depth in range(700, 1000, 3):
        message = json.dumps(CHECK_TOKEN)[:-1] + ', "volatile": ' + "[" * depth + "]" * depth + "}"
        assert json.loads(session.answer(message.encode()) or "")["status"] in (200, 400)
