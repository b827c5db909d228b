"""Indices that are not as Kuzzle makes them: every row is in the file, or a sentence says why there is none."""

import contextlib
import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Served, settings
from tests.support.engines import (
    ASSET,
    DEVICE,
    DYNAMIC,
    NOON,
    Engines,
    Index,
    measure,
    models,
    strict,
    with_field,
    without_field,
)  # fmt: skip
from tests.support.kuzzle import real_mapping
from tests.support.service import service

JSON = dict[str, Any]

pytestmark = pytest.mark.elasticsearch

KEYWORD = {"type": "keyword"}
TEXT = {"type": "text"}
NESTED: JSON = {"type": "nested", "properties": dict.fromkeys(("_id", "model", "measureName"), KEYWORD)}
OFF: JSON = {"type": "object", "enabled": False}
#: As Elasticsearch makes it of a text that it was told nothing about.
BOTH = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}

#: By whom an export is asked for: the kind of target, and its id.
TARGETS = [("assets", ASSET), ("devices", DEVICE)]


@pytest.fixture(scope="module")
def engines(elasticsearch_url: str, unique: Callable[[str], str]) -> Iterator[Engines]:
    made = Engines(elasticsearch_url, unique)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def running(
    engines: Engines, elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Served]]:
    """The service, asked of an engine."""
    environ = settings(elasticsearch_url, engines.admin_index)
    with service(environ, tmp_path_factory.mktemp("mappings") / "log") as started:
        yield lambda engine: Served(started, environ, engine)


def result(served: Served, id: str = ASSET, kind: Any = "assets", **options: Any) -> JSON:
    """Of a prepare that is content."""
    answer = served.prepare(id, kind=kind, **options)
    assert answer.status_code == 200, answer.text
    found: JSON = answer.json()["result"]
    return found


def rows(served: Served, id: str = ASSET, kind: Any = "assets", **options: Any) -> list[list[str]]:
    """Of the file, its header among them; as many as announced."""
    prepared = result(served, id, kind, **options)
    answer = requests.get(prepared["link"], timeout=60)
    assert answer.status_code == 200, answer.text
    found = list(csv.reader(answer.content.decode().splitlines()))
    assert len(found) - 1 == prepared["estimatedRows"] or prepared["estimate"] == "at most"
    return found


def ids(served: Served, id: str = ASSET, kind: Any = "assets", **options: Any) -> list[str]:
    return [row[0] for row in rows(served, id, kind, **options)[1:]]


def refused(served: Served, id: str = ASSET, kind: Any = "assets", **options: Any) -> str:
    """The sentence with which prepare says 503."""
    answer = served.prepare(id, kind=kind, **options)
    assert answer.status_code == 503, answer.text
    assert answer.json()["error"]["id"] == "services.storage.not_connected"
    return str(answer.json()["error"]["message"])


# Several indices, and what a filter asks of them


#: What maps `values.code` otherwise than a keyword: the documents are the same.
OTHERS: dict[str, JSON] = {
    "text": strict({"code": TEXT}),
    "text and keyword": strict({"code": BOTH}),
    "short keyword": strict({"code": {"type": "keyword", "ignore_above": 3}}),
    "normalized keyword": strict({"code": {"type": "keyword", "normalizer": "lowercase"}}),
    "keyword that is not indexed": strict({"code": {"type": "keyword", "index": False}}),
    "lenient number": strict({"code": {"type": "long", "ignore_malformed": True}}),
    "ignored": strict({"code": OFF}),
    "not mapped": strict(dynamic=False),
    "runtime": strict(dynamic="runtime"),
    "dynamic": DYNAMIC,
    "ignored object": with_field("values", OFF),
    "nested": with_field("values", {"type": "nested", "properties": {"code": KEYWORD}}),
    "copied": strict({"code": KEYWORD, "note": {"type": "keyword", "copy_to": "values.code"}}),
}


@pytest.mark.parametrize(
    ("other", "turned"), [*((other, False) for other in OTHERS), ("text", True), ("not mapped", True)]
)
def test_a_filter_finds_the_rows_of_every_index(
    other: str, turned: bool, engines: Engines, running: Callable[[str], Served]
) -> None:
    """However each maps what it asks for, and whichever comes first."""
    documents = {"1": measure(NOON, code="X-1 Old"), "2": measure(NOON + 1, code="x-1 old")}
    pair = [
        Index({f"a{id}": document for id, document in documents.items()}, strict({"code": KEYWORD})),
        Index({f"b{id}": document for id, document in documents.items()}, OTHERS[other]),
    ]
    served = running(engines.add(*(pair[::-1] if turned else pair)))
    for query, expected in (
        ({"equals": {"values.code": "X-1 Old"}}, {"a1", "b1"}),
        ({"not": {"equals": {"values.code": "X-1 Old"}}}, {"a2", "b2"}),
        ({"in": {"values.code": ["x-1 old", "y"]}}, {"a2", "b2"}),
        ({"regexp": {"values.code": "^X-1"}}, {"a1", "b1"}),
        ({"exists": "values.code"}, {"a1", "a2", "b1", "b2"}),
        ({"missing": "values.code"}, set()),
        ({}, {"a1", "a2", "b1", "b2"}),
    ):
        found = ids(served, json={"query": query})
        assert (set(found), len(found)) == (expected, len(expected)), query


# Several indices, and what the service asks itself


def mixed(documents: int = 3) -> list[Index]:
    """As Kuzzle makes them, and as Elasticsearch does by itself: text with a keyword beside it, a long for instants."""
    return [
        Index({f"k{at}": measure(NOON + 2 * at, slot="inside", t=at) for at in range(documents)}),
        Index({f"d{at}": measure(NOON + 2 * at + 1, slot="Out Side", t=at) for at in range(documents)}, DYNAMIC),
    ]


@pytest.mark.parametrize(("kind", "id"), TARGETS)
def test_an_index_that_nobody_mapped(kind: str, id: str, engines: Engines, running: Callable[[str], Served]) -> None:
    """Every argument does there what it does elsewhere."""
    served = running(engines.add(mixed()[1]))
    assert result(served, id, kind)["estimate"] == "exact"
    assert ids(served, id, kind) == ["d2", "d1", "d0"]
    assert ids(served, id, kind, json={"sort": {"measuredAt": "asc"}}) == ["d0", "d1", "d2"]
    assert ids(served, id, kind, params={"type": "temperature"}) == ["d2", "d1", "d0"]
    assert ids(served, id, kind, params={"type": "Temperature"}) == []
    assert ids(served, id, kind, params={"startAt": "2024-06-10T06:13:20.002Z"}) == ["d2", "d1"]
    assert ids(served, id, kind, params={"from": 1, "size": 1}) == ["d1"]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("kind", "id"), TARGETS)
def test_an_index_that_nobody_mapped_beside_one_of_kuzzle(
    kind: str, id: str, turned: bool, engines: Engines, running: Callable[[str], Served]
) -> None:
    """One order of all, every slot a column, each cell filled."""
    pair = mixed()
    served = running(engines.add(*(pair[::-1] if turned else pair)))
    assert result(served, id, kind)["estimate"] == "exact"
    assert result(served, id, kind)["estimatedRows"] == 6
    assert ids(served, id, kind) == ["d2", "k2", "d1", "k1", "d0", "k0"]
    assert ids(served, id, kind, json={"sort": "measuredAt"}, params={"type": "temperature"}) == [
        "k0", "d0", "k1", "d1", "k2", "d2"]  # fmt: skip
    header, *found = rows(served, id, kind)
    slots = {"assets": ["inside.t", "inside.code", "Out Side.t", "Out Side.code"], "devices": ["probe.t", "probe.code"]}
    assert header[8:] == slots[kind]
    cells = {row[0]: [cell for cell in row[8:] if cell] for row in found}
    assert cells == {f"{letter}{at}": [str(at)] for letter in "kd" for at in range(3)}


def test_many_windows_of_two_indices(engines: Engines, running: Callable[[str], Served]) -> None:
    """Dates and longs: in one order, none twice, none missing; `from` and `size` of them."""
    documents = 6_000
    served = running(engines.add(*mixed(documents)))
    expected = [f"{letter}{at}" for at in range(documents) for letter in "kd"]
    assert ids(served, json={"sort": "measuredAt"}) == expected
    assert ids(served) == expected[::-1]
    assert ids(served, params={"from": 5_500, "size": 1_000}) == expected[::-1][5_500:6_500]


def test_ids_that_differ_in_case_or_words(engines: Engines, running: Callable[[str], Served]) -> None:
    """An analysed field would find them all."""
    others = {
        other: {**measure(NOON), "asset": {"_id": other, "model": "Box", "measureName": "inside"}}
        for other in ("box-a 1", "Box-A", "Box-A 1 2", "1")
    }
    served = running(engines.add(Index({"mine": measure(NOON), **others}, DYNAMIC)))
    assert ids(served) == ["mine"]


@pytest.mark.parametrize("mapping", [strict(), DYNAMIC, strict(dynamic=False), strict(dynamic="runtime"), {}])
def test_an_empty_index(mapping: JSON, engines: Engines, running: Callable[[str], Served]) -> None:
    """Has nothing to say, alone or beside others."""
    full = Index({"a": measure(NOON)})
    assert ids(running(engines.add(Index({}, mapping)))) == []
    assert ids(running(engines.add(Index({}, mapping), full))) == ["a"]
    assert ids(running(engines.add(full, Index({}, mapping))), DEVICE, "devices") == ["a"]


@pytest.mark.parametrize(("path", "definition"), [
    ("asset", {"type": "flattened"}),
    ("asset._id", {"type": "keyword", "index": False}),
    ("asset._id", {"type": "keyword", "ignore_above": len(ASSET)}),
    ("asset._id", {"type": "text", "fields": {"raw": KEYWORD}}),
    ("asset._id", {"type": "text", "fields": {"a": {"type": "keyword", "normalizer": "lowercase"}, "b": KEYWORD}}),
    ("asset._id", {"type": "keyword", "ignore_above": 2, "fields": {"all": KEYWORD}}),
    ("asset._id", {"type": "keyword", "normalizer": "lowercase", "fields": {"raw": KEYWORD}}),
    ("asset.measureName", BOTH),
    ("type", BOTH),
    ("measuredAt", {"type": "date", "index": False}),
    ("measuredAt", {"type": "long"}),
], ids=str)  # fmt: skip
def test_fields_that_can_be_asked(
    path: str, definition: JSON, engines: Engines, running: Callable[[str], Served]
) -> None:
    """Alone, and beside one of Kuzzle's; other assets are not in the file."""
    stranger = {**measure(NOON), "asset": {"_id": ASSET.lower(), "model": "Box", "measureName": "inside"}}
    odd = Index({"b": measure(NOON + 1), "c": stranger}, with_field(path, definition))
    assert ids(running(engines.add(odd))) == ["b"]
    served = running(engines.add(Index({"a": measure(NOON), "d": measure(NOON + 2)}), odd))
    assert ids(served) == ["d", "b", "a"]
    assert ids(served, params={"type": "temperature", "endAt": "2024-06-10T06:13:20.001Z"}) == ["b", "a"]


def keyword(path: str, **options: Any) -> tuple[str, JSON]:
    return path, with_field(path, {**KEYWORD, **options})


#: A path that is found by nothing, a mapping that makes it so, and what the sentence says.
UNASKABLE: list[tuple[str, JSON, str]] = [
    ("asset._id", with_field("asset._id", TEXT), "text, which is analysed, without a sub-field"),
    ("type", with_field("type", TEXT), "text, which is analysed"),
    ("type", with_field("type", {**TEXT, "fields": {"k": {**KEYWORD, "normalizer": "lowercase"}}}), "text, which"),
    (*keyword("asset._id", normalizer="lowercase"), "keyword with a normalizer"),
    (*keyword("asset._id", null_value="x"), "keyword with a null_value"),
    (*keyword("asset._id", index=False, doc_values=False), "neither indexed nor has doc_values"),
    ("asset._id", with_field("asset", NESTED), 'within "asset", which is nested'),
    ("asset._id", with_field("asset", OFF), 'within "asset", which is not looked into'),
    ("asset._id", {"enabled": False}, "its documents are not looked into"),
    ("asset._id", without_field("asset._id", dynamic=False), "not mapped, and what is not mapped is ignored"),
    ("type", without_field("type", dynamic="false"), "not mapped, and what is not mapped is ignored (dynamic: false)"),
    ("type", with_field("values.t", {"type": "float", "copy_to": "type"}), "others are copied to it"),
    ("asset._id", with_field("asset", {"type": "flattened", "ignore_above": 50}), 'within "asset", which is flattened'),
    ("measuredAt", without_field("measuredAt", dynamic=False), "not mapped, and what is not mapped is ignored"),
    ("measuredAt", with_field("measuredAt", TEXT), "text, which is analysed"),
    ("measuredAt", with_field("measuredAt", BOTH), "text, which is analysed"),
    ("measuredAt", with_field("measuredAt", {"type": "float"}), "float, which does not order as an instant"),
    (*keyword("measuredAt"), "keyword, which does not order as an instant"),
    ("measuredAt", with_field("measuredAt", {"type": "date", "doc_values": False}), "date without doc_values"),
    ("measuredAt", with_field("measuredAt", {"type": "date", "null_value": 0}), "date with a null_value"),
    ("measuredAt", with_field("measuredAt", {"type": "date", "format": "epoch_second"}), "date in seconds"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "mapping", "reason"), UNASKABLE, ids=[f"{path}: {why}" for path, _, why in UNASKABLE])
def test_fields_that_cannot_be_asked(
    path: str, mapping: JSON, reason: str, engines: Engines, running: Callable[[str], Served]
) -> None:
    """At prepare, and at a link that was prepared before: which index, which field, what it is, what would be right."""
    engine = engines.add(Index({"a": measure()}))
    served = running(engine)
    asked: JSON = {"params": {"type": "temperature"}} if path == "type" else {}
    link = result(served, **asked)["link"]
    at = NOON // 1000 if "seconds" in reason else NOON
    name = engines.join(engine, Index({"b": measure(at)}, mapping), 1)
    told = refused(served, **asked)
    assert told.startswith(f'The index "{name}" cannot be asked for "{path}": ')
    assert reason in told
    assert "would be right" in told
    answer = requests.get(link, timeout=60)
    assert (answer.status_code, answer.json()["error"]["message"]) == (503, told)
    alone = running(engines.add(Index({"b": measure(at)}, mapping)))
    assert refused(alone, **asked).partition(": ")[2] == told.partition(": ")[2]


#: What has no field that tells the slot, or the type, as documents hold it.
UNGATHERED: dict[str, JSON] = {
    "slot: text": with_field("asset.measureName", TEXT),
    "slot: normalized": with_field("asset.measureName", {**KEYWORD, "normalizer": "lowercase"}),
    "slot: null_value": with_field("asset.measureName", {**KEYWORD, "null_value": "x"}),
    "slot: without doc_values": with_field("asset.measureName", {**KEYWORD, "doc_values": False}),
    "slot: short": with_field("asset.measureName", {**KEYWORD, "ignore_above": 6}),
    "slot: not mapped": without_field("asset.measureName", dynamic=False),
    "type: text": with_field("type", TEXT),
    "type: not mapped": without_field("type", dynamic=False),
    "type: short, of a text": with_field("type", {**TEXT, "fields": {"k": {**KEYWORD, "ignore_above": 6}}}),
    "type: copied": with_field("values.t", {"type": "float", "copy_to": "type"}),
}


@pytest.mark.parametrize("name", UNGATHERED)
def test_slots_that_no_field_tells(name: str, engines: Engines, running: Callable[[str], Served]) -> None:
    """Are read in the documents: every one is a column, and no other is; alone and beside another index."""
    odd = {"b": measure(NOON + 1, slot="Other Place"), "c": measure(NOON + 2), "d": measure(NOON + 3, slot="inner")}
    alone = running(engines.add(Index(odd, UNGATHERED[name])))
    own = [f"{slot}.{leaf}" for slot in ("inside", "Other Place", "inner") for leaf in ("t", "code")]
    assert rows(alone)[0][8:] == own
    beside = Index({"a": measure(slot="x" * 300)})
    header, *found = rows(running(engines.add(Index(odd, UNGATHERED[name]), beside)))
    assert header[8:] == [*own, *(f"{'x' * 300}.{leaf}" for leaf in ("t", "code"))]
    assert [(row[0], row[8:].index("1")) for row in found] == [("d", 4), ("c", 0), ("b", 2), ("a", 6)]


def test_a_target_longer_than_what_is_indexed(engines: Engines, running: Callable[[str], Served]) -> None:
    """It would be found in no document."""
    served = running(engines.add(Index({"a": measure()}, with_field("asset._id", {**KEYWORD, "ignore_above": 6}))))
    assert f'"asset._id" of {len(ASSET)} characters' in refused(served)
    assert ids(served, DEVICE, "devices") == ["a"]


def test_a_type_longer_than_what_is_indexed(engines: Engines, running: Callable[[str], Served]) -> None:
    """Nobody could tell whether there is one."""
    served = running(engines.add(Index({"a": measure()}, DYNAMIC)))
    assert '"type" of 300 characters' in refused(served, params={"type": "x" * 300})
    assert ids(served, params={"type": "x" * 256}) == []


def test_a_slot_longer_than_what_is_indexed(engines: Engines, running: Callable[[str], Served]) -> None:
    """A column as any other."""
    long = "x" * 300
    served = running(engines.add(Index({"a": measure(), "b": measure(NOON + 1, slot=long, t=5)}, DYNAMIC)))
    header, first, _ = rows(served)
    assert header[8:] == ["inside.t", "inside.code", f"{long}.t", f"{long}.code"]
    assert first[8:] == ["", "", "5", ""]


@pytest.mark.parametrize("types", [("date", "long"), ("long", "date"), ("date_nanos", "date_nanos")])
def test_instants_of_several_types(types: tuple[str, str], engines: Engines, running: Callable[[str], Served]) -> None:
    """In one order; any range may be asked for."""
    instants = [(name, [NOON + 2 * at + offset for at in range(4)]) for offset, name in enumerate("ab")]
    served = running(engines.add(*(
        Index({f"{name}{at}": measure(ms) for at, ms in enumerate(every)}, with_field("measuredAt", {"type": type}))
        for (name, every), type in zip(instants, types, strict=True)
    )))  # fmt: skip
    expected = [f"{name}{at}" for at in range(4) for name in "ab"]
    assert ids(served, json={"sort": "measuredAt"}) == expected
    assert ids(served) == expected[::-1]
    assert ids(served, json={"sort": ["measuredAt", "type"]}) == expected
    for first, last, found in (
        ("1900-01-01", "2024-06-10T06:13:20.003Z", expected[:4]),
        ("2024-06-10T06:13:20.003Z", "2500-01-01", expected[3:]),
        ("1900-01-01", "9999-01-01", expected),
        ("2300-01-01", "2400-01-01", []),
        ("1900-01-01", "1969-12-31", []),
    ):
        assert ids(served, json={"sort": "measuredAt"}, params={"startAt": first, "endAt": last}) == found


@pytest.mark.parametrize("other", ["date", "long"])
def test_nanoseconds_beside_milliseconds(other: str, engines: Engines, running: Callable[[str], Served]) -> None:
    """Elasticsearch refuses to ask both for the same range, wherever that is beyond what nanoseconds reach."""
    fine, coarse = (
        Index({type: measure()}, with_field("measuredAt", {"type": type})) for type in ("date_nanos", other)
    )
    told = refused(running(engines.add(fine, coarse)))
    assert f'"measuredAt" together: it is date_nanos in the one and {other} in the other' in told


def test_an_order_of_instants_of_several_types(engines: Engines, running: Callable[[str], Served]) -> None:
    """Nanoseconds are no milliseconds: an index would come last as a whole."""
    served = running(engines.add(
        Index({f"a{at}": measure(seen=NOON + 2 * at) for at in range(3)}, strict({"seen": {"type": "date"}})),
        Index({f"b{at}": measure(seen=NOON + 2 * at + 1) for at in range(3)}, strict({"seen": {"type": "date_nanos"}})),
    ))  # fmt: skip
    assert ids(served, json={"sort": "values.seen"}) == ["a0", "b0", "a1", "b1", "a2", "b2"]


@pytest.mark.parametrize(("one", "other"), [
    ({"type": "float"}, {"type": "double"}), ({"type": "long"}, KEYWORD), (KEYWORD, TEXT), (KEYWORD, BOTH),
])  # fmt: skip
def test_an_order_that_indices_do_not_share(
    one: JSON, other: JSON, engines: Engines, running: Callable[[str], Served]
) -> None:
    """Told at prepare, as the caller's own."""
    served = running(engines.add(*(
        Index({name: measure(NOON, n=5)}, strict({"n": definition})) for name, definition in (("a", one), ("b", other))
    )))  # fmt: skip
    answer = served.prepare(ASSET, json={"sort": "values.n"})
    assert (answer.status_code, answer.json()["error"]["props"]["argument"]) == (400, "sort")


# Documents that are not kept whole


#: By name: what the index says of `_source`, and what the sentence says.
NOT_KEPT: dict[str, tuple[Any, JSON, str]] = {
    "disabled": ({"enabled": False}, {}, "keeps no documents"),
    "disabled by setting": (None, {"index.mapping.source.mode": "disabled"}, "keeps no documents"),
    "synthetic": ({"mode": "synthetic"}, {}, "puts documents together anew"),
    "synthetic by setting": (None, {"index.mapping.source.mode": "synthetic"}, "puts documents together anew"),
    "values": ({"excludes": ["values"]}, {}, '"values" of documents'),
    "one of values": ({"excludes": ["_kuzzle_info", "values.t"]}, {}, '"values.t" of documents'),
    "by star": ({"excludes": ["*.measureName"]}, {}, '"*.measureName" of documents'),
    "asset": ({"excludes": ["asset"]}, {}, '"asset" of documents'),
    "instant": ({"excludes": ["measured*"]}, {}, '"measured*" of documents'),
    "includes": ({"includes": ["type", "measuredAt", "values", "asset.*"]}, {}, 'without all of "origin._id"'),
    "includes a part": ({"includes": ["type", "measuredAt", "values.t", "asset", "origin"]}, {},
                        'without all of "values"'),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_KEPT)
def test_documents_that_are_not_kept(name: str, engines: Engines, running: Callable[[str], Served]) -> None:
    """Cells would be empty that are not: told at prepare, and at a link that was prepared before."""
    source, options, reason = NOT_KEPT[name]
    mapping = strict() if source is None else strict(_source=source)
    engine = engines.add(Index({"a": measure()}))
    served = running(engine)
    link = result(served)["link"]
    index = engines.join(engine, Index({"b": measure(NOON + 1)}, mapping, options), 1)
    told = refused(served)
    assert told.startswith(f'The index "{index}" cannot be read: it ')
    assert reason in told
    answer = requests.get(link, timeout=60)
    assert (answer.status_code, answer.json()["error"]["message"]) == (503, told)


@pytest.mark.parametrize("source", [
    {"excludes": ["_kuzzle_info", "asset.metadata", "origin.payloadUuids", "asset.groups.*"]},
    {"excludes": []},
    {"includes": ["*"]},
    {"includes": ["measuredAt", "type", "values.*", "asset._id", "asset.m*", "origin"]},
    {"enabled": True},
])  # fmt: skip
def test_what_is_not_kept_and_not_read(source: JSON, engines: Engines, running: Callable[[str], Served]) -> None:
    """Is no reason to refuse: the file is whole."""
    served = running(engines.add(Index({"a": measure(t=5, code="x")}, strict({"code": KEYWORD}, _source=source))))
    (_, row) = rows(served)
    assert row[0] == "a"
    assert row[3:] == ["temperature", DEVICE, "Sensor", ASSET, "Box", "5", "x"]


def test_what_only_a_filter_reads(engines: Engines, running: Callable[[str], Served]) -> None:
    """Then the filter decides whether it can be told."""
    mapping = strict(_source={"excludes": ["asset.metadata", "_kuzzle_info"]})
    served = running(engines.add(Index({"a": measure()}, mapping)))
    told = refused(served, json={"query": {"exists": "asset.metadata.weight"}})
    assert '"asset.metadata" of documents' in told
    assert '"asset.metadata.weight" is read' in told
    assert "is read" in refused(served, json={"query": {"not": {"match": {"asset": {"metadata": {}}}}}})
    assert ids(served, json={"query": {"exists": "asset.model"}}) == ["a"]


def test_what_only_a_chosen_column_reads(engines: Engines, running: Callable[[str], Served]) -> None:
    """It would be empty where documents had it: the export is refused, by the name of the index."""
    served = running(engines.add(Index({"a": measure()}, strict(_source={"excludes": ["asset.metadata"]}))))
    told = refused(served, json={"fields": ["Measure Id", "asset.metadata.weight"]})
    assert '"asset.metadata.weight" is read' in told
    assert "is read" in refused(served, json={"fields": ["asset"]})
    assert ids(served, json={"fields": ["Measure Id", "asset.model"]}) == ["a"]


@pytest.mark.parametrize("collection", ["assets", "devices"])
@pytest.mark.parametrize("source", [{"enabled": False}, {"excludes": ["model"]}])
def test_assets_that_are_not_kept(
    collection: str, source: JSON, engines: Engines, running: Callable[[str], Served]
) -> None:
    """Their model would be nobody's."""
    id, model = {"assets": (ASSET, "Box"), "devices": (DEVICE, "Sensor")}[collection]
    index = Index({id: {"model": model}}, {"_source": source})
    served = running(engines.add(Index({"a": measure()}), beside={collection: index}))
    told = refused(served, id, collection)
    assert told.startswith(f'The index "&{served.engine}.{collection}" cannot be read: it ')


# Documents without an instant


LENIENT = with_field("measuredAt", {"type": "date", "ignore_malformed": True})


@pytest.mark.parametrize(("kind", "id"), TARGETS)
def test_documents_without_an_instant_are_told_of(
    kind: str, id: str, engines: Engines, running: Callable[[str], Served]
) -> None:
    """Whatever the range and the filter: they are in none."""
    bad = {"b": measure("not a date"), "c": measure(...), "d": measure(None), "e": measure("nor this", type="other")}
    served = running(engines.add(Index({"a": measure(), **bad}, LENIENT)))
    found = result(served, id, kind, params={"type": "temperature"})
    assert found["warnings"] == [{
        "id": "measures.without_instant", "count": 3,
        "message": "3 documents have no measuredAt that can be read as an instant: no measures, and not in the file.",
    }]  # fmt: skip
    assert (found["estimatedRows"], found["estimate"]) == (1, "exact")
    one = result(served, id, kind, params={"type": "other", "startAt": "2020-01-01"}, json={"query": {"nothing": 1}})
    assert one["warnings"] == [{
        "id": "measures.without_instant", "count": 1,
        "message": "1 document has no measuredAt that can be read as an instant: no measures, and not in the file.",
    }]  # fmt: skip
    assert ids(served, id, kind) == ["a"]


def test_nothing_to_tell(engines: Engines, running: Callable[[str], Served]) -> None:
    """Then the result has no such field: others' documents are not counted."""
    stranger = {**measure("no date"), "asset": {"_id": "Box-other"}}
    served = running(engines.add(Index({"a": measure(), "b": stranger}, LENIENT)))
    assert "warnings" not in result(served)


def test_an_index_without_instants(engines: Engines, running: Callable[[str], Served]) -> None:
    """Where none was ever stored, the order is that of the others."""
    served = running(engines.add(Index({"a": measure(...)}, DYNAMIC), Index({"b": measure(), "c": measure(NOON + 1)})))
    found = result(served)
    assert (found["warnings"][0]["count"], found["estimatedRows"]) == (1, 2)
    assert ids(served) == ["c", "b"]
    assert ids(served, json={"sort": ["type", "measuredAt"]}) == ["b", "c"]


# Models


Models = Callable[..., tuple[Engines, Callable[[str], Served]]]


@pytest.fixture
def with_models(elasticsearch_url: str, unique: Callable[[str], str], tmp_path: Path) -> Iterator[Models]:
    """The service, with models in these indices."""
    with contextlib.ExitStack() as stack:

        def made(*indices: Index) -> tuple[Engines, Callable[[str], Served]]:
            engines = Engines(elasticsearch_url, unique, {"models": indices})
            stack.callback(engines.remove)
            environ = {**settings(elasticsearch_url, engines.admin_index), "WEB_CONCURRENCY": "1"}
            started = stack.enter_context(service(environ, tmp_path / "log"))
            return engines, lambda engine: Served(started, environ, engine)

        yield made


def of_models(mapping: JSON, *names: str) -> Index:
    """Those whose ids begin so."""
    documents = models().collections["device-manager", "models"].documents
    return Index({id: each for id, each in documents.items() if id.startswith(names or ("",))}, mapping)


COLUMNS = [("assets", ASSET, ["inside.t", "inside.code"]), ("devices", DEVICE, ["probe.t", "probe.code"])]


@pytest.mark.parametrize("turned", [False, True])
def test_models_of_other_mappings(turned: bool, with_models: Models) -> None:
    """Are found by the keyword beside the text; in one index, and in two."""
    kept = real_mapping("device-manager", "models")
    pair = [of_models(DYNAMIC, "model-asset", "model-device"), of_models(kept, "model-measure")]
    if turned:
        pair = [of_models(kept, "model-asset", "model-device"), of_models(DYNAMIC, "model-measure")]
    for indices in ([of_models(DYNAMIC)], pair):
        engines, running = with_models(*indices)
        served = running(engines.add(Index({"a": measure()})))
        for kind, id, columns in COLUMNS:
            assert rows(served, id, kind)[0][8:] == columns


@pytest.mark.parametrize(("mapping", "reason"), [
    ({"properties": {"asset": {"properties": {"model": TEXT}}}}, 'cannot be asked for "asset.model": it is text'),
    ({"dynamic": False, "properties": {"type": KEYWORD}}, 'cannot be asked for "asset.model": it is not mapped'),
    ({"_source": {"enabled": False}}, "cannot be read: it keeps no documents"),
    ({"_source": {"excludes": ["asset.measures"]}}, 'does not keep "asset.measures"'),
])  # fmt: skip
def test_models_that_cannot_be_asked(mapping: JSON, reason: str, with_models: Models) -> None:
    """Which index, and why; else the model would be nobody's, or its columns others."""
    engines, running = with_models(of_models(mapping))
    told = refused(running(engines.add(Index({"a": measure()}))))
    assert told.startswith(f'The index "&{engines.admin_index}.models" ')
    assert reason in told
