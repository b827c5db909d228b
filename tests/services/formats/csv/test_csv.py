"""Pages of measures as CSV, whole."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.plain import PlainEncoder
from services.columns import Columns, columns
from services.formats import plans as plans_module
from services.formats import rows as rows_module
from services.formats.csv import Csv
from services.formats.layout import layout
from services.measures import Kind, Measure, Model, Slot
from services.options import USUAL
from services.stores import lenient

FLOAT = {"type": "float"}
MAPPINGS: dict[str, dict[str, Any]] = {
    "temperature": {"temperature": FLOAT},
    "acceleration": {"acceleration": {"properties": {"x": FLOAT, "y": FLOAT}}, "note": {"type": "keyword"}},
    "position": {"position": {"type": "geo_point"}},
    "deep": {"a": {"properties": {"b": {"properties": {"c": FLOAT}}, "d.e": FLOAT}}, "a.f": FLOAT},
}
MODEL = Model("M", (Slot("in", "temperature"), Slot("out", "temperature"), Slot("move", "acceleration")))

FIXED = "Measure Id,Measured At,Measured At ISO,Measure Type,Device Id,Device Model,Asset Id,Asset Model"
HEADER = f"{FIXED},in.temperature,out.temperature,move.acceleration.x,move.acceleration.y,move.note"
AT = 1718000000000
AT_ISO = "2024-06-10T06:13:20.000Z"


def decoded(documents: list[dict[str, Any]]) -> list[Measure]:
    return msgspec.json.decode(json.dumps(documents), type=list[Measure])


def occurring(documents: list[dict[str, Any]], kind: Kind) -> list[Slot]:
    sources = [lenient.source(document["_source"]) for document in documents]
    holders = [source.asset if kind == "assets" else source.origin for source in sources]
    return list(
        {
            Slot(None if each is None else each.measureName, source.type)
            for each, source in zip(holders, sources, strict=True)
        }
    )


def csv(documents: list[dict[str, Any]], model: Model = MODEL, kind: Kind = "assets", *, guard: bool = True) -> str:
    table = columns(kind, model, occurring(documents, kind), MAPPINGS)
    encoder = usual(table, guard=guard)
    return (encoder.begin() + encoder.page(decoded(documents))).decode()


def usual(table: Columns, *, guard: bool = True) -> Csv:
    return Csv(layout(table, USUAL), USUAL, formula_guard=guard)


def measure(values: Any, slot: str | None = "in", type_: str | None = "temperature", **source: Any) -> dict[str, Any]:
    asset = {"_id": "A", "model": "M", "measureName": slot}
    return {"_id": "m", "_source": {"measuredAt": AT, "type": type_, "values": values, "asset": asset, **source}}


def cells(document: dict[str, Any], first: int = 0, last: int | None = None, **options: Any) -> str:
    """The cells of its row, from `first` to before `last`."""
    row = csv([document], **options).split("\n")[1]
    return ",".join(row.split(",")[first:last])


def test_rows_of_an_asset() -> None:
    """A whole CSV: each cell in the column of its slot."""
    origin = {"_id": "D-1", "deviceModel": "D", "measureName": "t", "type": "device", "payloadUuids": []}
    documents = [
        {**measure({"temperature": 21.5}, "out", origin=origin), "_id": "-1_aB", "sort": [1], "_index": "i"},
        {**measure({"temperature": 20.0}, origin=origin, measuredAt=AT + 1), "_id": "m2"},
        {**measure({"acceleration": {"y": -1, "x": 0.5}, "note": "a,b"}, "move", "acceleration"), "_id": "m3"},
        {**measure({"temperature": None}, origin=None), "_id": "m4"},
    ]
    assert csv(documents) == (
        f"{HEADER}\n"
        f"-1_aB,{AT},{AT_ISO},temperature,D-1,D,A,M,,21.5,,,\n"
        f"m2,{AT + 1},2024-06-10T06:13:20.001Z,temperature,D-1,D,A,M,20,,,,\n"
        f'm3,{AT},{AT_ISO},acceleration,,,A,M,,,0.5,-1,"a,b"\n'
        f"m4,{AT},{AT_ISO},temperature,,,A,M,,,,,\n"
    )


def test_rows_of_a_device() -> None:
    """The slot is that of the origin, not of the asset."""
    origin = {"_id": "D-1", "deviceModel": "D", "measureName": "out"}
    document = measure({"temperature": 1}, "in", origin=origin)
    assert csv([document], kind="devices") == f"{HEADER}\nm,{AT},{AT_ISO},temperature,D-1,D,A,M,,1,,,\n"


def test_a_measure_that_lacks_everything() -> None:
    """Only its id is certain."""
    assert csv([{"_id": "m", "_source": {}}], Model("None", ())) == f"{FIXED},measure\nm,,,,,,,,\n"


def test_no_columns_but_the_fixed() -> None:
    """A type that declares nothing."""
    table = columns("assets", Model("None", ()), [Slot("s", "t")], {"t": {}})
    encoder = usual(table)
    page = encoder.page(decoded([measure({"a": 1}, "s", "t")]))
    assert encoder.begin() + page == f"{FIXED}\nm,{AT},{AT_ISO},t,,,A,M\n".encode()


def test_no_measures_are_no_rows() -> None:
    """The header row alone is a whole CSV."""
    assert csv([]) == f"{HEADER}\n"


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ({"acceleration": {"x": 1, "y": 2}, "note": "n"}, "1,2,n"),
        ({"acceleration.x": 1, "acceleration.y": 2}, "1,2,"),
        ({"acceleration": {"x": 1}, "acceleration.x": 3, "acceleration.y": 2}, "1,2,"),
        ({"acceleration": {"x": None}, "acceleration.x": 3}, "3,,"),
        ({"acceleration": None, "note": ""}, ",,"),
        ({"acceleration": 5, "note": 5}, ",,5"),
        ({"acceleration": {"x": {"y": 1}}}, '"{""y"":1}",,'),
        ({"acceleration": {"x": True, "y": False}}, "true,false,"),
        ({"acceleration": [{"x": 1, "y": 2}, {"x": 3.0}, 4]}, '"[1,3]",[2],'),
        ({"acceleration": []}, ",,"),
        ([{"acceleration": {"x": 1}}, {"note": "n"}], '[1],,"[""n""]"'),
        ({"other": 1}, ",,"),
        ({}, ",,"),
        (None, ",,"),
        ("text", ",,"),
    ],
)
def test_where_values_are_found(values: Any, written: str) -> None:
    """At their path, in keys that hold dots, in arrays of objects."""
    assert cells(measure(values, "move", "acceleration"), 10) == written


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ({"a": {"b": {"c": 1}, "d": {"e": 2}, "f": 3}}, "1,2,3"),
        ({"a": {"b.c": 1, "d.e": 2}, "a.f": 3}, "1,2,3"),
        ({"a.b": {"c": 1}, "a.d": {"e": 2}}, "1,2,"),
        ({"a.b.c": 1, "a": {"d.e": 2, "f": 3}}, "1,2,3"),
    ],
)
def test_deeper_paths(values: Any, written: str) -> None:
    """However the dots are spread over levels and keys."""
    assert cells(measure(values, "s", "deep"), 8, model=Model("None", ())) == written


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ({"b": 2.0, "a": "é"}, '"{""b"":2,""a"":""é""}"'),
        ({}, "{}"),
        (None, ""),
        ([1], "[1]"),
        ("=1", "'=1"),
        (5.0, "5"),
    ],
)
def test_values_of_a_type_without_a_model(values: Any, written: str) -> None:
    """Whole, as JSON, keys as stored."""
    assert cells(measure(values, "s", "unheard"), 8, model=Model("None", ())) == written


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (AT, f"{AT},{AT_ISO}"),
        (float(AT), f"{AT},{AT_ISO}"),
        (AT + 0.5, f"{AT}.5,{AT_ISO}"),
        (-1.5, "-1.5,1969-12-31T23:59:59.998Z"),
        (-1, "-1,1969-12-31T23:59:59.999Z"),
        (0, "0,1970-01-01T00:00:00.000Z"),
        (True, "true,"),
        (2024, "2024,2024-01-01T00:00:00.000Z"),
        (999, "999,1970-01-01T00:00:00.999Z"),
        (10000, "10000,1970-01-01T00:00:10.000Z"),
        (4102444800000, "4102444800000,2100-01-01T00:00:00.000Z"),
        (253402300800000, "253402300800000,+010000-01-01T00:00:00.000Z"),
        (8640000000000000, "8640000000000000,+275760-09-13T00:00:00.000Z"),
        (2**63, f"{2**63},"),
        ("2024-06-10T08:13:20+02:00", f"2024-06-10T08:13:20+02:00,{AT_ISO}"),
        (str(AT), f"{AT},{AT_ISO}"),
        ("soon", "soon,"),
        ("=soon", "'=soon,"),
        ([AT], f"[{AT}],{AT_ISO}"),
        (None, ","),
    ],
)
def test_dates(at: Any, written: str) -> None:
    """As stored, and the instant in UTC; nothing where it cannot be read."""
    assert cells(measure({}, measuredAt=at), 1, 3) == written


def test_a_date_is_not_taken_for_its_neighbour() -> None:
    """`true` equals 1 and 1.0 in Python."""
    documents = [measure({}, measuredAt=at) for at in (1, True, 1.0, 1)]
    assert [line.split(",")[1] for line in csv(documents).splitlines()[1:]] == ["1", "true", "1", "1"]


@pytest.mark.parametrize("guard", [True, False])
def test_every_text_cell_is_quoted_and_guarded(guard: bool) -> None:
    """Ids, types, models and headers too; beside them others stay as they are."""
    asset = {"_id": 'A"1', "model": "@M", "measureName": "=s"}
    origin = {"_id": "D,1", "deviceModel": "-1+1"}
    documents = [
        {**measure({"a": "\rb"}, type_="+t=", asset=asset, origin=origin), "_id": "=id"},
        {**measure({"a": 1}, type_="+t=", asset=asset, origin=origin), "_id": "id,é"},
        {**measure({"a": 1}, type_="+t=", asset=asset, origin=origin), "_id": "-id"},
    ]
    mark = "'" if guard else ""
    fixed = f'{AT},{AT_ISO},{mark}+t=,"D,1",{mark}-1+1,"A""1",{mark}@M'
    assert csv(documents, Model("None", ()), guard=guard) == (
        f"{FIXED},{mark}=s\n"
        f'{mark}=id,{fixed},"{{""a"":""\\rb""}}"\n'
        f'"id,é",{fixed},"{{""a"":1}}"\n'
        f'-id,{fixed},"{{""a"":1}}"\n'
    )


def test_values_that_are_text_are_quoted_and_guarded() -> None:
    """A keyword field holds anything."""
    documents = [measure({"note": note}, "move", "acceleration") for note in ("=1", "a\rb", "-1", "x")]
    rows = csv(documents).split("\n")[1:-1]
    assert [row.split(",")[12] for row in rows] == ["'=1", '"a\rb"', "-1", "x"]


def test_a_long_page_without_numbers() -> None:
    """Rows are not copied over and over: twice the rows, about twice the text, same rows."""
    documents = [{**measure({"note": "n" * 50}, "move", "acceleration"), "_id": str(row)} for row in range(3000)]
    row = f",{AT},{AT_ISO},acceleration,,,A,M,,,,,{'n' * 50}\n"
    assert csv(documents) == f"{HEADER}\n" + "".join(f"{number}{row}" for number in range(3000))


def test_caches_stay_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """More devices and more shapes than they hold change nothing."""
    monkeypatch.setattr(plans_module, "GROUPS", 3)
    monkeypatch.setattr(plans_module, "PLANS", 3)
    documents = [
        measure({f"k{number}": 0, "temperature": number}, origin={"_id": f"D{number}"})
        for number in [*range(10), *range(10)]
    ]
    rows = csv(documents).splitlines()[1:]
    assert [(row.split(",")[4], row.split(",")[8]) for row in rows] == [
        (f"D{n}", str(n)) for n in [*range(10), *range(10)]
    ]


def test_plans_of_wide_rows_share_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds a row's separators: with a budget for one plan, every row is still whole."""
    monkeypatch.setattr(plans_module, "CHARACTERS", 6)
    model = Model("M", tuple(Slot(f"s{number}", "temperature") for number in range(5)))
    documents = [measure({"temperature": number}, f"s{number % 5}") for number in range(20)]
    rows = csv(documents, model).splitlines()[1:]
    assert [row.split(",")[8:] for row in rows] == [
        [str(number) if place == number % 5 else "" for place in range(5)] for number in range(20)
    ]


def test_how_many_rows_are_encoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By their width: those of a wide model are few, and one at least."""
    narrow, wide = (
        usual(columns("assets", Model("M", tuple(Slot(f"s{n}", "x") for n in range(slots))), [], {}))
        for slots in (10, 20_000)
    )
    assert narrow.rows_at_once > 100_000
    assert wide.rows_at_once == rows_module.SEPARATORS // 20_008
    monkeypatch.setattr(rows_module, "SEPARATORS", 1000)
    assert wide.rows_at_once == 1


texts = st.one_of(
    st.sampled_from(
        ["a", "=1", "-x", "-1+1", 'q"', "a,b", "a\rb", "a\nb", "é", "", "1.0,", "2e5", "a;=1", 'a|"-1+1;b', "\0=1"]
    ),
    st.text(),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), texts
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
keys = st.sampled_from(
    [
        "temperature",
        "acceleration",
        "acceleration.x",
        "note",
        "position",
        "a",
        "a.b",
        "a.d",
        "a.d.e",
        "a.b.c",
        "a.f",
        "other",
    ]
)
inner_objects = st.dictionaries(
    st.sampled_from(["x", "y", "b", "c", "b.c", "d", "e", "d.e", "f"]), anything, max_size=4
)
values = st.one_of(
    st.dictionaries(keys, st.one_of(scalars, inner_objects, st.lists(inner_objects, max_size=3), anything), max_size=5),
    anything,
)
names = st.sampled_from([None, "in", "out", "move", "measure", "temperature", "extra", "=x", ""])
type_names = st.sampled_from([None, "temperature", "acceleration", "position", "deep", "unheard", "a,b"])
instants = st.one_of(st.just(AT), st.integers(-(10**14), 10**14), st.integers(-(10**5), 10**5), scalars)


def optional(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


documents = st.fixed_dictionaries(
    {
        "_id": texts,
        "_source": optional(
            {
                "measuredAt": instants,
                "type": type_names,
                "values": values,
                "asset": st.none()
                | optional({"_id": st.none() | texts, "model": st.none() | texts, "measureName": names}),
                "origin": st.none()
                | optional({"_id": st.none() | texts, "deviceModel": st.none() | texts, "measureName": names}),
                "more": anything,
            }
        ),
    }
)
models = st.lists(
    st.tuples(names.filter(lambda name: name is not None), type_names.filter(lambda name: name is not None)),
    max_size=4,
    unique_by=lambda slot: slot[0],
).map(lambda slots: Model("M", tuple(Slot(*slot) for slot in slots)))


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.lists(documents, max_size=6), models, st.sampled_from(["assets", "devices"]), st.booleans())
def test_the_plain_way_writes_the_same(page: list[dict[str, Any]], model: Model, kind: Kind, guard: bool) -> None:
    """Whatever the measures hold: the benchmark's plain encoder follows the same rules with none of this code."""
    slots = occurring(page, kind)
    plain = PlainEncoder(kind, model, slots, MAPPINGS, guard=guard)
    fast = usual(columns(kind, model, slots, MAPPINGS), guard=guard)
    answer = json.dumps({"hits": {"hits": page}}).encode()
    assert fast.begin() + fast.page(decoded(page)) == plain.begin() + plain.page(answer)
