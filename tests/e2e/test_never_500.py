"""Nothing that comes from outside is the service's fault: whatever is asked, an envelope with a status of the contract.

Requests are valid ones with something changed; so are the tokens, which are signed with the right secret.
"""

import hashlib
import json
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from services.links import SALT
from tests.e2e.conftest import SECRETS, Served
from tests.support import mutation
from tests.support.websocket import WebSocket

ASSET, EXPORT = "Container-c1", "0123456789abcdef"

#: What the contract answers to a request, with its store there.
STATUSES = {200, 400, 401, 403, 404, 410, 412, 413}

#: What it answers to a link that no prepare would have given: Elasticsearch refuses the order of a page, as a mapping
#: that has changed since would make it.
UNPREPARED = STATUSES | {503}

SETTINGS = settings(
    max_examples=150,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Ascii:
    """JSON that may hold what is no Unicode, and numbers that are none."""

    dumps = staticmethod(json.dumps)
    loads = staticmethod(json.loads)


#: Signs whatever there is, as the service does.
SIGNER = URLSafeSerializer(
    SECRETS, SALT, serializer=Ascii, signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
)


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    with requests.Session() as kept:
        yield kept


def check(envelope: Any, status: int | None = None, *, allowed: Collection[int] = STATUSES) -> None:
    """One of Kuzzle's, whole, with a status of the contract."""
    assert {"status", "error", "controller", "action", "requestId", "result", "node"} <= envelope.keys()
    assert envelope["status"] in allowed, envelope["error"]
    assert status in (None, envelope["status"])
    assert (envelope["error"] is None) == (envelope["status"] == 200)
    json.dumps(envelope, ensure_ascii=False).encode()


def follow(session: requests.Session, link: str, *, allowed: Collection[int] = STATUSES) -> None:
    """Every link that is given leads to a file, or to an envelope."""
    answer = session.get(link, timeout=30)
    assert answer.status_code in allowed, answer.text
    if answer.status_code != 200:
        check(answer.json(), answer.status_code, allowed=allowed)


@SETTINGS
@given(request=mutation.requests())
def test_bodies(served: Served, session: requests.Session, request: dict[str, Any]) -> None:
    """Over HTTP, and what they lead to."""
    answer = session.post(served.prepare_url(ASSET), data=json.dumps(request), timeout=30)
    check(answer.json(), answer.status_code)
    if answer.status_code == 200:
        follow(session, answer.json()["result"]["link"])


@SETTINGS
@given(request=mutation.requests())
def test_query_strings(served: Served, session: requests.Session, request: dict[str, Any]) -> None:
    """The same in the query string, surrogates as bytes that are no UTF-8."""
    pairs = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in request.items()]
    text = "&".join("=".join(quote(part.encode("utf-8", "surrogatepass")) for part in pair) for pair in pairs)
    if len(text) < 7000:
        answer = session.post(f"{served.prepare_url(ASSET)}?{text}", timeout=30)
        check(answer.json(), answer.status_code)


def message(request: dict[str, Any], served: Served) -> dict[str, Any]:
    return {
        "controller": "device-manager/assets", "action": "exportMeasures", "requestId": "r", "volatile": {"a": 1},
        "engineId": served.engine, "_id": ASSET, "jwt": None, "body": request,
    }  # fmt: skip


@SETTINGS
@given(data=st.data())
def test_messages(served: Served, session: requests.Session, data: st.DataObject) -> None:
    """Of `_query` and of a WebSocket, changed anywhere: the same status."""
    text = json.dumps(data.draw(mutation.mutated(message(data.draw(mutation.requests()), served))))
    answer = session.post(f"{served.service.url}/_query", data=text, timeout=30)
    check(answer.json(), answer.status_code)
    if text != '{"p": 1}':
        with WebSocket(served.service.url) as socket:
            socket.say(text)
            heard = json.loads(socket.hear())
        check(heard, answer.status_code)


def test_a_token_of_ours_is_taken(served: Served, session: requests.Session) -> None:
    """What the next test changes is right to begin with."""
    answer = session.get(served.service.url + download_path(served, payload(served, {})), timeout=30)
    assert (answer.status_code, answer.text.count("\n") > 100) == (200, True)


def payload(served: Served, request: dict[str, Any]) -> dict[str, Any]:
    ours = {
        "engineId": served.engine, "_id": ASSET, "kind": "assets", "exportId": EXPORT, "askedBy": "-1",
        "formulaGuard": True, "iat": 1_718_000_000_000, "exp": 4_000_000_000_000,
    }  # fmt: skip
    return {"lang": "koncorde"} | request | ours


def download_path(served: Served, signed: Any) -> str:
    path = f"/_/device-manager/{served.engine}/assets/{ASSET}/measures/_export/{EXPORT}"
    return f"{path}?jwt={SIGNER.dumps(signed)}"


@SETTINGS
@given(data=st.data())
def test_tokens(served: Served, session: requests.Session, data: st.DataObject) -> None:
    """Any payload, signed with the right secret: read by `GET` and by `HEAD`."""
    signed = data.draw(mutation.mutated(payload(served, data.draw(mutation.requests()))))
    path = download_path(served, signed)
    if len(path) < 7000:
        follow(session, served.service.url + path, allowed=UNPREPARED)
        assert session.head(served.service.url + path, timeout=30).status_code in STATUSES


def test_nothing_was_unforeseen(served: Served) -> None:
    """After all of the above: an error that nobody had thought of is in the log with where it was raised."""
    assert "failed\nTraceback" not in served.service.log()
