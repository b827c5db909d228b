"""Requests that are almost right: valid ones, with something in them replaced, renamed, left out or doubled."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.services.filters import strategies
from tests.services.filters.costly_native import COSTLY

Drawn = SearchStrategy[Any]

#: Where something stands: the object or array, and its key or index.
Place = tuple[Any, Any]

#: Texts and numbers that break what was not made for them.
ODD_TEXTS = (
    "", " ", "\x00", "\ud800", "a\udc00", '"', "\\", "a\"b\\c\x00\x1f", "🦊", "é" * 300, "x" * 20_000, ".", "a..b", "*",
    "now-1h", "NaN", "Infinity", "1e400", "-0", "9" * 30, "_id", "_score", "__proto__", "../..", "%00", "\r\nX: y",
    "9999-12-31", "0000", "2024-W53-7", "+275760", "/(a?){9999}/", "((((", "spfb0" * 100, "1e999999 km", "null",
)  # fmt: skip
ODD_NUMBERS = (
    0, -1, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 0.1, 5.0, -0.0, 1e300, 5e-324,
    float("inf"), float("-inf"), float("nan"),
)  # fmt: skip

odd: Drawn = st.sampled_from([*ODD_TEXTS, *ODD_NUMBERS, None, True, False, [], {}, [[]], [None], {"": {}}, {"a": [1]}])
names: Drawn = st.sampled_from(ODD_TEXTS) | st.text(max_size=10)
anything: Drawn = st.recursive(
    odd | st.text(st.characters(), max_size=20) | st.floats() | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=10,
)

instants: Drawn = st.sampled_from(
    ["2024", "2024-06", "2024-06-10", "2024-W05-3", "2024-031", "2024-06-10T06:13:20.000Z", "20240610T0613 02", ""]
)
sort_options: Drawn = st.fixed_dictionaries(
    {"order": st.sampled_from(["asc", "desc"])},
    optional={
        "missing": st.sampled_from(["_first", "_last", 5, "5", "a", 1.5]),
        "mode": st.sampled_from(["min", "max", "avg", "sum", "median"]),
        "unmapped_type": st.sampled_from(["long", "keyword", "date", "float", "boolean"]),
    },
)
fields: Drawn = st.sampled_from(
    ["measuredAt", "type", "values.temperature", "asset.measureName", "origin._id", "nowhere", 'a"b', "a\\b", "a\x00b"]
)
sort_keys: Drawn = fields | st.dictionaries(fields, sort_options | st.sampled_from(["asc", "desc"]), max_size=2)
sorts: Drawn = sort_keys | st.lists(sort_keys, max_size=3)

#: Those that cost little: a thousand of them are asked.
native: Drawn = st.sampled_from(
    [
        {"term": {"type": "temperature"}},
        {"range": {"measuredAt": {"gte": "now-10y", "lt": "now"}}},
        {"bool": {"filter": [{"exists": {"field": "type"}}], "must_not": {"prefix": {"type": "x"}}}},
        {"query_string": {"query": "type:temp* AND values.temperature:[1 TO 5]", "fields": ["type"]}},
        {"geo_distance": {"values.position": {"lat": 1, "lon": 2}, "distance": "30km"}},
        {"function_score": {"random_score": {"seed": 5, "field": "_seq_no"}, "min_score": 0.5}},
        {"nested": {"path": "asset", "query": {"match_all": {}}, "ignore_unmapped": True}},
        {"regexp": {"type": {"value": "t.*", "max_determinized_states": 100}}},
        *[query for name, query in COSTLY.items() if name in ("words", "spans", "prefixes in intervals", "levels")],
    ]
)

arguments: Drawn = st.fixed_dictionaries(
    {},
    optional={
        "startAt": instants,
        "endAt": instants,
        "type": st.sampled_from(["temperature", "", "nothing"]),
        "from": st.sampled_from([0, 1, "2", 2**53 - 1]),
        "size": st.sampled_from([0, 1, "2", 2**53 - 1]),
        "sort": sorts,
    },
)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments and body together; one in four is as it should be."""
    request: dict[str, Any] = draw(arguments)
    if draw(st.booleans()):
        request["query"] = draw(strategies.MEASURES.filters)
    elif draw(st.booleans()):
        request |= {"lang": "elasticsearch", "query": draw(native)}
    return draw(mutated(request))


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """Up to three changes, anywhere."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(0, 3))):
        places = list(held(value))
        if places:
            change(draw, *draw(st.sampled_from(places)))
    return value


def held(value: Any) -> Iterator[Place]:
    keys: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from held(value[key])


def change(draw: st.DrawFn, holder: Any, key: Any) -> None:
    match draw(st.sampled_from(["replace", "wrap", "rename", "remove", "add"])):
        case "replace":
            holder[key] = copy.deepcopy(draw(odd | anything))
        case "wrap":
            holder[key] = draw(st.sampled_from([[holder[key]], {"a": holder[key]}, [holder[key], holder[key]]]))
        case "rename" if isinstance(holder, dict):
            holder[draw(names)] = holder.pop(key)
        case "add" if isinstance(holder, dict):
            holder[draw(names)] = copy.deepcopy(draw(odd | anything))
        case _:
            del holder[key]
