"""Pages of other origins: what a browser is told, on every kind of answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import Served
from tests.support.service import service

OWN, OTHER = "https://app.example", "https://other.example"

ALLOWED = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, X-Kuzzle-Volatile, X-Kuzzle-Request-Id",
    "Access-Control-Expose-Headers": "Content-Disposition, X-Kuzzle-Request-Id",
}


def cors(answer: requests.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control-")}


def every_kind_of_answer(served: Served, origin: str) -> Iterator[requests.Response]:
    """Prepared, downloaded, refused by each part that may refuse, and the preflight before."""
    link = served.link()
    path = served.service.url + "/_/device-manager/e/assets/a/measures/_export"
    headers = {"Origin": origin}
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    yield requests.options(path, headers=headers | asks, timeout=30)
    yield served.prepare(headers=headers)
    yield requests.get(link, headers=headers, timeout=30)
    yield requests.head(link, headers=headers, timeout=30)
    yield requests.get(link + "x", headers=headers, timeout=30)
    yield served.prepare("nobody knows it", headers=headers)
    yield served.prepare(headers=headers | {"Authorization": "Bearer bad"})
    yield requests.delete(path, headers=headers, timeout=30)
    yield requests.get(served.service.url + "/nowhere", headers=headers, timeout=30)
    yield requests.post(served.service.url + "/_query", data="{", headers=headers, timeout=30)


STATUSES = [200, 200, 200, 200, 403, 404, 401, 405, 404, 400]


def test_any_origin(embedded: Served) -> None:
    """By default; the origin is echoed, for no cache to keep for another."""
    answers = list(every_kind_of_answer(embedded, OWN))
    assert [answer.status_code for answer in answers] == STATUSES
    for answer in answers:
        assert cors(answer) == {"Access-Control-Allow-Origin": OWN, **ALLOWED}
        assert "Origin" in answer.headers["Vary"].split(", ")


@pytest.fixture
def choosy(embedded: Served, tmp_path: Path) -> Iterator[Served]:
    environ = {**embedded.environ, "CORS_ORIGINS": f"{OWN}, https://second.example"}
    with service(environ, tmp_path / "log") as running:
        yield Served(running, environ, embedded.engine)


def test_named_origins(choosy: Served) -> None:
    """Others are answered the same, and their browsers keep the answer from them."""
    for origin, told in ((OWN, {"Access-Control-Allow-Origin": OWN, **ALLOWED}), (OTHER, {}), ("null", {})):
        answers = list(every_kind_of_answer(choosy, origin))
        assert [answer.status_code for answer in answers] == STATUSES
        assert [cors(answer) for answer in answers] == [told] * len(answers)
        assert all("Origin" in answer.headers["Vary"].split(", ") for answer in answers)


def test_no_origin(embedded: Served) -> None:
    """curl and servers send none, and are told nothing."""
    assert cors(requests.get(f"{embedded.service.url}/_publicApi", timeout=30)) == {}


def test_a_request_id_comes_back(embedded: Served) -> None:
    """The caller's own, or a new one each time."""
    own = embedded.prepare(headers={"X-Kuzzle-Request-Id": "r-1"})
    made = [embedded.prepare().headers["X-Kuzzle-Request-Id"] for _ in range(2)]
    assert (own.headers["X-Kuzzle-Request-Id"], own.json()["requestId"]) == ("r-1", "r-1")
    assert len({*made, ""}) == 3
