"""Kuzzle's own SDK, unchanged, under Node: over HTTP, and over WebSocket as Node and as browsers open it."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
import requests

from services.access.keys import add
from services.measures import Kind
from tests.e2e.conftest import ODD, Served
from tests.support import node
from tests.support.node import Node
from tests.support.service import service
from tests.support.websocket import WebSocket

pytestmark = pytest.mark.node

SECRET = "the secret that Kuzzle signs its tokens with"

PROTOCOLS = ["http", "node", "browser"]
SOCKETS = ["node", "browser"]

Talk = Callable[..., Any]


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def talk(node: Node, protocol: str) -> Talk:
    """`talk(served, {"_id": ...}, ...)`: exports, one after the other, on a connection of their own."""

    def talk(served: Served, *requests: dict[str, Any], **options: Any) -> Any:
        parts = urlsplit(served.service.url)
        return node.run("sdk.js", {
            "protocol": protocol, "host": parts.hostname, "port": parts.port,
            "requests": [export(served, request) for request in requests], **options,
        })  # fmt: skip

    return talk


def export(served: Served, request: dict[str, Any]) -> dict[str, Any]:
    whole = {
        "controller": "device-manager/assets",
        "action": "exportMeasures",
        "engineId": served.engine,
        "_id": "Container-c1",
        **request,
    }
    return {name: value for name, value in whole.items() if value is not None}


def test_an_export(embedded: Served, talk: Talk) -> None:
    """Prepared with every kind of argument, and downloaded."""
    request = {
        "startAt": "2024-01-01",
        "endAt": "2024-12-31T23:59:59+02:00",
        "type": "temperature",
        "from": 1,
        "size": 3,
        "lang": "koncorde",
        "body": {"query": {"exists": "values.temperature"}, "sort": {"measuredAt": "asc"}},
    }
    told = talk(embedded, request, {})
    first, whole = told["answers"]
    assert (first["result"]["fileName"], first["result"]["estimatedRows"]) == ("asset-Container-c1.csv", 3)
    assert first["csv"].count("\n") == 4
    assert whole["csv"].count("\n") == whole["result"]["estimatedRows"] + 1 == 1502
    assert (told["connected"], told["events"]) == (True, ["connected"])


def test_a_fleet(embedded: Served, talk: Talk) -> None:
    """By ids, which the SDK joins by commas over HTTP."""
    request = {
        "controller": "device-manager/measures",
        "action": "export",
        "_id": None,
        "ids": ["Container-c1", "Container-many"],
        "size": 5,
    }
    (answer,) = talk(embedded, request)["answers"]
    assert (answer["result"]["fileName"], answer["csv"].count("\n")) == (f"measures-{embedded.engine}.csv", 6)


@pytest.mark.parametrize("controller", ["assets", "devices"])
def test_ids_that_must_be_encoded(embedded: Served, talk: Talk, controller: str) -> None:
    """Spaces, slashes, accents and what means something in a URL."""
    (answer,) = talk(embedded, {"controller": f"device-manager/{controller}", "_id": ODD[controller]})["answers"]
    rows = list(csv.DictReader(io.StringIO(answer["csv"])))
    assert [(row["Asset Id"], row["Device Id"]) for row in rows] == [(ODD["assets"], ODD["devices"])] * 2


def test_errors(embedded: Served, talk: Talk) -> None:
    """Reject with Kuzzle's ids."""
    table: list[tuple[dict[str, Any], int, str]] = [
        ({"engineId": "nowhere"}, 412, "services.storage.unknown_index"),
        ({"_id": "nowhere"}, 404, "services.storage.not_found"),
        ({"size": -1}, 400, "api.assert.invalid_argument"),
        ({"body": {"query": {"term": {"a": 1}}}}, 400, "api.assert.invalid_argument"),
        ({"colour": "red"}, 400, "api.assert.invalid_argument"),
        ({"jwt": "bad"}, 401, "security.token.invalid"),
    ]
    answers = talk(embedded, *[request for request, _, _ in table])["answers"]
    found = [(answer["error"]["status"], answer["error"]["id"]) for answer in answers]
    assert found == [(status, id) for _, status, id in table]


@pytest.mark.parametrize("protocol", SOCKETS, indirect=True)
def test_what_there_is_not(embedded: Served, talk: Talk) -> None:
    """Over HTTP the SDK finds no route for it, and does not ask."""
    requests = [{"controller": "document", "action": "search"}, {"controller": "auth", "action": "login"}]
    ids = [answer["error"]["id"] for answer in talk(embedded, *requests)["answers"]]
    assert ids == ["api.process.controller_not_found", "api.process.action_not_found"]


@pytest.mark.parametrize("protocol", SOCKETS, indirect=True)
def test_a_connection_is_kept_alive(embedded: Served, talk: Talk) -> None:
    """By frames, or by the text that browsers send: it is the first one at the end."""
    told = talk(embedded, {}, pings=10, pingMs=200)
    assert told["answers"][0]["result"]["estimatedRows"] == 1501
    assert (told["connected"], told["events"]) == (True, ["connected"])


@pytest.fixture(scope="module")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sdk") / "keys.json"


@pytest.fixture(scope="module")
def key(embedded: Served, keys_file: Path) -> str:
    """As `make-key` makes it."""
    return add(keys_file, "tests", engines=[embedded.engine], kinds=["assets"], expires_ms=None)


@pytest.fixture(scope="module")
def guarded(embedded: Served, keys_file: Path, key: str) -> Iterator[Served]:
    """Only for a key, or a token of Kuzzle."""
    environ = {
        **embedded.environ,
        "AUTH": "api-keys,kuzzle-jwt",
        "API_KEYS_FILE": str(keys_file),
        "KUZZLE_JWT_SECRET": SECRET,
        "WEB_CONCURRENCY": "1",
    }
    with service(environ, keys_file.with_name("log")) as running:
        yield Served(running, environ, embedded.engine)


def token(seconds: float) -> str:
    return "kauth-" + jwt.encode({"_id": "bob", "exp": time.time() + seconds}, SECRET)


def outcomes(told: Any) -> list[str | None]:
    """Kuzzle's id of each refusal; `None`: a result."""
    return [None if "result" in answer else answer["error"].get("id", answer["error"]) for answer in told["answers"]]


def test_keys_and_tokens(guarded: Served, key: str, talk: Talk) -> None:
    """`setAPIKey` and `jwt`; a token that is refused is dropped by the SDK, which says so."""
    device = {"controller": "device-manager/devices", "_id": "DummyTemp-d2"}
    assert outcomes(talk(guarded, {})) == ["security.rights.unauthorized"]
    assert outcomes(talk(guarded, {}, device, {"engineId": "another"}, apiKey=key)) == [
        None,
        "security.rights.forbidden",
        "security.rights.forbidden",
    ]
    assert outcomes(talk(guarded, {}, device, token=token(3600))) == [None, None]


def test_rights_are_the_same_however_asked(guarded: Served, key: str) -> None:
    """For assets only: a route, a message over HTTP, a message over a socket."""
    asked = {"action": "exportMeasures", "engineId": guarded.engine}
    targets: list[tuple[Kind, str]] = [("assets", "Container-c1"), ("devices", "DummyTemp-d2")]
    found = []
    with WebSocket(guarded.service.url) as opened:
        for kind, id in targets:
            message = {**asked, "controller": f"device-manager/{kind}", "_id": id}
            for token in (None, "kapikey-e30.e30.guessed", key):
                headers = {} if token is None else {"Authorization": f"Bearer {token}"}
                found.append([
                    guarded.prepare(id, kind=kind, headers=headers).json(),
                    requests.post(f"{guarded.service.url}/_query", json=message, headers=headers, timeout=30).json(),
                    requests.post(f"{guarded.service.url}/_query", json={**message, "jwt": token}, timeout=30).json(),
                    opened.ask(**message, jwt=token),
                ])  # fmt: skip
    nobody, bad, no_right = "security.rights.unauthorized", "security.token.invalid", "security.rights.forbidden"
    outcomes = [[(answer["error"] or {}).get("id") for answer in answers] for answers in found]
    assert outcomes == [[id] * 4 for id in (nobody, bad, None, nobody, bad, no_right)]


def test_a_token_that_is_refused(guarded: Served, talk: Talk) -> None:
    """The SDK drops it, and says so."""
    wrong = "kauth-" + jwt.encode({"_id": "bob", "exp": time.time() + 3600}, "guessed".ljust(64, "\0"))
    told = talk(guarded, {}, token=wrong, until="tokenExpired")
    assert (outcomes(told), told["events"]) == (["security.token.invalid"], ["connected", "tokenExpired"])


@pytest.mark.parametrize("protocol", SOCKETS, indirect=True)
def test_a_token_that_expires(guarded: Served, talk: Talk) -> None:
    """While connected, and nothing is asked: the SDK is told."""
    told = talk(guarded, {}, token=token(3), until="tokenExpired")
    assert (outcomes(told), told["events"]) == ([None], ["connected", "tokenExpired"])


def test_the_lockfile_names_no_registry() -> None:
    """Whoever runs the tests has their own."""
    assert "resolved" not in (node.CLIENTS / "package-lock.json").read_text(encoding="utf-8")
