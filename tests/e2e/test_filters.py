"""Filters over HTTP: prepare, link, and the ids in the CSV, on both stores."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from services import exports, instants
from services.filters.parse import parse
from services.measures import ExportRequest, Target
from services.stores.elasticsearch import Budget, ElasticsearchStore
from services.turns import Turns
from tests.e2e.conftest import MANY, Served
from tests.filters import corpus
from tests.support import kuzzle

JSON = dict[str, Any]
Holds = Callable[[str, JSON], bool]

ASSET = "Container-c1"


def measures(asset: str) -> list[tuple[str, JSON]]:
    """Of the real Kuzzle, as the export has them: newest first."""
    written = kuzzle.real().collections[kuzzle.REAL_ENGINE, "measures"].documents
    found = [(id, source) for id, source in written.items() if (source.get("asset") or {}).get("_id") == asset]
    return sorted(found, key=lambda entry: -entry[1]["measuredAt"])


MEASURES = measures(ASSET)
IDS = [id for id, _ in MEASURES]
MIDDLE = MEASURES[len(MEASURES) // 2][1]["measuredAt"]


def values(source: JSON, name: str, default: Any = None) -> Any:
    return source["values"].get(name, default)


#: Filters, and what they mean.
KONCORDE: list[tuple[JSON, Holds]] = [
    ({}, lambda id, source: True),
    ({"nothing": True}, lambda id, source: False),
    ({"ids": {"values": [*IDS[3:40:7], "nobody"]}}, lambda id, source: id in IDS[3:40:7]),
    ({"not": {"ids": {"values": IDS[5:]}}}, lambda id, source: id in IDS[:5]),
    ({"equals": {"type": "position"}}, lambda id, source: source.get("type") == "position"),
    ({"in": {"asset.measureName": ["temperatureExt", "position"]}},
     lambda id, source: source["asset"]["measureName"] in ("temperatureExt", "position")),
    ({"exists": "values.temperature"}, lambda id, source: "temperature" in source["values"]),
    ({"missing": "values.temperature"}, lambda id, source: "temperature" not in source["values"]),
    ({"range": {"values.temperature": {"gt": 10, "lte": 21.5}}},
     lambda id, source: 10 < values(source, "temperature", 0) <= 21.5),
    ({"range": {"measuredAt": {"gte": MIDDLE}}}, lambda id, source: source["measuredAt"] >= MIDDLE),
    ({"regexp": {"asset.measureName": "^temperature(Ext|Weather)$"}},
     lambda id, source: source["asset"]["measureName"] in ("temperatureExt", "temperatureWeather")),
    ({"match": {"asset": {"measureName": "position"}, "type": "position"}},
     lambda id, source: source["asset"]["measureName"] == source.get("type") == "position"),
    ({"select": {"field": "origin.payloadUuids", "index": 0, "query": {"regexp": {"value": "^[0-7]"}}}},
     lambda id, source: (source["origin"].get("payloadUuids") or ["x"])[0] < "8"),
    ({"geoBoundingBox": {"values.position": {"top": 90, "left": -180, "bottom": 0, "right": 180}}},
     lambda id, source: values(source, "position", {"lat": -1})["lat"] >= 0),
    ({"bool": {"must": [{"exists": "values.position"}], "must_not": [{"range": {"values.accuracy": {"lt": 10}}}]}},
     lambda id, source: "position" in source["values"] and values(source, "accuracy", 10) >= 10),
]  # fmt: skip

#: Queries of Elasticsearch, and what they mean here.
ELASTIC: list[tuple[JSON, Holds]] = [
    ({}, lambda id, source: True),
    ({"match_all": {}}, lambda id, source: True),
    ({"term": {"type": "position"}}, lambda id, source: source.get("type") == "position"),
    ({"range": {"values.temperature": {"gt": 10, "lte": "21.5"}}},
     lambda id, source: 10 < values(source, "temperature", 0) <= 21.5),
    ({"bool": {"must_not": {"exists": {"field": "values.temperature"}}}},
     lambda id, source: "temperature" not in source["values"]),
    ({"bool": {"should": [{"match_all": {}}, {"term": {"asset._id": "Container-many"}}]}}, lambda id, source: True),
    ({"term": {"asset._id": "Container-many"}}, lambda id, source: False),
    ({"ids": {"values": [IDS[1], "many-000001"]}}, lambda id, source: id == IDS[1]),
    ({"range": {"values.temperature": {"gte": 10**400}}}, lambda id, source: False),
    ({"query_string": {"query": "asset.measureName:temperature*"}},
     lambda id, source: source["asset"]["measureName"].startswith("temperature")),
]  # fmt: skip

#: Queries that are refused, and the path.
REFUSED_BY_US: list[tuple[JSON, str]] = [
    ({"script": {"script": "true"}}, "query.script"),
    ({"bool": {"filter": [{"match_all": {}}, {"script": {"script": "true"}}]}}, "query.bool.filter[1].script"),
    ({"terms": {"type": {"index": "other", "id": "1", "path": "types"}}}, "query.terms.type"),
]

#: Queries that Elasticsearch refuses, and a part of its reason.
REFUSED_BY_ELASTICSEARCH: list[tuple[JSON, str]] = [
    ({"term": {"values.temperature": "warm"}}, "warm"),
    ({"range": {"values.position": {"gte": 1}}}, "range"),
    ({"range": {"measuredAt": {"gte": "tomorrow"}}}, "tomorrow"),
    ({"nested": {"path": "nowhere", "query": {"match_all": {}}}}, "nowhere"),
    ({"terms": {"type": "temperature"}}, "terms"),
]


def found(link: str) -> list[str]:
    """The ids in the CSV."""
    answer = requests.get(link, timeout=60)
    assert answer.status_code == 200, answer.text
    return [line.partition(",")[0] for line in answer.text.splitlines()[1:]]


def matching(holds: Holds) -> list[str]:
    return [id for id, source in MEASURES if holds(id, source)]


@pytest.mark.parametrize(("query", "holds"), KONCORDE)
def test_koncorde(served: Served, query: JSON, holds: Holds) -> None:
    """The same rows on both stores, and no fewer than are announced."""
    result = served.prepare(ASSET, json={"query": query}).json()["result"]
    expected = matching(holds)
    assert found(result["link"]) == expected
    assert result["estimatedRows"] >= len(expected)
    assert result["estimate"] == "at most" or result["estimatedRows"] == len(expected)


@pytest.mark.parametrize(
    ("query", "count"),
    [({}, 1501), ({"nothing": True}, 0), ({"ids": {"values": IDS[:7]}}, 7), ({"equals": {"_id": IDS[0]}}, 1)],
)
def test_ids_are_counted_exactly(served: Served, query: JSON, count: int) -> None:
    """On Elasticsearch too: nothing is decided while reading."""
    result = served.prepare(ASSET, json={"query": query}).json()["result"]
    assert (result["estimatedRows"], result["estimate"]) == (count, "exact")


@pytest.mark.parametrize(("offset", "size"), [(0, 3), (7, 3), (39_990, 100), (40_000, None), (0, 0), (59_000, 5)])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_from_and_size(served: Served, offset: int, size: int | None, order: str) -> None:
    """They count rows of the file, over many pages."""
    query = {"range": {"values.temperature": {"gte": 20_000 / 8}}}
    body = {"query": query, "from": offset, "sort": {"measuredAt": order}, **({} if size is None else {"size": size})}
    result = served.prepare("Container-many", json=body).json()["result"]
    whole = [f"many-{number:06}" for number in range(20_000, MANY)][:: 1 if order == "asc" else -1]
    expected = whole[offset:] if size is None else whole[offset : offset + size]
    assert found(result["link"]) == expected
    assert len(expected) <= result["estimatedRows"] <= (MANY if size is None else size)


def test_no_row_matches(served: Served) -> None:
    """The header row alone, after sixty thousand rows that do not."""
    link = served.link("Container-many", json={"query": {"regexp": {"asset.measureName": "[QXZ]"}}})
    assert found(link) == []


def test_refused_filters(served: Served) -> None:
    """All of the corpus: 400 at once, with the path of the mistake."""
    answers = {case.id: served.prepare(ASSET, data=written({"query": case.query})) for case in corpus.REFUSED}
    told = {id: (answer.status_code, answer.json()["error"]["props"]["argument"]) for id, answer in answers.items()}
    assert told == {case.id: (400, case.error) for case in corpus.REFUSED}


def written(body: JSON) -> str:
    """With numbers that no double holds, which JSON may well have."""
    return json.dumps(body).replace("Infinity", "1e400")


@pytest.mark.elasticsearch
@pytest.mark.parametrize(("query", "holds"), ELASTIC)
def test_queries_of_elasticsearch(on_elasticsearch: Served, query: JSON, holds: Holds) -> None:
    """Counted exactly, and never more than the target's own measures."""
    result = on_elasticsearch.prepare(ASSET, json={"lang": "elasticsearch", "query": query}).json()["result"]
    expected = matching(holds)
    assert found(result["link"]) == expected
    assert (result["estimatedRows"], result["estimate"]) == (len(expected), "exact")


@pytest.mark.elasticsearch
def test_queries_of_elasticsearch_stay_within_range_and_type(on_elasticsearch: Served) -> None:
    """Whatever they ask for."""
    body = {"lang": "elasticsearch", "query": {"bool": {"should": [{"match_all": {}}]}}, "type": "position",
            "startAt": instants.iso(MIDDLE)}  # fmt: skip
    link = on_elasticsearch.link(ASSET, json=body)
    assert found(link) == matching(
        lambda id, source: source.get("type") == "position" and source["measuredAt"] >= MIDDLE
    )


@pytest.mark.elasticsearch
@pytest.mark.parametrize(("query", "path"), REFUSED_BY_US)
def test_scripts_and_other_indices(on_elasticsearch: Served, query: JSON, path: str) -> None:
    """400, with the path of the clause."""
    answer = on_elasticsearch.prepare(ASSET, json={"lang": "elasticsearch", "query": query})
    assert (answer.status_code, answer.json()["error"]["props"]["argument"]) == (400, path)


@pytest.mark.elasticsearch
@pytest.mark.parametrize(("query", "reason"), REFUSED_BY_ELASTICSEARCH)
@pytest.mark.parametrize("beside", [{}, {"startAt": "2100"}, {"type": "nothing has it"}, {"sort": {"type": "asc"}}])
def test_what_elasticsearch_refuses(on_elasticsearch: Served, query: JSON, reason: str, beside: JSON) -> None:
    """400 at prepare in its own words, also where no row could be found anyway."""
    answer = on_elasticsearch.prepare(ASSET, json={"lang": "elasticsearch", "query": query, **beside})
    error = answer.json()["error"]
    assert (answer.status_code, error["props"]["argument"]) == (400, "query")
    assert reason in error["message"]


def test_queries_of_elasticsearch_on_the_embedded_store(embedded: Served) -> None:
    """Refused: it is no Elasticsearch."""
    answer = embedded.prepare(ASSET, json={"lang": "elasticsearch", "query": {"match_all": {}}})
    assert (answer.status_code, answer.json()["error"]["props"]["argument"]) == (400, "lang")


@pytest.fixture
def store(on_elasticsearch: Served) -> Iterator[ElasticsearchStore]:
    environ = on_elasticsearch.environ
    store = ElasticsearchStore(
        [environ["ELASTICSEARCH_URL"]], admin_index=environ["ADMIN_INDEX"], prefetch=Budget(2**26), turns=Turns()
    )
    yield store
    store.close()


@pytest.mark.elasticsearch
def test_the_header_row_does_not_wait_for_a_match(on_elasticsearch: Served, store: ElasticsearchStore) -> None:
    """It is ready after the first page, of many that hold no row; an empty block for each other."""
    request = ExportRequest(
        export_id="x",
        target=Target(on_elasticsearch.engine, "assets", "Container-many"),
        filter=parse({"regexp": {"asset.measureName": "[QXZ]"}}),
    )
    blocks = list(exports.download(request, store, Turns()))
    assert blocks[0].startswith(b"Measure Id,")
    assert blocks[0].count(b"\n") == 1
    assert len(blocks) >= MANY / 5000
    assert set(blocks[1:]) == {b""}
