"""A filter as callers send it: prepare, link, and the ids in the CSV; on both stores."""

import csv
import json
from typing import Any

import pytest
import requests

from services.filters.koncorde.parse import parse
from services.filters.python.evaluator import compile
from tests.e2e.conftest import Served
from tests.services.filters.corpus import REFUSED
from tests.support import kuzzle

ASSET = "Container-c1"

MEASURES = {
    id: measure
    for id, measure in kuzzle.real().collections[kuzzle.REAL_ENGINE, "measures"].documents.items()
    if (measure.get("asset") or {}).get("_id") == ASSET
}
SOME_IDS = sorted(MEASURES)[:1000:100]
UUID = next(uuid for measure in MEASURES.values() for uuid in measure["origin"]["payloadUuids"])

#: Each selects some of the measures and not all, but for `nothing`.
FILTERS: dict[str, Any] = {
    "equals": {"equals": {"asset.measureName": "temperatureInt"}},
    "in": {"in": {"origin.type": ["api", "unknown"]}},
    "ids": {"ids": {"values": SOME_IDS}},
    "exists": {"exists": "values.position"},
    "exists in an array": {"exists": f"origin.payloadUuids[{json.dumps(UUID)}]"},
    "missing": {"missing": "type"},
    "range": {"range": {"values.temperature": {"gte": 20, "lt": 22.5}}},
    "range of instants": {"range": {"measuredAt": {"gt": 1_700_000_010_000, "lte": 1_700_001_000_000}}},
    "regexp": {"regexp": {"asset.measureName": {"value": "^TEMP.*t$", "flags": "i"}}},
    "match": {"match": {"asset": {"measureName": "position"}, "origin": {"payloadUuids": []}}},
    "select": {"select": {"field": "origin.payloadUuids", "index": 0, "query": {"regexp": {"value": "^[0-7]"}}}},
    "geoDistance": {"geoDistance": {"values.position": [48.85, 2.35], "distance": "0.5 km"}},
    "geoDistanceRange": {"geoDistanceRange": {"values.position": "48.85, 2.35", "from": "500 m", "to": "1000 yards"}},
    "geoBoundingBox": {
        "geoBoundingBox": {"values.position": {"top": 48.85, "left": 2.34, "bottom": 48.8, "right": 2.35}}
    },
    "geoPolygon": {"geoPolygon": {"values.position": {"points": [[48.84, 2.33], [48.86, 2.33], [48.84, 2.36]]}}},
    "and, or, not": {
        "and": [
            {"or": [{"exists": "values.temperature"}, {"equals": {"type": "position"}}]},
            {"not": {"equals": {"origin._id": "DummyTemp-d2"}}},
        ]
    },
    "bool": {
        "bool": {
            "must": [{"exists": "values.temperature"}],
            "must_not": [{"range": {"values.temperature": {"lt": 20}}}],
            "should": [{"equals": {"asset.measureName": "temperatureExt"}}, {"equals": {"origin.type": "api"}}],
            "should_not": [{"exists": "origin.deviceModel"}, {"exists": "unknown"}],
        }
    },
    "nothing": {"nothing": True},
}


def exported(link: str) -> set[str]:
    rows = csv.reader(requests.get(link, timeout=60).content.decode().splitlines())
    next(rows)
    return {row[0] for row in rows}


@pytest.mark.parametrize("name", FILTERS)
def test_the_rows_are_those_that_match(served: Served, name: str) -> None:
    """As many as were announced, or fewer where only reading decides."""
    query = FILTERS[name]
    matches = compile(parse(query))
    expected = {id for id, measure in MEASURES.items() if matches({**measure, "_id": id})}
    result = served.prepare(ASSET, json={"query": query}).json()["result"]
    assert exported(result["link"]) == expected
    assert bool(expected) is (name != "nothing")
    assert len(expected) < len(MEASURES)
    if result["estimate"] == "exact":
        assert result["estimatedRows"] == len(expected)
    else:
        assert result["estimatedRows"] >= len(expected)


@pytest.mark.parametrize("name", ["ids", "nothing"])
def test_what_needs_no_reading_is_counted(served: Served, name: str) -> None:
    """Like `type` and the range of the request."""
    result = served.prepare(ASSET, json={"query": FILTERS[name]}).json()["result"]
    assert result["estimate"] == "exact"


def test_every_mistake_is_told_at_prepare(served: Served) -> None:
    """With its path, however the filter is wrong."""
    told = []
    with requests.Session() as session:
        for case in REFUSED:
            body = json.dumps({"query": case.query}).replace("Infinity", "1e999")
            answer = session.post(served.prepare_url(ASSET), data=body, timeout=30)
            told.append((case.id, answer.status_code, answer.json()["error"]["props"].get("argument")))
    assert told == [(case.id, 400, case.error) for case in REFUSED]
