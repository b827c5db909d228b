"""Bodies of up to a megabyte that would take long to read, were each thing in them read in full."""

import json
from collections.abc import Mapping
from typing import Any

#: Bytes of a body, less what stands around.
ROOM = 1024 * 1024 - 200


def filled(before: str, unit: str, after: str) -> str:
    """As many units, with commas between, as there is room for."""
    return before + ",".join([unit] * ((ROOM - len(before) - len(after)) // (len(unit) + 1))) + after


def numbered(before: str, unit: str, after: str) -> str:
    """The same, `%06d` in each unit being its number."""
    count = (ROOM - len(before) - len(after)) // (len(unit % 0) + 1)
    return before + ",".join(unit % number for number in range(count)) + after


def holding(**body: Any) -> str:
    return json.dumps(body)


def native(**query: Any) -> str:
    return holding(lang="elasticsearch", query=query)


LONG = "x" * 1_000_000
GEOHASH = "u" * 900_000
CIRCLE = '{"geoDistance": {"a": "%s", "distance": "1 km"}}'

#: By what they hold.
BODIES: Mapping[str, str] = {
    "a geohash": holding(query={"geoDistance": {"a": GEOHASH, "distance": "1 km"}}),
    "a geohash in an object": holding(query={"geoDistance": {"a": {"latLon": GEOHASH}, "distance": "1 km"}}),
    "a latitude of many digits": holding(query={"geoDistance": {"a": ["1" * 900_000, 0], "distance": "1 km"}}),
    "a pair of many digits": holding(
        query={"geoDistance": {"a": f"{'1' * 400_000},{'1' * 400_000}", "distance": "1 km"}}
    ),
    "many geohashes": filled('{"query": {"geoPolygon": {"a": {"points": [', f'"{"u" * 24}"', "]}}}}"),
    "many circles": filled('{"query": {"or": [', CIRCLE % ("u" * 24), "]}}"),
    "a distance": holding(query={"geoDistance": {"a": [0, 0], "distance": "1" * 900_000 + " km"}}),
    "a unit": holding(query={"geoDistance": {"a": [0, 0], "distance": "1" + LONG}}),
    "unknown names": numbered("{", '"n%06d":1', "}"),
    "unknown names in a filter": numbered('{"query": {', '"n%06d":1', "}}"),
    "unknown names in a range": numbered('{"query": {"range": {"a": {', '"n%06d":1', "}}}}"),
    "unknown names in a sort": numbered('{"sort": {"a": {', '"n%06d":1', "}}}"),
    "an unknown name": holding(**{LONG: 1}),
    "an unknown keyword": holding(query={LONG: 1}),
    "an unknown option": holding(sort={"a": {LONG: 1}}),
    "an escaped name and many objects": filled('{"\\u0073ize":1,"query":[', '{"a":1}', "]}"),
    "a name given twice after many objects": filled('{"query":[', '{"a":1}', '],"size":1,"size":2}'),
    "many objects": filled('{"query":[', "{}", "]}"),
    "many arrays": filled('{"query":[', "[]", "]}"),
    "many numbers": filled('{"query":[', "1.5", "]}"),
    "many texts": filled('{"query":[', '""', "]}"),
    "long numbers": filled('{"query":[', "9" * 4300, "]}"),
    "a long number": holding(size=1)[:-1] + "1" * 900_000 + "}",
    "text that is no Unicode": filled('{"query":[', '{"a":1}', '],"type":"\\ud800"}'),
    "depth after much else": filled('{"query":[', '""', '],"sort":' + "[" * 3000 + "]" * 3000 + "}"),
    "a type": holding(type=LONG),
    "a date": holding(startAt="2024-06-10T00:00:00." + "1" * 900_000),
    "a language": holding(lang=LONG),
    "rows": holding(size="1" * 900_000),
    "a text to equal": holding(query={"equals": {"a": LONG}}),
    "a text among others": holding(query={"in": {"a": [LONG]}}),
    "texts": filled('{"query": {"in": {"a": [', '"x"', "]}}}"),
    "texts that hold others": filled('{"query": {"match": {"a": [', '"x"', "]}}}"),
    "objects to match": filled('{"query": {"match": {"a": [', '{"a":{}}', "]}}}"),
    "a name to match": holding(query={"match": {LONG: 1}}),
    "a path": holding(query={"exists": LONG}),
    "dots of a path": holding(query={"exists": "." * 1_000_000}),
    "brackets of a path": holding(query={"exists": "a[" + "[" * 900_000 + "]"}),
    "an item": holding(query={"exists": 'a["' + LONG + '"]'}),
    "items": holding(query={"exists": "a[" + "[" * 900_000 + "]" * 90_000 + "]"}),
    "clauses": filled('{"query": {"or": [', '{"exists":"a"}', "]}}"),
    "patterns": filled('{"query": {"or": [', '{"regexp":{"a":"[a-z]{40}"}}', "]}}"),
    "a pattern": holding(query={"regexp": {"a": "(" * 900_000}}),
    "flags": holding(query={"regexp": {"a": {"value": "a", "flags": LONG}}}),
    "a name of a field to sort by": holding(sort=LONG),
    "dots to sort by": holding(sort="." * 1_000_000),
    "what is missing": holding(sort={"a": {"missing": LONG}}),
    "a mode": holding(sort={"a": {"mode": LONG}}),
    "native terms": filled('{"lang":"elasticsearch","query":{"terms":{"a":[', '"x"', "]}}}"),
    "native clauses": filled('{"lang":"elasticsearch","query":{"bool":{"must":[', '{"term":{"a":1}}', "]}}}"),
    "native patterns": filled(
        '{"lang":"elasticsearch","query":{"bool":{"must":[', '{"regexp":{"a":"%s"}}' % ("[a-z]{2}" * 120), "]}}}"
    ),
    "native query strings": filled(
        '{"lang":"elasticsearch","query":{"bool":{"must":[', '{"query_string":{"query":"%s"}}' % ("a:b)" * 2400), "]}}}"
    ),
    "native words": filled(
        '{"lang":"elasticsearch","query":{"bool":{"must":[', '{"match":{"a":"%s"}}' % ("a z " * 2400), "]}}}"
    ),
    "native coordinates": filled(
        '{"lang":"elasticsearch","query":{"geo_shape":{"a":{"shape":{"type":"linestring","coordinates":[',
        "[1,2]", "]}}}}}",
    ),
    "a native query string": native(query_string={"query": "a " * 450_000}),
    "brackets of a native query string": native(query_string={"query": '["' * 4_900}),
    "a native shape": native(geo_shape={"a": {"shape": "POINT (" + "0 0," * 200_000 + "0 0)"}}),
    "an unknown native option": native(term={"a": {LONG: 1}}),
    "unknown native options": numbered('{"lang":"elasticsearch","query":{"term":{"a":{', '"n%06d":1', "}}}}"),
    "fields of a native query": numbered('{"lang":"elasticsearch","query":{"term":{', '"n%06d":1', "}}}"),
}  # fmt: skip

#: Of a message: beside what it asks.
ECHOED: Mapping[str, Any] = {
    "requestId": LONG,
    "volatile": {"a": LONG},
    "jwt": LONG,
    "controller": LONG,
    "action": LONG,
    "_id": LONG,
    "engineId": LONG,
}
