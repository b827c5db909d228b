"""Who may export, over HTTP: tokens wherever a client may put them, each way of `AUTH`, its commands and its log."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from services.measures import Kind
from tests.e2e.conftest import Served
from tests.support.judge import Judge, judge
from tests.support.service import ROOT, refusal, service

SECRET = "the secret that Kuzzle signs its tokens with"
ASSET = "Container-c1"
EXPORT = {"controller": "device-manager/assets", "action": "exportMeasures", "_id": ASSET}

OK = (200, None)
INVALID = (401, "security.token.invalid")
UNAUTHORIZED = (401, "security.rights.unauthorized")
FORBIDDEN = (403, "security.rights.forbidden")


def token(kuid: str | None, *, secret: str = SECRET, seconds: int = 3600, **how: Any) -> str:
    """As Kuzzle signs them."""
    now = int(time.time())
    claims: dict[str, Any] = {"iat": now, "exp": now + seconds} | ({} if kuid is None else {"_id": kuid})
    return "kauth-" + jwt.encode(claims, secret.ljust(64, "\0"), **{"algorithm": "HS256"} | how)


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def outcome(answer: requests.Response) -> tuple[int, str | None]:
    """Status and Kuzzle's id, from an envelope that agrees with itself."""
    envelope = answer.json()
    assert envelope["status"] == answer.status_code
    assert (envelope["result"] is None) == (envelope["error"] is not None)
    return answer.status_code, (envelope["error"] or {}).get("id")


Start = Callable[..., Served]


def starter(embedded: Served, log: Path, stack: contextlib.ExitStack) -> Start:
    """Starts services with settings of their own, on the documents of the embedded one."""

    def start(**settings: str) -> Served:
        environ = {**embedded.environ, **settings}
        return Served(stack.enter_context(service(environ, log)), environ, embedded.engine)

    return start


@pytest.fixture
def start(embedded: Served, tmp_path: Path) -> Iterator[Start]:
    """`start(AUTH="kuzzle-jwt", ...)`."""
    with contextlib.ExitStack() as stack:
        yield starter(embedded, tmp_path / "log", stack)


@pytest.fixture(scope="module")
def by_secret(embedded: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One that checks Kuzzle's tokens itself."""
    with contextlib.ExitStack() as stack:
        start = starter(embedded, tmp_path_factory.mktemp("access") / "log", stack)
        yield start(AUTH="kuzzle-jwt", KUZZLE_JWT_SECRET=SECRET)


@pytest.fixture
def kuzzle() -> Iterator[Judge]:
    with judge() as found:
        yield found


def make_key(environ: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "make-key", *arguments]
    kept = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=ROOT, env=kept | environ, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_tokens_of_kuzzle_by_its_secret(by_secret: Served) -> None:
    """A table of what callers may bring."""
    unsigned = jwt.encode({"_id": "bob", "exp": 2**33}, "", algorithm="none")
    table = {
        None: UNAUTHORIZED,
        token("bob"): OK,
        token("bob", secret="guessed"): INVALID,
        token("bob", seconds=-1): INVALID,
        token("bob", algorithm="HS512"): INVALID,
        f"kauth-{unsigned}": INVALID,
        token(None): INVALID,
        token("bob").replace("kauth-", "kapikey-"): INVALID,
        token("-1"): UNAUTHORIZED,
        "nonsense": INVALID,
        "x" * 5000: INVALID,
    }
    found = {brought: outcome(by_secret.prepare(ASSET, headers=bearer(brought))) for brought in table}
    assert found == table


def test_where_a_token_may_stand(by_secret: Served) -> None:
    """In the header whatever the case of its scheme, in the query string of a POST, in a message."""
    good, bad = token("bob"), token("bob", secret="guessed")
    message = {**EXPORT, "engineId": by_secret.engine}
    for brought, expected in ((good, OK), (bad, INVALID)):
        for scheme in ("Bearer", "bearer", "BEARER"):
            assert outcome(by_secret.prepare(ASSET, headers={"Authorization": f"{scheme} {brought}"})) == expected
        assert outcome(by_secret.prepare(ASSET, params={"jwt": brought})) == expected
        query = f"{by_secret.service.url}/_query"
        assert outcome(requests.post(query, json={**message, "jwt": brought}, timeout=30)) == expected
        assert outcome(requests.post(query, json=message, headers=bearer(brought), timeout=30)) == expected


def test_a_token_given_twice_is_a_mistake(by_secret: Served) -> None:
    """Whichever of the two were good."""
    answer = by_secret.prepare(ASSET, params={"jwt": [token("bob"), token("eve")]})
    assert outcome(answer) == (400, "api.assert.invalid_argument")
    assert answer.json()["error"]["props"]["argument"] == "jwt"


def test_a_token_that_is_no_text(by_secret: Served) -> None:
    """In a message anything can stand."""
    message = {**EXPORT, "engineId": by_secret.engine}
    answers = [
        requests.post(f"{by_secret.service.url}/_query", json={**message, "jwt": brought}, timeout=30)
        for brought in (5, ["a"], {"a": 1}, True)
    ]
    assert [outcome(answer) for answer in answers] == [INVALID] * 4


def test_a_link_needs_nothing_but_itself(by_secret: Served) -> None:
    """And tells who asked for it, to the log of its download; no token stands there."""
    brought = token("bob@example.com")
    link = by_secret.link(ASSET, headers=bearer(brought))
    assert requests.get(link, timeout=30).text.count("\n") == 1502
    log = by_secret.service.log()
    export_id = link.partition("/_export/")[2].partition("?")[0]
    assert f"export {export_id}: begun for bob@example.com" in log
    assert [secret in log for secret in (brought, link.partition("?jwt=")[2], SECRET)] == [False] * 3


def fleet(served: Served, brought: str | None, by: str) -> requests.Response:
    url = f"{served.service.url}/_/device-manager/{served.engine}/measures/_export"
    return requests.post(url, json={"by": by}, headers=bearer(brought), timeout=30)


def test_keys(start: Start, tmp_path: Path) -> None:
    """Made by the command, good at once in every worker, for their engines and kinds, until revoked."""
    file = tmp_path / "keys.json"
    environ = {"AUTH": "api-keys", "API_KEYS_FILE": str(file)}
    everywhere = make_key(environ, "everywhere", "--engine", "*")
    served = start(**environ)
    own = make_key(environ, "own", "--engine", served.engine)
    others = make_key(environ, "others", "--engine", "another")
    assets = make_key(environ, "assets", "--engine", served.engine, "--kind", "assets")

    def found(key: str, id: str = ASSET, kind: Kind = "assets") -> set[tuple[int, str | None]]:
        """From both workers, which take turns as they please."""
        return {outcome(served.prepare(id, kind=kind, headers=bearer(key))) for _ in range(8)}

    assert [found(key) for key in (everywhere, own, others, assets)] == [{OK}, {OK}, {FORBIDDEN}, {OK}]
    assert [found(key, "DummyTemp-d2", "devices") for key in (own, assets)] == [{OK}, {FORBIDDEN}]
    fleets = {
        (key, by): outcome(fleet(served, key, by)) for key in (own, others, assets) for by in ("assets", "devices")
    }
    assert [fleets[key, "assets"] for key in (own, others, assets)] == [OK, FORBIDDEN, OK]
    assert [fleets[key, "devices"] for key in (own, others, assets)] == [OK, FORBIDDEN, FORBIDDEN]
    entries = json.loads(file.read_text())
    file.write_text(json.dumps([entry for entry in entries if entry["name"] != "own"]))
    assert [found(key) for key in (own, everywhere)] == [{INVALID}, {OK}]
    by_name = {entry["name"]: entry | {"expiresAt": "2024-01-01"} for entry in entries}
    file.write_text(json.dumps(list(by_name.values())))
    assert found(everywhere) == {INVALID}
    file.write_text("[")
    assert found(everywhere) == {(503, None)}


def test_rights_of_kuzzle(start: Start, kuzzle: Judge) -> None:
    """Per engine and kind, as that Kuzzle says."""
    bob, eve, gone = token("bob"), token("eve"), token("gone")
    served = start(AUTH="kuzzle", KUZZLE_URL=kuzzle.url)
    kuzzle.tokens = {bob, eve}
    kuzzle.rights = {(bob, "device-manager/assets", served.engine)}
    table = {None: UNAUTHORIZED, bob: OK, eve: FORBIDDEN, gone: INVALID}
    assert {brought: outcome(served.prepare(ASSET, headers=bearer(brought))) for brought in table} == table
    assert outcome(served.prepare("DummyTemp-d2", kind="devices", headers=bearer(bob))) == FORBIDDEN
    assert (bob, {**EXPORT, "engineId": served.engine}) in kuzzle.asked
    assert [outcome(fleet(served, bob, by)) for by in ("assets", "devices")] == [OK, FORBIDDEN]
    of_all = {name: value for name, value in EXPORT.items() if name != "_id"}
    assert (bob, {**of_all, "engineId": served.engine}) in kuzzle.asked


def test_secret_and_rights_together(start: Start, kuzzle: Judge) -> None:
    """Both must say yes; what the secret refuses is not even asked about."""
    bob, eve, forged = token("bob"), token("eve"), token("bob", secret="guessed")
    served = start(AUTH="kuzzle-jwt,kuzzle", KUZZLE_JWT_SECRET=SECRET, KUZZLE_URL=kuzzle.url)
    kuzzle.tokens = {bob, eve, forged}
    kuzzle.rights = {(who, "device-manager/assets", served.engine) for who in (bob, forged, None)}
    table = {None: UNAUTHORIZED, bob: OK, eve: FORBIDDEN, forged: INVALID}
    assert {brought: outcome(served.prepare(ASSET, headers=bearer(brought))) for brought in table} == table
    assert {who for who, _ in kuzzle.asked} == {bob, eve}


def test_a_kuzzle_that_does_not_answer(start: Start, kuzzle: Judge) -> None:
    """503, never a yes; and nobody else waits for it."""
    served = start(AUTH="anonymous,kuzzle", KUZZLE_URL=kuzzle.url)
    bob = token("bob")
    link = served.link(ASSET)
    kuzzle.answer = (500, b"")
    assert outcome(served.prepare(ASSET, headers=bearer(bob))) == (503, None)
    kuzzle.silent = True
    path = link.partition("/_export/")[0] + "/_export"
    curl = ["curl", "--silent", "--output", os.devnull, "--write-out", "%{http_code}", "--request", "POST"]
    waiting = [
        subprocess.Popen([*curl, "--header", f"Authorization: Bearer {bob}", path], stdout=subprocess.PIPE)
        for _ in range(20)
    ]
    while any(process.poll() is None for process in waiting):
        assert requests.get(f"{served.service.url}/_healthz", timeout=1).status_code == 200
    assert [process.communicate()[0] for process in waiting] == [b"503"] * 20


def test_a_kuzzle_that_drips(start: Start, kuzzle: Judge) -> None:
    """A byte a second: 503 when its time is over, and nobody else waits."""
    served = start(AUTH="kuzzle", KUZZLE_URL=kuzzle.url, WEB_CONCURRENCY="1")
    kuzzle.drip_seconds = 1
    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(served.prepare, ASSET, headers=bearer(token("bob"))) for _ in range(5)]
        while not all(each.done() for each in waiting):
            assert requests.get(f"{served.service.url}/_healthz", timeout=1).status_code == 200
    assert {outcome(each.result()) for each in waiting} == {(503, None)}
    assert time.monotonic() - began < 8


def test_a_kuzzle_that_answers_nonsense(start: Start, kuzzle: Judge) -> None:
    """503 with a sentence for each, never a 500."""
    served = start(AUTH="kuzzle", KUZZLE_URL=kuzzle.url)
    for answer in (
        (200, b"<html>"),
        (200, b""),
        (200, b"null"),
        (200, b'{"x":' * 10_000),
        (200, b'{"result":{"allowed":true},"x":' + b"[" * 60_000),
        (204, b""),
        (302, b""),
        (200, b'{"result":{"allowed":1e999}}'),
    ):
        kuzzle.answer = answer
        found = served.prepare(ASSET, headers=bearer(token("bob")))
        assert (outcome(found), found.json()["error"]["message"]) == (
            (503, None),
            "The Kuzzle that knows who may export does not answer. Try again later.",
        )


def test_what_clients_ask_about_tokens(by_secret: Served) -> None:
    """`/_checkToken` always has a result; `/_me` refuses a bad token."""
    good, bad = token("bob"), token("bob", secret="guessed")
    expires = jwt.decode(good.removeprefix("kauth-"), options={"verify_signature": False})["exp"] * 1000

    def check(body: Any, brought: str | None = None) -> Any:
        answer = requests.post(f"{by_secret.service.url}/_checkToken", json=body, headers=bearer(brought), timeout=30)
        assert answer.status_code == 200
        return answer.json()["result"]

    nobody = {"valid": True, "kuid": "-1", "expiresAt": None}
    bob = {"valid": True, "kuid": "bob", "expiresAt": expires}
    invalid = {"valid": False, "state": "Invalid token."}
    assert [check({}), check({"token": good}), check({"token": bad})] == [nobody, bob, invalid]
    assert [check({}, good), check({}, bad), check({"token": good}, bad)] == [bob, invalid, bob]
    me = f"{by_secret.service.url}/_me"
    assert requests.get(me, headers=bearer(good), timeout=30).json()["result"]["_id"] == "bob"
    assert outcome(requests.get(me, headers=bearer(bad), timeout=30)) == INVALID


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"AUTH": "kuzzle-jwt"}, "KUZZLE_JWT_SECRET"),
        ({"AUTH": "kuzzle"}, "KUZZLE_URL"),
        ({"AUTH": "kuzzle", "KUZZLE_URL": "kuzzle:7512"}, "KUZZLE_URL"),
        ({"AUTH": "api-keys"}, "API_KEYS_FILE"),
        ({"AUTH": "api-keys", "API_KEYS_FILE": "/nowhere/keys.json"}, "API_KEYS_FILE"),
        ({"AUTH": "anonymous,kuzle"}, "AUTH"),
    ],
)
def test_settings_that_are_missing_or_wrong(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    """The service does not start, and names the variable."""
    code, log = refusal({"SQLITE_PATH": str(tmp_path / "db"), **settings}, tmp_path / "log")
    assert (code != 0, said in log, "Traceback" in log) == (True, True, False)
