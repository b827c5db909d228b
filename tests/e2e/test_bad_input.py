"""What cannot be asked for: the contract's status, in an envelope that names the argument; never a 500."""

import json
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Served

DEEP = 3000
NOT = '{"query": ' + '{"not": ' * DEEP + '{"exists": "a"}' + "}" * DEEP + "}"


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"startAt": "yesterday"}, "startAt"),
        ({"startAt": "2024-13-01"}, "startAt"),
        ({"startAt": "2024-02-30"}, "startAt"),
        ({"startAt": "1718000000000"}, "startAt"),
        ({"endAt": "2024-06-10T25:00:00Z"}, "endAt"),
        ({"endAt": "1718000000000"}, "endAt"),
        ({"startAt": "2024-06-11", "endAt": "2024-06-10"}, "startAt"),
        ({"from": "-1"}, "from"),
        ({"from": "5.0"}, "from"),
        ({"from": "many"}, "from"),
        ({"from": ""}, "from"),
        ({"size": "-1"}, "size"),
        ({"size": "1e3"}, "size"),
        ({"size": str(2**64)}, "size"),
        ({"size": ["1", "2"]}, "size"),
        ({"lang": "sql"}, "lang"),
        ({"colour": "red"}, "colour"),
        ({"engineId": "e"}, "engineId"),
        ({"_id": "a"}, "_id"),
    ],
)
def test_wrong_arguments_at_the_root(served: Served, params: dict[str, Any], named: str) -> None:
    assert refusal(served.prepare(params=params)) == (400, named)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"startAt": 1_718_000_000_000}, "startAt"),
        ({"endAt": None}, "endAt"),
        ({"type": 5}, "type"),
        ({"type": ["temperature"]}, "type"),
        ({"type": "\ud800"}, "type"),
        ({"from": True}, "from"),
        ({"from": 5.0}, "from"),
        ({"from": -1}, "from"),
        ({"size": "ten"}, "size"),
        ({"size": {}}, "size"),
        ({"lang": 1}, "lang"),
        ({"sort": "_id"}, "sort"),
        ({"sort": {"measuredAt": "up"}}, "sort.measuredAt.order"),
        ({"sort": {"measuredAt": {"order": "asc", "script": "x"}}}, "sort.measuredAt.script"),
        ({"sort": 5}, "sort"),
        ({"sort": [{"measuredAt": "asc"}, 5]}, "sort[1]"),
        ({"query": "temperature > 5"}, "query"),
        ({"query": []}, "query"),
        ({"query": {"equals": {"a": 1}, "exists": "a"}}, "query"),
        ({"query": {"term": {"a": 1}}}, "query.term"),
        ({"query": {"equals": {"a": [1]}}}, "query.equals.a"),
        ({"query": {"and": []}}, "query.and"),
        ({"query": {"and": [{"exists": "a"}, {"range": {"values.temperature": {"gte": "5"}}}]}},
         "query.and[1].range.values.temperature.gte"),
        ({"query": {"not": {}}}, "query.not"),
        ({"unknown": 1}, "unknown"),
    ],
)  # fmt: skip
def test_wrong_arguments_in_the_body(served: Served, body: dict[str, Any], named: str) -> None:
    assert refusal(served.prepare(json=body)) == (400, named)


@pytest.mark.parametrize("body", ["{", "[]", '"text"', "5", "nonsense", '{"size": NaN}', b"\xff\xfe"])
def test_bodies_that_are_no_json_object(served: Served, body: str | bytes) -> None:
    answer = served.prepare(data=body)
    assert (answer.status_code, answer.json()["status"], answer.json()["result"]) == (400, 400, None)


def test_a_name_given_twice(served: Served) -> None:
    """In the body, and at the root and in the body."""
    assert refusal(served.prepare(data='{"size": 1, "size": 2}')) == (400, "size")
    assert refusal(served.prepare(params={"size": "1"}, json={"size": 2})) == (400, "size")


#: Ways to say nothing, and to say that one says nothing.
EMPTY_TYPES: list[dict[str, Any]] = [{}, {"params": {"type": ""}}, {"json": {"type": ""}}]


def test_three_thousand_levels(served: Served) -> None:
    """Of `not`: refused by name, not by a crash."""
    status, named = refusal(served.prepare(data=NOT))
    assert (status, named.partition(".")[0]) == (400, "query")


def test_a_body_of_two_megabytes(served: Served) -> None:
    answer = served.prepare(data=json.dumps({"type": "x" * 2_000_000}))
    assert (answer.status_code, answer.json()["error"]["id"]) == (413, "network.http.request_too_large")


def test_a_request_too_long_for_a_link(served: Served) -> None:
    """The largest part is named. Repetition would be compressed."""
    answer = served.prepare(json={"query": {"in": {"type": [f"{n * n * 2_654_435_761:x}" for n in range(2000)]}}})
    assert (answer.status_code, answer.json()["error"]["props"]["argument"]) == (413, "query")


@pytest.mark.parametrize("engine", ["nowhere", "UPPER", "*", "a,b", "a%2Fb", "..%2Fx", "%26x", "_all", "é"])
def test_an_unknown_engine(served: Served, engine: str) -> None:
    url = f"{served.service.url}/_/device-manager/{engine}/assets/Container-c1/measures/_export"
    answer = requests.post(url, timeout=30)
    assert (answer.status_code, answer.json()["error"]["id"]) == (412, "services.storage.unknown_index")


@pytest.mark.parametrize("asset", ["Container-nowhere", 'a/b é"', "*", "x" * 600, "DummyTemp-d2", "\n"])
def test_an_unknown_asset(served: Served, asset: str) -> None:
    answer = served.prepare(asset)
    error = answer.json()["error"]
    assert (answer.status_code, error["id"]) == (404, "services.storage.not_found")
    assert error["message"] == f'Document "{asset}" not found in "{served.engine}":"assets".'


def test_an_empty_type(served: Served) -> None:
    """Is none: every row, as a form sends what is not filled in."""
    rows = [served.prepare(**how).json()["result"]["estimatedRows"] for how in EMPTY_TYPES]
    assert rows[0] > 0
    assert len(set(rows)) == 1


def test_a_filter_of_a_type_that_nothing_has(served: Served) -> None:
    """The header row alone, too."""
    link = served.link(params={"type": "nothing has it"}, json={"query": {"exists": "type"}})
    assert requests.get(link, timeout=30).text.count("\n") == 1


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\x00b", "a\nb", "*", "a..b"])
def test_sorts_by_names_of_any_letters(served: Served, name: str) -> None:
    """What is not mapped sorts as what has no value: the order of insertion."""
    sort = {name: {"order": "asc", "unmapped_type": "long"}}
    plain = requests.get(served.link(json={"sort": {"nowhere": {"unmapped_type": "long"}}}), timeout=30).text
    assert requests.get(served.link(json={"sort": sort}), timeout=30).text == plain


def test_a_type_that_nothing_has(served: Served) -> None:
    """Is no mistake: the header row alone."""
    link = served.link(params={"type": "nothing has it"})
    assert requests.get(link, timeout=30).text.count("\n") == 1


def refusal(answer: requests.Response) -> tuple[int, str]:
    """Status and the argument that the envelope names."""
    envelope = answer.json()
    assert envelope["status"] == answer.status_code
    assert envelope["result"] is None
    props = envelope["error"]["props"]
    assert str(props["argument"]) in envelope["error"]["message"]
    return answer.status_code, str(props["argument"])
