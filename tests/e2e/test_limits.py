"""Limits of a cluster that exports live with: the same bytes, whatever is set. What nobody can live with is a 503.

On a node of these tests' own, whose settings they change.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Served, settings
from tests.support import kuzzle
from tests.support.elasticsearch_node import Node
from tests.support.proxy import Proxy, proxy
from tests.support.readers import PLAIN
from tests.support.service import service
from tests.support.waiting import wait_until

pytestmark = pytest.mark.elasticsearch

ENGINE = "limited"
ASSET = "Box-many"
NOON = 1_718_000_000_000

#: Rows, of which so many are of one instant; and types of measures, each a slot of its own.
ROWS, TIED, TYPES = 6000, 1500, 150

#: Instants that are as far as Elasticsearch goes: text, since no number says the first of them.
FAR = ("-9223372036854775807.9", -(2**63) + 1, -(2**62) - 1, -(2**62), 2**62, 2**62 + 1, 2**63 - 1)

#: Exports of it, a way of reading each.
EXPORTS: dict[str, dict[str, Any]] = {
    "newest first": {},
    "oldest first": {"sort": {"measuredAt": "asc"}},
    "a part": {"from": 2345, "size": 1100},
    "an order of its own": {"sort": [{"origin._id": "asc"}, {"measuredAt": "desc"}]},
    "a part of that": {"sort": [{"origin._id": "desc"}], "from": 3210, "size": 700},
    "a pattern": {"query": {"regexp": {"origin._id": "^D-[12]"}}},
    "no pattern": {
        "query": {"not": {"regexp": {"origin._id": {"value": "d-[12]", "flags": "i"}}}},
        "sort": {"measuredAt": "asc"},
    },
    "a filter": {"query": {"range": {"values.temperature": {"gte": 100, "lt": 5000}}}},
    "Elasticsearch's own": {"query": {"range": {"values.temperature": {"gte": 100}}}, "lang": "elasticsearch"},
}

exports = pytest.mark.parametrize("body", EXPORTS.values(), ids=list(EXPORTS))

#: Settings of the cluster, and of the indices: each alone, and then all at once.
WINDOW, LITTLE = {"index.max_result_window": 1000}, {"index.max_result_window": 100}
LIMITS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a window of 1000": ({}, WINDOW),
    "a window of 500": ({}, {"index.max_result_window": 500}),
    "a window of 100": ({}, LITTLE),
    "views of a minute": ({"search.max_keep_alive": "1m", "search.default_keep_alive": "1m"}, {}),
    "views of 90 seconds": ({"search.max_keep_alive": "90s", "search.default_keep_alive": "1m"}, {}),
    "views of 1100 ms": ({"search.max_keep_alive": "1100ms", "search.default_keep_alive": "1s"}, {}),
    "a hundred buckets": ({"search.max_buckets": 100}, {}),
    "ten buckets": ({"search.max_buckets": 10}, {}),
    "two buckets": ({"search.max_buckets": 2}, {}),
    "one bucket": ({"search.max_buckets": 1}, {}),
    "nothing that is expensive": ({"search.allow_expensive_queries": False}, {}),
    "few terms": ({}, {"index.max_terms_count": 1}),
    "all at once": (
        {
            "search.max_keep_alive": "1m", "search.default_keep_alive": "1m", "search.max_buckets": 100,
            "search.allow_expensive_queries": False,
        },
        WINDOW,
    ),
    "the least": (
        {
            "search.max_keep_alive": "2s", "search.default_keep_alive": "2s", "search.max_buckets": 7,
            "search.allow_expensive_queries": False,
        },
        LITTLE,
    ),
}  # fmt: skip


def documents() -> kuzzle.Kuzzle:
    made = kuzzle.Kuzzle()
    for number in range(TYPES):
        made.measure_model(f"t{number}", {"temperature": {"type": "float"}})
    made.asset_model("Box", {f"slot{number}": f"t{number}" for number in range(TYPES)})
    made.engine(ENGINE)
    made.asset(ENGINE, *ASSET.split("-"))
    instants = [NOON + (0 if number < TIED else number * 1000) for number in range(ROWS - len(FAR))]
    for number, at in enumerate([*instants, *FAR]):
        made.measure(ENGINE, f"m{number:05}", measure(number, at))
    return made


def measure(number: int, at: Any) -> dict[str, Any]:
    return {
        "type": f"t{number % TYPES}",
        "measuredAt": at,
        "values": {"temperature": number},
        "asset": {"_id": ASSET, "model": "Box", "measureName": f"slot{number % TYPES}"},
        "origin": {"type": "device", "_id": f"D-{number % 7}", "deviceModel": "D"},
    }


@dataclass(frozen=True)
class Limited:
    """The service on a node whose settings may be changed, behind a peer that sees what is asked."""

    served: Served
    peer: Proxy
    url: str
    whole: dict[str, bytes]

    @contextlib.contextmanager
    def limits(self, cluster: dict[str, Any], indices: dict[str, Any]) -> Iterator[None]:
        self._set(cluster, indices)
        try:
            yield
        finally:
            self._set(dict.fromkeys(cluster), dict.fromkeys(indices))

    def _set(self, cluster: dict[str, Any], indices: dict[str, Any]) -> None:
        if cluster:
            self.put("_cluster/settings", {"persistent": cluster})
        if indices:
            self.put("_all/_settings", indices)

    def put(self, path: str, body: Any = None) -> None:
        answer = requests.put(f"{self.url}/{path}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text

    def post(self, path: str) -> None:
        answer = requests.post(f"{self.url}/{path}", timeout=60)
        assert answer.status_code == 200, answer.text

    def prepare(self, body: dict[str, Any]) -> requests.Response:
        return self.served.prepare(ASSET, json=body)

    def file(self, body: dict[str, Any]) -> bytes:
        answer = requests.get(self.served.link(ASSET, json=body), timeout=300)
        assert answer.status_code == 200, answer.text
        return answer.content


@pytest.fixture(scope="module")
def limited(start_node: Callable[[], Node], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Limited]:
    node = start_node()
    documents().into_elasticsearch(node.url)
    with proxy(node.url) as peer:
        environ = {**settings(peer.url), "WEB_CONCURRENCY": "1"}
        with service(environ, tmp_path_factory.mktemp("limited") / "log") as running:
            limited = Limited(Served(running, environ, ENGINE), peer, node.url, {})
            limited.whole.update({name: limited.file(body) for name, body in EXPORTS.items()})
            yield limited


def name_of(body: dict[str, Any]) -> str:
    return next(name for name, other in EXPORTS.items() if other == body)


def rows(text: bytes) -> int:
    return text.count(b"\n") - 1


@exports
def test_undisturbed(limited: Limited, body: dict[str, Any]) -> None:
    """What is compared with is right: the rows that were stored, each once, in order of time."""
    text = limited.whole[name_of(body)]
    numbers = [int(line.split(b",", 1)[0][1:]) for line in text.splitlines()[1:]]
    assert len(set(numbers)) == len(numbers)
    if "query" not in body:
        assert len(numbers) == min(body.get("size", ROWS), ROWS - body.get("from", 0))
    if body == {"sort": {"measuredAt": "asc"}}:
        plain = list(range(ROWS - len(FAR)))
        first = ROWS - len(FAR)
        assert numbers == [first, first + 1, first + 2, first + 3, *plain, first + 4, first + 5, first + 6]


#: Exports that a limit alone may touch; all at once, all of them.
TOUCHED = {
    "window": ["newest first", "a part of that", "a pattern"],
    "views": ["oldest first"],
    "bucket": ["newest first", "a part", "Elasticsearch's own"],
    "expensive": ["a pattern", "no pattern", "a filter", "Elasticsearch's own"],
    "terms": ["a pattern"],
    "all": list(EXPORTS),
    "least": ["newest first", "a part of that", "no pattern"],
}


@pytest.mark.parametrize("limit", list(LIMITS))
def test_the_same_bytes(limited: Limited, limit: str) -> None:
    """Every row, in its order, and prepare's count as good as before."""
    touched = next(names for word, names in TOUCHED.items() if word in limit)
    counts = {name: limited.prepare(EXPORTS[name]).json()["result"] for name in touched}
    with limited.limits(*LIMITS[limit]):
        for name in touched:
            answer = limited.prepare(EXPORTS[name])
            assert answer.status_code == 200, (name, answer.text)
            result = answer.json()["result"]
            if counts[name]["estimate"] == "exact":
                assert (result["estimatedRows"], result["estimate"]) == (counts[name]["estimatedRows"], "exact")
            assert result["estimatedRows"] >= rows(limited.whole[name])
            assert limited.file(EXPORTS[name]) == limited.whole[name], name


def test_a_window_of_one(limited: Limited) -> None:
    """A row a search, and none too few."""
    body = {"size": 60, "from": 5, "sort": {"measuredAt": "asc"}}
    own = {"size": 5, "from": 7, "sort": [{"origin._id": "desc"}]}
    whole = [limited.file(body), limited.file(own)]
    few = {"query": {"equals": {"type": "t7"}}}
    with limited.limits({}, {"index.max_result_window": 1}):
        seen = len(limited.peer.asked)
        assert [limited.file(body), limited.file(own)] == whole
        assert rows(limited.file(few)) == ROWS // TYPES
        sizes = {one.json["size"] for one in limited.peer.asked[seen:] if one.is_page}
        assert sizes == {1}


def test_a_window_of_one_is_checked(limited: Limited) -> None:
    """That there is no more after the last row is asked as well."""
    with limited.limits({}, {"index.max_result_window": 1}):
        seen = len(limited.peer.asked)
        limited.file({"type": "t7"})
        assert len([one for one in limited.peer.asked[seen:] if one.is_page]) > ROWS // TYPES


def test_a_clause_of_the_callers_that_is_forbidden(limited: Limited) -> None:
    """In Elasticsearch's words."""
    body = {"query": {"wildcard": {"origin._id": {"value": "*1"}}}, "lang": "elasticsearch"}
    assert limited.prepare(body).status_code == 200
    with limited.limits({"search.allow_expensive_queries": False}, {}):
        answer = limited.prepare(body)
    assert (answer.status_code, answer.json()["error"]["props"]["argument"]) == (400, "query")
    assert "search.allow_expensive_queries" in answer.json()["error"]["message"]


def test_a_forbidden_pattern_is_decided_while_reading(limited: Limited) -> None:
    """So the count is no longer of what matches, but of what may."""
    body = {"query": {"regexp": {"origin._id": "^D-[12]"}}}
    with limited.limits({"search.allow_expensive_queries": False}, {}):
        result = limited.prepare(body).json()["result"]
    assert result["estimate"] == "at most"
    assert result["estimatedRows"] >= rows(limited.whole["a pattern"])


def test_a_slow_reader_keeps_a_view_of_seconds(limited: Limited) -> None:
    """It is asked of often enough."""
    with limited.limits({"search.max_keep_alive": "2s", "search.default_keep_alive": "2s"}, {}):
        link = limited.served.link(ASSET, json={})
        with requests.get(link, timeout=60, stream=True, headers=PLAIN) as answer:
            parts = answer.iter_content(1000)
            text = next(parts)
            seen = len(limited.peer.asked)
            wait_until(lambda: len(touches(limited, seen)) > 5, seconds=10)
            text += b"".join(parts)
    assert text == limited.whole["newest first"]
    assert {one["pit"]["keep_alive"] for one in touches(limited, seen)} == {"2000ms"}


def touches(limited: Limited, seen: int) -> list[Any]:
    bodies = [one.json for one in limited.peer.asked[seen:]]
    return [body for body in bodies if body.get("query") == {"match_none": {}}]


def alias_of(collection: str) -> str:
    return f"%26{ENGINE}.{collection}"


def closed(limited: Limited, index: str) -> Iterator[None]:
    limited.post(f"{index}/_close")
    yield
    limited.post(f"{index}/_open")
    requests.get(f"{limited.url}/_cluster/health?wait_for_status=yellow&timeout=30s", timeout=60)


def blocked(limited: Limited, index: str) -> Iterator[None]:
    limited.put(f"{index}/_settings", {"index.blocks.read": True})
    yield
    limited.put(f"{index}/_settings", {"index.blocks.read": None})


def broken(limited: Limited, index: str) -> Iterator[None]:
    """No memory for any request."""
    limited.put("_cluster/settings", {"persistent": {"indices.breaker.total.limit": "1mb"}})
    yield
    limited.put("_cluster/settings", {"persistent": {"indices.breaker.total.limit": None}})


STATES: dict[str, tuple[Callable[[Limited, str], Iterator[None]], str, str]] = {
    "closed measures": (closed, alias_of("measures"), "index_closed_exception"),
    "closed assets": (closed, alias_of("assets"), "index_closed_exception"),
    "closed models": (closed, "%26device-manager.models", "index_closed_exception"),
    "closed config": (closed, "%26device-manager.config", "index_closed_exception"),
    "blocked measures": (blocked, alias_of("measures"), "cluster_block_exception"),
    "blocked assets": (blocked, alias_of("assets"), "cluster_block_exception"),
    "blocked models": (blocked, "%26device-manager.models", "cluster_block_exception"),
    "no memory": (broken, "", "circuit_breaking_exception"),
}


@pytest.mark.parametrize(("state", "index", "words"), STATES.values(), ids=list(STATES))
def test_what_no_export_can_live_with(
    limited: Limited, state: Callable[[Limited, str], Iterator[None]], index: str, words: str
) -> None:
    """A 503 with the reason, at prepare and at download, for whichever query and order."""
    bodies = [EXPORTS["newest first"], EXPORTS["Elasticsearch's own"]]
    links = [limited.served.link(ASSET, json=body) for body in bodies]
    with contextlib.contextmanager(state)(limited, index):
        answers = [*map(limited.prepare, bodies), *(requests.get(link, timeout=60) for link in links)]
    for answer in answers:
        assert (answer.status_code, words in answer.json()["error"]["message"]) == (503, True), answer.text
    assert limited.file(bodies[0]) == limited.whole["newest first"]


#: What a caller may ask that Elasticsearch refuses, and its argument.
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"query": {"range": {"measuredAt": {"gte": "no date"}}}, "lang": "elasticsearch"}, "query"),
    ({"query": {"term": {"values.temperature": "warm"}}, "lang": "elasticsearch"}, "query"),
    ({"query": {"match": {"values.temperature": "warm"}}, "lang": "elasticsearch"}, "query"),
    ({"query": {"exists": "type"}, "sort": "values"}, "sort"),
    ({"sort": {"nowhere": "asc"}}, "sort"),
    ({"query": {"range": {"values.temperature": {"gte": 1}}}, "lang": "elasticsearch", "sort": "nowhere"}, "sort"),
]


@pytest.mark.parametrize(("body", "argument"), WRONG)
@pytest.mark.parametrize("limits", ["none", "all at once"])
def test_what_is_the_callers_fault(limited: Limited, body: dict[str, Any], argument: str, limits: str) -> None:
    """Stays theirs, within limits too."""
    with limited.limits(*LIMITS.get(limits, ({}, {}))):
        answer = limited.prepare(body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["props"]["argument"] == argument


def test_all_pairs_of_limits(limited: Limited) -> None:
    """Two at a time: what one makes smaller, another may again."""
    alone = ["a window of 100", "views of a minute", "ten buckets", "nothing that is expensive"]
    body = EXPORTS["no pattern"]
    for one, other in itertools.combinations(alone, 2):
        both = [{**LIMITS[one][place], **LIMITS[other][place]} for place in (0, 1)]
        with limited.limits(*both):
            assert limited.file(body) == limited.whole["no pattern"], (one, other)


def test_limits_that_come_later(limited: Limited) -> None:
    """Between prepare and download, and while nobody has read yet: links keep working."""
    links = {name: limited.served.link(ASSET, json=body) for name, body in EXPORTS.items()}
    with limited.limits(*LIMITS["all at once"]):
        for name, link in links.items():
            assert requests.get(link, timeout=120).content == limited.whole[name]


#: Fields of the service's own that an index cannot be asked for.
UNSOUND: dict[str, tuple[str, Any]] = {
    "an instant that is text": ("measuredAt", {"type": "text"}),
    "an instant without an order": ("measuredAt", {"type": "date", "doc_values": False}),
    "an asset that is text": (
        "asset",
        {"properties": {"_id": {"type": "text"}, "model": {"type": "keyword"}, "measureName": {"type": "keyword"}}},
    ),
}


@pytest.mark.parametrize(("name", "definition"), UNSOUND.values(), ids=list(UNSOUND))
def test_a_mapping_that_no_export_can_be_made_of(limited: Limited, name: str, definition: Any) -> None:
    """Is nobody's fault who asks, in any language and any order."""
    served = Served(limited.served.service, limited.served.environ, "unsound")
    made = unsound()
    made.collections["unsound", "measures"].mapping["properties"][name] = definition
    with written(made, limited.url):
        for body in ({}, {"sort": {"type": "asc"}}, EXPORTS["a pattern"], EXPORTS["Elasticsearch's own"]):
            answer = served.prepare("Box-one", json=body)
            if answer.status_code == 200:
                answer = requests.get(answer.json()["result"]["link"], timeout=60)
            assert answer.status_code == 503, answer.text
            assert answer.json()["error"]["id"] == "services.storage.not_connected"


def unsound() -> kuzzle.Kuzzle:
    """An engine with one measure."""
    made = kuzzle.Kuzzle()
    made.engine("unsound", values={"temperature": {"type": "float"}})
    made.asset("unsound", "Box", "one")
    at_one = {"_id": "Box-one", "model": "Box", "measureName": "slot1"}
    made.measure("unsound", "one", {**measure(1, NOON), "asset": at_one})
    return made


@contextlib.contextmanager
def written(made: kuzzle.Kuzzle, url: str) -> Iterator[None]:
    """Beside what is there: the admin index is, already."""
    names = {(index, collection): f"{index}.{collection}" for index, collection in made.collections}
    with requests.Session() as session:
        for key, content in made.collections.items():
            if key[0] != kuzzle.ADMIN_INDEX:
                kuzzle.create(session, url, names[key], content.mapping, 1)
            for body in kuzzle.bulk_bodies(content.documents):
                kuzzle.write(session, f"{kuzzle.index_url(url, names[key])}/_bulk?refresh=true", body)
        try:
            yield
        finally:
            for key in made.collections:
                if key[0] != kuzzle.ADMIN_INDEX:
                    session.delete(kuzzle.index_url(url, names[key])).raise_for_status()
            session.delete(f"{url}/%26device-manager.config/_doc/engine-device-manager--unsound?refresh=true")
