"""`lang=elasticsearch` on a node of a small heap: what is let through it lives through, and answers the same twice."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import start
from tests.e2e.conftest import Served, settings
from tests.services.filters.costly_native import COSTLY
from tests.support import kuzzle
from tests.support.elasticsearch_node import JavaNode, Node
from tests.support.service import service

pytestmark = pytest.mark.elasticsearch

ASSET = "Container-native"
NOTES = 3000

#: As many as a process has under way at a time.
AT_ONCE = 8

TEXT: dict[str, Any] = {"type": "text"}


def documents(engine: str) -> kuzzle.Kuzzle:
    """With notes of many words in many fields, and a measure a second around now."""
    made = kuzzle.real(engine)
    properties = made.collections[engine, "measures"].mapping["properties"]["values"]["properties"]
    properties |= {"note": TEXT, **{f"x{number}": TEXT for number in range(20)}}
    asset = made.asset(engine, "Container", ASSET.partition("-")[2])
    now_ms = int(time.time() * 1000)
    for number in range(NOTES):
        words = {f"x{field}": f"w{number * field} w{number + field}" for field in range(20)}
        made.measure(engine, f"note-{number}", {
            "type": "temperature",
            "measuredAt": now_ms + (number - NOTES // 2) * 1000,
            "values": {"temperature": number, "note": f"note {number} {'abc ' * 5}", **words},
            "asset": {"_id": asset, "model": "Container", "measureName": "temperatureExt"},
            "origin": {"type": "device", "_id": "D-1", "deviceModel": "DummyTemp"},
        })  # fmt: skip
    return made


@pytest.fixture(scope="module")
def small_node() -> Iterator[Node]:
    """Of 1 GB, of its own: other tests need not die with it."""
    with contextlib.ExitStack() as stack:
        yield start(stack)


@pytest.fixture(scope="module")
def native(
    small_node: Node, unique: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    engine = unique("native")
    documents(engine).into_elasticsearch(small_node.url)
    environ = settings(small_node.url)
    with service(environ, tmp_path_factory.mktemp("native") / "log") as running:
        yield Served(running, environ, engine)


def prepare(native: Served, query: Any, **arguments: Any) -> requests.Response:
    return native.prepare(ASSET, json={"lang": "elasticsearch", "query": query, **arguments})


def argument(answer: requests.Response) -> str | None:
    """What Elasticsearch itself refuses has no path: it is the whole query."""
    error = answer.json()["error"]
    found: str | None = error and error["props"].get("argument")
    return found


def check_alive(node: Node) -> None:
    """It answers, and has never been out of memory."""
    assert requests.get(f"{node.url}/_cluster/health", timeout=30).json()["status"] in ("green", "yellow")
    if isinstance(node, JavaNode):
        assert "OutOfMemoryError" not in Path(node.log).read_text(errors="replace")


@pytest.mark.parametrize("name", COSTLY)
def test_a_small_node_lives_through_what_is_let_through(native: Served, small_node: Node, name: str) -> None:
    """Each of the worst that we know, as often at a time as one process asks: answers of the contract, and no 500."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: prepare(native, COSTLY[name]), range(AT_ONCE)))
    assert {answer.status_code for answer in answers} <= {200, 400, 413, 503}
    assert {argument(answer) for answer in answers} <= {None, "query"}, "refused before it was asked"
    check_alive(small_node)


REFUSED: list[dict[str, Any]] = [
    {"regexp": {"asset._id": {"value": ".*(R|m).{24}", "max_determinized_states": 2147483647}}},
    {"query_string": {"query": "/.*(R|m).{24}/", "max_determinized_states": 2147483647}},
    {"query_string": {"query": "asset._id:/.*(R|m).{24}/"}},
    {"regexp": {"asset._id": "(a?){9999}"}},
    {"regexp": {"asset._id": "(.*a.{11}&.*b.{11}&.*c.{11})"}},
    {"query_string": {"query": "(" * 4000 + "a" + ")" * 4000}},
    {"bool": {"should": [{"regexp": {"asset._id": ".*(a|b).{12}"}}] * 300}},
    {"prefix": {"values.note": {"value": "n", "rewrite": "scoring_boolean"}}},
    {"function_score": {"random_score": {}, "min_score": 0.5}},
]


@pytest.mark.parametrize("query", REFUSED)
def test_what_a_node_would_not_live_through(native: Served, small_node: Node, query: Any) -> None:
    """Is refused before it is asked, with its path and the reason."""
    answer = prepare(native, query)
    assert answer.status_code == 400
    assert answer.json()["error"]["props"]["argument"].startswith("query.")
    check_alive(small_node)


@pytest.mark.parametrize(
    "query",
    [
        {"range": {"measuredAt": {"gte": "now-20m", "lt": "now+20m"}}},
        {"bool": {"must_not": [{"range": {"measuredAt": {"gte": "now"}}}]}},
        {"range": {"measuredAt": {"gte": "now/s", "format": "epoch_millis"}}},
    ],
)
def test_now_stands_still(native: Served, query: Any) -> None:
    """A measure a second comes into such a range, and leaves it: what was counted is what is read, seconds later."""
    answer = prepare(native, query, sort={"measuredAt": "asc"}).json()["result"]
    time.sleep(2.5)
    read = requests.get(answer["link"], timeout=60)
    assert read.text.count("\n") - 1 == answer["estimatedRows"] > 100
    assert requests.get(answer["link"], timeout=60).content == read.content


def test_random_numbers_with_a_seed(native: Served) -> None:
    """Are the same each time."""
    scores = {"random_score": {"seed": 7, "field": "_seq_no"}, "min_score": 0.5, "boost_mode": "replace"}
    answer = prepare(native, {"function_score": scores}).json()["result"]
    read = requests.get(answer["link"], timeout=60)
    assert 100 < read.text.count("\n") - 1 == answer["estimatedRows"] < NOTES
