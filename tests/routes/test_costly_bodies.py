"""Bodies that would take long to read: refused in little time, and after the caller who may not ask at all."""

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient

from app import create_app
from config import from_env
from services.scheduling.cpu_turn import CpuTurns
from tests.fakes import FakeStore
from tests.routes.conftest import SECRETS
from tests.support.clock import Clock
from tests.support.hostile import BODIES, ECHOED

pytestmark = pytest.mark.slow

SECRET = "the secret that Kuzzle signs its tokens with"
PATH = "/_/device-manager/e/assets/a/measures/_export"
EXPORT = {"controller": "device-manager/assets", "action": "exportMeasures", "engineId": "e", "_id": "a"}

#: Seconds of CPU. A quiet machine takes 10 to 40 ms, most of it for the JSON; what this was made for took 0.7 to 4 s.
MOST_SECONDS = 0.25

#: Where nobody has yet been judged and nothing but the body's bytes is there.
MOST_SECONDS_UNREAD = 0.05

Timed = Callable[..., tuple[Any, float]]


@pytest.fixture
def guarded(store: FakeStore, clock: Clock) -> FlaskClient:
    """Where a token is needed."""
    settings = from_env(SECRETS | {"AUTH": "kuzzle-jwt", "KUZZLE_JWT_SECRET": SECRET})
    return create_app(settings, store, CpuTurns(), clock=clock).test_client()


def timed(client: FlaskClient, path: str, body: str | bytes, **options: Any) -> tuple[Any, float]:
    """The answer, and the seconds of CPU that it took; of two, the quicker."""
    found = []
    for _ in range(2):
        began = time.thread_time()
        answer = client.post(path, data=body, **options)
        found.append(time.thread_time() - began)
    return answer, min(found)


def message(body: str) -> str:
    return json.dumps(EXPORT)[:-1] + f', "body": {body}}}'


@pytest.mark.parametrize("name", BODIES)
def test_costly_bodies_are_refused_at_once(client: FlaskClient, name: str) -> None:
    """By somebody who may ask."""
    answer, seconds = timed(client, PATH, BODIES[name])
    envelope = answer.get_json()
    assert (answer.status_code in (400, 413), envelope["status"] == answer.status_code) == (True, True)
    assert len(answer.data) < 2000
    assert seconds < MOST_SECONDS


@pytest.mark.parametrize("name", BODIES)
def test_who_may_not_ask_is_told_so_first(guarded: FlaskClient, name: str) -> None:
    """Over HTTP, where the path says what for, before anything is read of the body."""
    answer, seconds = timed(guarded, PATH, BODIES[name])
    assert (answer.status_code, answer.get_json()["error"]["id"]) == (401, "security.rights.unauthorized")
    assert seconds < MOST_SECONDS_UNREAD


@pytest.mark.parametrize("name", [name for name in BODIES if len(message(BODIES[name])) <= 1024 * 1024])
def test_a_message_is_read_once(guarded: FlaskClient, name: str) -> None:
    """As JSON, and no more, before its caller is judged: then 401; 400 where it is none that can be read."""
    answer, seconds = timed(guarded, "/_query", message(BODIES[name]))
    assert answer.status_code in (400, 401)
    assert seconds < MOST_SECONDS


@pytest.mark.parametrize("name", ECHOED)
def test_what_is_echoed_is_small(client: FlaskClient, name: str) -> None:
    """A megabyte does not come back."""
    answer, seconds = timed(client, "/_query", json.dumps(EXPORT | {name: ECHOED[name]}))
    assert answer.status_code in (400, 401, 413)
    assert len(answer.data) < 1000
    assert seconds < MOST_SECONDS


@pytest.mark.parametrize(
    ("body", "status"),
    [("{", 400), ('{"colour": 1}', 400), ('{"size": -1}', 400), ('{"query": {"no": 1}}', 400), ("{}", 200)],
)
def test_the_right_is_asked_before_the_body_is_read(guarded: FlaskClient, body: str, status: int) -> None:
    """Whatever is wrong with the body, who has no right does not learn it."""
    assert guarded.post(PATH, data=body).status_code == 401
    claims = {"_id": "bob", "exp": 2_000_000_000}
    token = "kauth-" + jwt.encode(claims, SECRET.ljust(64, "\0"))
    answer = guarded.post(PATH, data=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"engineId": 5}, "engineId"),
        ({"_id": None}, "_id"),
        ({"_id": "\ud800"}, "_id"),
        ({"engineId": ...}, "engineId"),
    ],
)
def test_a_message_that_names_no_target(guarded: FlaskClient, change: dict[str, Any], argument: str) -> None:
    """Is not judged: there is nothing that it may or may not."""
    asked = {name: value for name, value in (EXPORT | change).items() if value is not ...}
    answer = guarded.post("/_query", data=json.dumps(asked))
    assert (answer.status_code, answer.get_json()["error"]["props"]["argument"]) == (400, argument)


def test_a_target_may_stand_in_the_body(guarded: FlaskClient) -> None:
    """Of a message: it is judged by it."""
    asked = {name: EXPORT[name] for name in ("controller", "action")} | {"body": {"engineId": "e", "_id": "a", "no": 1}}
    answer = guarded.post("/_query", data=json.dumps(asked))
    assert (answer.status_code, answer.get_json()["error"]["id"]) == (401, "security.rights.unauthorized")
