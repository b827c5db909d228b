"""The caller's own sorts: in the embedded store as Elasticsearch has them, asked of a real one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from services.errors import InvalidArgument
from services.measures import SortKey
from services.stores.sqlite.fields import find
from tests.services.stores.sqlite.conftest import NOON, Database, Document, measure, measure_model

#: A name that no struct can have.
ODD = 'quo"te\\'

#: Declared by measure models, all in `values`.
DECLARED: dict[str, Any] = {
    "keyword": {"type": "keyword"},
    "short": {"type": "keyword", "ignore_above": 3},
    "unkept": {"type": "keyword", "doc_values": False},
    "text": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
    "long": {"type": "long"},
    "integer": {"type": "integer"},
    "float": {"type": "float"},
    "double": {"type": "double"},
    "half": {"type": "half_float"},
    "date": {"type": "date"},
    "boolean": {"type": "boolean"},
    "point": {"type": "geo_point"},
    "level": {"properties": {"x": {"type": "float"}}},
    "off": {"type": "object", "enabled": False},
    "each": {"type": "nested", "properties": {"x": {"type": "float"}}},
    ODD: {"type": "long"},
}

#: `values`, one measure each; none of the ties but those of the last is by chance.
VALUES: list[dict[str, Any]] = [
    {"keyword": "b", "long": 5, "float": 1.5, "date": NOON, "boolean": True, "double": 0.1, "short": "abcd", ODD: 7},
    {"keyword": ["z", "a"], "long": [1, 9, 9], "float": [3, 1], "date": [NOON + 1, 5], "short": ["abcd", "x"], ODD: 3},
    {"keyword": "é", "long": -3, "float": 16777217, "double": 16777217, "half": 0.1, "boolean": "false"},
    {"keyword": "Z", "long": 2**53 + 1, "float": 16777216, "double": 16777216, "half": 0.1001, "boolean": ""},
    {"keyword": "😀", "long": 2**53, "float": "2.5", "integer": 3.9, "date": "2024-06-10T06:13:20.000Z"},
    {"keyword": "\uffff", "long": "7", "integer": 3, "date": "2024", "level": {"x": 2}},
    {"keyword": 10, "long": [5, 6], "integer": [4, 1], "level": [{"x": 5}, {"x": 1}], "date": 2023},
    {"keyword": True, "level.x": 3, "short": "é😀", "half": [0.1, 0.3], "double": -0.0, "boolean": [False, True]},
    {"keyword": None, "long": [], "text": "Some Text", "float": None, "double": 0, "short": "abc"},
    {"keyword": "", "text": ["b", "a"], "double": 1e300, "long": 3.9, "integer": -3.9, "date": -1},
    {},
]

SORTS: list[tuple[str, dict[str, Any]]] = [
    (field, options)
    for field in ("keyword", "short", "long", "integer", "float", "double", "half", "date", "boolean", "level.x")
    for options in ({}, {"order": "desc"}, {"missing": "_first"}, {"order": "desc", "missing": "_first"})
]
SORTS += [
    (field, {"mode": mode, "order": order})
    for field in ("long", "integer", "float", "double", "date", "keyword", "boolean")
    for mode in ("min", "max", "sum", "avg", "median")
    for order in ("asc", "desc")
]
SORTS += [
    ("keyword", {"missing": "c"}),
    ("keyword", {"missing": 5}),
    ("keyword", {"missing": True, "order": "desc"}),
    ("long", {"missing": 6}),
    ("long", {"missing": "6"}),
    ("long", {"missing": 5.9}),
    ("long", {"missing": "x"}),
    ("long", {"missing": True}),
    ("long", {"missing": "5.5"}),
    ("integer", {"missing": 3}),
    ("float", {"missing": 2.5}),
    ("float", {"missing": "1.25"}),
    ("double", {"missing": "0x"}),
    ("date", {"missing": NOON}),
    ("date", {"missing": "2024"}),
    ("date", {"missing": "2024-01-01"}),
    ("boolean", {"missing": 1}),
    ("boolean", {"missing": "true"}),
    ("long", {"unmapped_type": "keyword"}),
    ("text", {}),
    ("text.raw", {}),
    ("text.raw", {"order": "desc"}),
    ("text.none", {}),
    ("unkept", {}),
    ("point", {}),
    ("point.lat", {}),
    ("level", {}),
    ("level.y", {}),
    ("off", {}),
    ("off.x", {}),
    ("each", {}),
    ("each.x", {}),
    ("nowhere", {}),
    ("nowhere", {"unmapped_type": "long"}),
    ("nowhere", {"missing": 1}),
    ("nowhere", {"unmapped_type": "keyword", "missing": "x"}),
    ("nowhere", {"unmapped_type": "text"}),
    ("nowhere", {"unmapped_type": "nothing"}),
    ("nowhere", {"unmapped_type": "geo_point"}),
    ("level", {"unmapped_type": "date"}),
    ("long", {"mode": "mean"}),
]
SORTS += [
    (name, {"unmapped_type": type, "missing": missing})
    for name in ('a"b', "a\\b", "a\x00b", "a\nb", "\x1f", '"', "é", "a..b", ".", "*", " ")
    for type, missing in (("long", 5), ("keyword", "_first"))
]
SORTS += [('a"b', {}), ("nul\x00", {}), (ODD, {}), (ODD, {"order": "desc", "missing": "_first"}), (f"{ODD}.x", {})]


def documents() -> list[Document]:
    return [measure(f"m{number:02}", NOON, values=values) for number, values in enumerate(VALUES)]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    database = Database(tmp_path_factory.mktemp("database"))
    halves = [dict(list(DECLARED.items())[:7]), dict(list(DECLARED.items())[7:])]
    database.load(
        measures=documents(), models=[measure_model(f"t{number}", values) for number, values in enumerate(halves)]
    )
    return database


@pytest.fixture(scope="module")
def index(elasticsearch_url: str, unique: Callable[[str], str]) -> Iterator[str]:
    """The same documents, in the same order, in an index of Elasticsearch."""
    url = f"{elasticsearch_url}/{unique('sorting')}"
    keyword = {"type": "keyword"}
    mapping = {
        "_id": keyword, "measureName": keyword, "model": keyword, "deviceModel": keyword, "type": keyword,
    }  # fmt: skip
    properties = {
        "measuredAt": {"type": "date"}, "type": keyword, "values": {"properties": DECLARED},
        "asset": {"properties": mapping}, "origin": {"properties": mapping},
    }  # fmt: skip
    body = {"mappings": {"dynamic": "strict", "properties": properties}, "settings": {"number_of_shards": 1}}
    requests.put(url, json=body, timeout=30).raise_for_status()
    for id, source in documents():
        requests.put(f"{url}/_doc/{id}?refresh=true", json=source, timeout=30).raise_for_status()
    yield url
    requests.delete(url, timeout=30).raise_for_status()


def elasticsearch(index: str, *sort: dict[str, Any]) -> list[str] | None:
    """`None`: refused."""
    answer = requests.post(f"{index}/_search", json={"size": 100, "sort": [*sort, {"_seq_no": "asc"}]}, timeout=30)
    if answer.status_code == 400:
        return None
    answer.raise_for_status()
    return [hit["_id"] for hit in answer.json()["hits"]["hits"]]


def embedded(database: Database, *sort: SortKey) -> list[str] | None:
    """`None`: refused."""
    try:
        return database.ids(sort=sort)
    except InvalidArgument:
        return None


@pytest.mark.elasticsearch
@pytest.mark.parametrize(("field", "options"), SORTS)
def test_as_elasticsearch_sorts(index: str, database: Database, field: str, options: dict[str, Any]) -> None:
    """Every type, direction, mode and place of what is missing; and the same refusals."""
    name = f"values.{field}"
    assert embedded(database, SortKey(name, **options)) == elasticsearch(index, {name: options})


@pytest.mark.elasticsearch
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("type", "asc"), ("values.long", "desc")),
        (("values.boolean", "desc"), ("values.keyword", "asc")),
        (("values.date", "asc"), ("values.float", "desc")),
        (("measuredAt", "desc"), ("values.double", "asc")),
        (("asset.groups.id", "asc"), ("values.long", "asc")),
    ],
)
def test_several_fields_as_elasticsearch_sorts(
    index: str, database: Database, first: tuple[str, Any], second: tuple[str, Any]
) -> None:
    """The first decides, ties of it the second."""
    keys = [SortKey(field, order, unmapped_type="keyword") for field, order in (first, second)]
    asked = [{field: {"order": order, "unmapped_type": "keyword"}} for field, order in (first, second)]
    assert embedded(database, *keys) == elasticsearch(index, *asked)


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("_id", "cannot be sorted by _id"),
        ("nowhere", r"No mapping found for \[nowhere\] in order to sort on"),
        ("values", r"No mapping found for \[values\]"),
        ("origin.apiMetadata.x", "No mapping found"),
        ("", "No mapping found"),
        ("values.point", '"values.point" is of type geo_point here: it cannot be sorted by'),
        ("values.text", "of type text"),
        ("asset.softTenant.text", "of type text"),
    ],
)
def test_refusals_say_why(database: Database, field: str, reason: str) -> None:
    """At prepare, with the argument and the field."""
    with pytest.raises(InvalidArgument, match=f'^Invalid argument "sort": .*{reason}'):
        database.ids(sort=(SortKey(field),))


@pytest.mark.parametrize(
    "field",
    ["asset._id", "asset.groups.id", "asset.groups.date", "asset.softTenant", "origin.payloadUuids", "type",
     "origin.deviceModel", "_kuzzle_info.createdAt", "asset.metadata.weight", "origin.deviceMetadata.serial"],
)  # fmt: skip
def test_fields_that_kuzzle_declares(database: Database, field: str) -> None:
    """Its own, and those of the models of assets and devices."""
    asset = {"type": "asset", "asset": {"model": "A", "metadataMappings": {"weight": {"type": "integer"}}}}
    device = {"type": "device", "device": {"model": "D", "metadataMappings": {"serial": {"type": "keyword"}}}}
    database.load(models=[("model-asset-A", asset), ("model-device-D", device)])
    assert len(database.ids(sort=(SortKey(field),))) == len(VALUES)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", None),
        ("a.b", ("a.b", {"type": "long"})),
        ("a.b.c", None),
        ("d", ("d", {"type": "text", "fields": {"k": {"type": "keyword"}}})),
        ("d.k", ("d", {"type": "keyword"})),
        ("d.k.x", None),
        ("e.f", ("e.f", {"type": "long"})),
        ("odd", None),
        ("", None),
    ],
)
def test_finding_a_field(path: str, found: Any) -> None:
    """Through levels, sub-fields and names with dots; objects are none."""
    properties: dict[str, Any] = {
        "a": {"properties": {"b": {"type": "long"}}},
        "d": {"type": "text", "fields": {"k": {"type": "keyword"}}},
        "e.f": {"type": "long"},
        "odd": 5,
    }
    assert find(properties, path) == found
