"""Searches that take too long: ended, told with their seconds, not repeated; and nobody else waits for them."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
import requests

from services.stores.elasticsearch.transport.lanes import MOST_FILTERED, MOST_FOREIGN
from tests.e2e.conftest import Served, documents, settings
from tests.support import kuzzle
from tests.support import proxy as peers
from tests.support.elasticsearch_node import Node
from tests.support.health import Health
from tests.support.proxy import Asked, Proxy, proxy
from tests.support.readers import PLAIN
from tests.support.service import service
from tests.support.waiting import wait_until

pytestmark = pytest.mark.elasticsearch

ASSET = "Container-slow"

#: Devices with long names, each a term that every pattern is held against.
TERMS, LETTERS = 100_000, 500

#: Seconds for a prepare and a download beside them, on a machine whose cores are all busy with them.
PATIENCE = 10

#: Patterns of a query, in each language.
OWN, KONCORDE = 170, 400

#: A pattern, in the words of a task.
PATTERN = re.compile('"(regexp|wildcard)"')

#: Seconds that an answer is awaited, and that telling so takes at most.
WAIT, TELLING = 5, 5

CHANCE = Random(1)


def pattern(joint: str, letters: int) -> str:
    """That nothing matches, which it takes long to find out."""
    return joint.join(CHANCE.choices("abcdefgh", k=letters)) + joint + "z"


def regexps(many: int) -> list[dict[str, Any]]:
    """Some seconds of the quickest core, tens of a slow one."""
    return [{"regexp": {"origin._id": pattern(".*", 4)}} for _ in range(many)]


#: In both languages, and how many may run.
SLOW: dict[str, tuple[dict[str, Any], int]] = {
    "Elasticsearch's own": ({"query": {"bool": {"should": regexps(OWN)}}, "lang": "elasticsearch"}, MOST_FOREIGN),
    "Koncorde": ({"query": {"or": regexps(KONCORDE)}}, MOST_FILTERED),
}

slows = pytest.mark.parametrize(("body", "most"), SLOW.values(), ids=list(SLOW))


@dataclass(frozen=True)
class Slow:
    """The service on a node, which it asks directly."""

    served: Served
    node: Node

    def searches(self) -> set[str]:
        """Tasks of Elasticsearch's that hold patterns, and do not look at them alone."""
        found = requests.get(f"{self.node.url}/_tasks?actions=indices:data/read/search&detailed", timeout=30).json()
        tasks = {id: task["description"] for node in found["nodes"].values() for id, task in node["tasks"].items()}
        return {id for id, told in tasks.items() if PATTERN.search(told) and '"terminate_after":1' not in told}


@pytest.fixture(scope="module")
def slow(start_node: Callable[[], Node], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slow]:
    node = start_node()
    written = documents(kuzzle.REAL_ENGINE)
    written.asset(kuzzle.REAL_ENGINE, *ASSET.split("-"))
    for number in range(TERMS):
        written.measure(kuzzle.REAL_ENGINE, f"slow-{number}", {
            "type": "temperature",
            "measuredAt": 1_718_000_000_000 + number,
            "values": {"temperature": 1},
            "asset": {"_id": ASSET, "model": "Container", "measureName": "temperatureExt"},
            "origin": {"type": "device", "_id": "".join(CHANCE.choices("abcdefgh", k=LETTERS))},
        })  # fmt: skip
    written.into_elasticsearch(node.url)
    environ = {**settings(node.url), "ELASTICSEARCH_TIMEOUT_SECONDS": str(WAIT), "WEB_CONCURRENCY": "1"}
    with service(environ, tmp_path_factory.mktemp("slow") / "log") as running:
        yield Slow(Served(running, environ, kuzzle.REAL_ENGINE), node)


@pytest.fixture(autouse=True)
def _nothing_is_searched(request: pytest.FixtureRequest) -> Iterator[None]:
    """Before and after."""
    yield
    if "slow" in request.fixturenames:
        found: Slow = request.getfixturevalue("slow")
        wait_until(lambda: not found.searches(), seconds=10)


@slows
def test_a_search_that_takes_too_long(slow: Slow, body: dict[str, Any], most: int) -> None:
    """One search, which Elasticsearch ends when it is given up, and a 503 that tells the seconds."""
    with ThreadPoolExecutor() as pool:
        began = time.monotonic()
        answer = pool.submit(slow.served.prepare, ASSET, json=body)
        seen = watched(slow, answer)
        seconds = time.monotonic() - began
    assert answer.result().status_code == 503, (answer.result().text, seconds)
    error = answer.result().json()["error"]
    assert error["id"] == "services.storage.not_connected"
    assert f"({WAIT} s). A simpler query may take less." in error["message"]
    assert WAIT * 0.8 <= seconds <= WAIT + TELLING
    assert len(seen) == 1 <= most
    wait_until(lambda: not slow.searches(), seconds=TELLING)


def watched(slow: Slow, answer: "Future[requests.Response]") -> set[str]:
    """The searches that ran until there was an answer, as Elasticsearch lists them."""
    seen: set[str] = set()
    while not answer.done():
        seen |= slow.searches()
    return seen


@slows
def test_others_go_on(slow: Slow, body: dict[str, Any], most: int) -> None:
    """Prepares, downloads, health: beside more slow searches than may run at once."""
    link = slow.served.link("Container-many", json={"size": 5000})
    whole = requests.get(link, timeout=60).content
    stop = threading.Event()

    def hostile() -> None:
        while not stop.is_set():
            slow.served.prepare(ASSET, json=body)

    with ThreadPoolExecutor() as pool, Health(slow.served.service) as health:
        hostiles = [pool.submit(hostile) for _ in range(10)]
        try:
            wait_until(lambda: len(slow.searches()) == most)
            for _ in range(5):
                began = time.monotonic()
                assert slow.served.prepare().status_code == 200
                answer = requests.get(link, timeout=60)
                assert answer.content == whole, answer.text[:1000]
                assert time.monotonic() - began < PATIENCE
                assert len(slow.searches()) <= most
        finally:
            stop.set()
            for one in hostiles:
                one.result()
    assert health.median_ms < 100, health
    assert len(slow.served.service.workers) == 1


@dataclass(frozen=True)
class Silent:
    """A service that is patient, before a peer that says nothing; links in both languages."""

    served: Served
    peer: Proxy
    links: list[str]


@pytest.fixture(scope="module")
def silent(on_elasticsearch: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Silent]:
    with proxy(on_elasticsearch.environ["ELASTICSEARCH_URL"]) as peer:
        environ = {
            **on_elasticsearch.environ,
            "ELASTICSEARCH_URL": peer.url,
            "ELASTICSEARCH_TIMEOUT_SECONDS": "1",
            "RETRY_BUDGET_SECONDS": "60",
            "WEB_CONCURRENCY": "1",
        }
        with service(environ, tmp_path_factory.mktemp("silent") / "log") as running:
            served = Served(running, environ, on_elasticsearch.engine)
            yield Silent(served, peer, [served.link("Container-many", json=body) for body in EXPORTS])


EXPORTS: list[dict[str, Any]] = [
    {"query": {"range": {"values.temperature": {"gte": 0}}}, "size": 6000},
    {"query": {"range": {"values.temperature": {"gte": 0}}}, "lang": "elasticsearch", "size": 6000},
    {"sort": {"origin._id": "asc"}, "from": 20_000, "size": 10},
]


def of_measures(asked: Asked) -> bool:
    return "measures" in asked.path


#: What is asked before there is a status.
AT_PREPARE: dict[str, Callable[[Asked], bool]] = {
    "engine and asset": lambda asked: asked.path == "/_mget",
    "models": lambda asked: "models" in asked.path and "/_search" in asked.path,
    "searches": lambda asked: of_measures(asked) and "/_search" in asked.path,
}
AT_GET: dict[str, Callable[[Asked], bool]] = {
    "engine and asset": lambda asked: asked.path == "/_mget",
    "models": lambda asked: "models" in asked.path and "/_search" in asked.path,
    "fields": lambda asked: of_measures(asked) and asked.method == "GET",
    "a view": lambda asked: asked.opens_view,
    "counts": lambda asked: "pit" in asked.json and "first" in asked.json.get("aggs", {}),
    "slots": lambda asked: "pit" in asked.json and "slots" in asked.json.get("aggs", {}),
    "a page": lambda asked: asked.is_page,
}

#: Answers that come too late, or say that something did.
LATE = {"silence": peers.silence, "timed out": peers.timed_out, "504": peers.gateway(504)}

#: What is no search tells of no time.
NO_SEARCH = ("engine and asset", "fields", "a view")


def pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(late, name) for late in LATE for name in names if late != "timed out" or name not in NO_SEARCH]


@pytest.mark.parametrize(("late", "name"), pairs(AT_PREPARE))
def test_what_is_late_at_prepare_is_not_repeated(silent: Silent, late: str, name: str) -> None:
    """Whatever it was; what is left out is counted beside the rows."""
    for body in EXPORTS:
        seen = len(silent.peer.asked)
        with silent.peer.spoiling(LATE[late], of=AT_PREPARE[name]) as plan:
            began = time.monotonic()
            answer = silent.served.prepare("Container-many", json=body)
        assert answer.status_code == 503
        assert time.monotonic() - began < 1 + TELLING
        assert plan.spoiled
        assert set(Counter(one.body for one in silent.peer.asked[seen:] if AT_PREPARE[name](one)).values()) == {1}


@pytest.mark.parametrize(("late", "name"), pairs(AT_GET))
def test_what_is_late_before_the_first_byte_is_not_repeated(silent: Silent, late: str, name: str) -> None:
    """A caller waits for a status; the link works again."""
    for link in silent.links:
        seen = len(silent.peer.asked)
        with silent.peer.spoiling(LATE[late], of=AT_GET[name]) as plan:
            began = time.monotonic()
            answer = requests.get(link, timeout=60)
        assert answer.status_code == 503
        assert time.monotonic() - began < 1 + TELLING
        assert plan.spoiled
        assert max(Counter(view_of(one) for one in silent.peer.asked[seen:] if AT_GET[name](one)).values()) == 1
        wait_until(lambda: not silent.peer.views, seconds=5)


def view_of(asked: Asked) -> str | None:
    """A page of the download before may still be on its way: it is of another view."""
    return asked.json["pit"]["id"] if "pit" in asked.json else None


@pytest.mark.parametrize("number", range(len(EXPORTS)))
def test_searches_before_the_first_byte_have_a_timeout(silent: Silent, number: int) -> None:
    """Of Elasticsearch's own, less than the time that its answer is awaited."""
    seen = len(silent.peer.asked)
    silent.served.prepare("Container-many", json=EXPORTS[number])
    link = silent.links[number]
    with requests.get(link, timeout=60, stream=True, headers=PLAIN) as answer:
        assert answer.status_code == 200
        next(answer.iter_content(100))
    searches = [one for one in silent.peer.asked[seen:] if "/_search" in one.path and of_nobody_else(one)]
    assert len(searches) >= 6
    assert {one.json.get("timeout") for one in searches} == {"900ms"}


def of_nobody_else(asked: Asked) -> bool:
    """Not the log's, and no page that comes after the first: they may take longer."""
    first = asked.json.get("size") in (0, 501, 9000, 10, 10_000)
    return first and "must_not" not in str(asked.json["query"])


#: Queries that a caller may write, and that cost memory: none of them raises a limit.
COSTLY: dict[str, Any] = {
    "patterns": {"bool": {"should": [{"wildcard": {"origin._id": f"*{pattern('*', 30)}"}} for _ in range(200)]}},
    "regular expressions": {
        "bool": {"should": [{"regexp": {"origin._id": f".*(a|b).{{{n % 9}}}c.*"}} for n in range(400)]}
    },
    "one that has many states": {"regexp": {"asset._id": {"value": ".*(R|m).{24}"}}},
    "fuzzy terms": {"bool": {"should": [{"fuzzy": {"origin._id": {"value": "abcdefgh" * 25, "fuzziness": 2}}}] * 300}},
    "prefixes": {"bool": {"should": [{"prefix": {"origin._id": letter}} for letter in "abcdefgh"]}},
    "many terms": {"terms": {"origin._id": ["x" * 10 + str(number) for number in range(40_000)]}},
    "a text of patterns": {"query_string": {"query": "origin._id:*a* OR " * 300 + "type:*e*", "default_field": "type"}},
}


def nested(depth: int) -> Any:
    query: Any = {"match_all": {}}
    for _ in range(depth):
        query = {"bool": {"must": [query]}}
    return query


def test_a_node_of_a_gigabyte_survives(slow: Slow) -> None:
    """Many of each at once: no error of memory in its log, and it answers afterwards."""
    queries = [*COSTLY.values(), nested(28)]
    bodies = [{"query": query, "lang": "elasticsearch"} for query in queries for _ in range(3)]
    with ThreadPoolExecutor(12) as pool, Health(slow.served.service) as health:
        answers = list(pool.map(lambda body: slow.served.prepare(ASSET, json=body), bodies))
        links = [answer.json()["result"]["link"] for answer in answers if answer.status_code == 200]
        files = list(pool.map(lambda link: requests.get(link, timeout=120), links))
    assert [answer.text for answer in answers if answer.status_code not in (200, 400, 413, 503)] == []
    assert [file.text for file in files if file.status_code not in (200, 503)] == []
    assert health.median_ms < 100, health
    assert "OutOfMemoryError" not in slow.node.log.read_text(errors="replace")
    assert slow.served.prepare().status_code == 200
