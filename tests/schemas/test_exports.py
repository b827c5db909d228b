"""What callers write becomes an ExportRequest; what is wrong is named; a token is read by the same rules."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import exports as schema
from services.errors import BadRequest, InvalidArgument, InvalidFilter, InvalidType, MissingArgument, RequestTooLarge
from services.filters.koncorde.nodes import All, And, Equals, Not, Range
from services.measures import NEWEST_FIRST, ExportRequest, SortKey, Target
from services.query_languages import Lang

PATH = {"engineId": "e", "_id": 'a/b é"'}


def read(arguments: dict[str, Any] | None = None, body: Any = None, lang: Lang = "koncorde") -> ExportRequest:
    return schema.of_call(
        PATH | (arguments or {}), body, kind="assets", lang=lang, export_id="x1", asked_by="-1", guard=True
    )


def refused(arguments: dict[str, Any] | None = None, body: Any = None) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        read(arguments, body)
    return caught.value


def test_without_arguments_everything_newest_first() -> None:
    """The defaults, whole."""
    assert read() == ExportRequest(export_id="x1", target=Target("e", "assets", 'a/b é"'))


def test_all_arguments() -> None:
    """At the root as text, as HTTP brings them."""
    arguments = {"startAt": "2024-06", "endAt": "2024-06", "type": "temperature", "from": "10", "size": "5"}
    body = {"query": {"equals": {"values.temperature": 20}}, "sort": {"measuredAt": "asc"}}
    assert read(arguments, body) == ExportRequest(
        export_id="x1",
        target=Target("e", "assets", 'a/b é"'),
        type="temperature",
        start_ms=1717200000000,
        end_ms=1719791999999,
        filter=Equals("values.temperature", 20),
        sort=(SortKey("measuredAt", "asc"),),
        offset=10,
        size=5,
    )


def test_arguments_may_stand_in_the_body() -> None:
    """Whatever carried them."""
    assert read({}, {"size": 5, "type": "t"}) == read({"size": "5", "type": "t"})


def test_query_and_sort_may_stand_at_the_root() -> None:
    """As in a message."""
    query = {"exists": "values.x"}
    assert read({"query": query, "sort": "type"}) == read({}, {"query": query, "sort": ["type"]})


def test_known_names_without_effect_are_ignored() -> None:
    """What clients send along."""
    ignored = dict.fromkeys(schema.IGNORED, "x")
    assert read(ignored, ignored) == read()


@pytest.mark.parametrize("sort", [None, {}, [], [{"measuredAt": "desc"}], {"measuredAt": {"order": "DESC"}}])
def test_no_sort_is_newest_first(sort: Any) -> None:
    """Absent, empty, null, or said."""
    assert read({}, {"sort": sort}).sort == NEWEST_FIRST


def test_a_sort_has_twenty_keys() -> None:
    """Each once; one more is refused, in a link as well, whatever has signed that."""
    sort = [{str(number): "desc"} for number in range(20)]
    found = read({}, {"sort": sort})
    assert [key.field for key in found.sort] == [str(number) for number in range(20)]
    token = schema.to_token(found)
    for wrong in ([*sort, "20"], [sort[0], sort[0]]):
        with pytest.raises(InvalidArgument, match='"sort"'):
            schema.of_token({**token, "sort": wrong})


def test_equal_clauses_are_one() -> None:
    """However often a caller writes one, at any level: it is decided once, and the link is short."""
    query = {"or": [{"and": [{"exists": "a"}, {"exists": "a"}]}, {"exists": "b[1]"}, {"exists": "b[true]"}]}
    once = {"or": [{"and": [{"exists": "a"}]}, {"exists": "b[1]"}, {"exists": "b[true]"}]}
    found = read({}, {"query": {"not": {"or": query["or"] * 100}}})
    assert schema.to_token(found)["query"] == {"bool": {"must_not": once["or"]}}


def test_a_sort_has_keys_and_options() -> None:
    """Elasticsearch's forms, in one list."""
    sort = ["type", {"a": "desc", "b": {"missing": "_first", "mode": "max", "unmapped_type": "long"}}]
    assert read({}, {"sort": sort}).sort == (
        SortKey("type", "asc"),
        SortKey("a", "desc"),
        SortKey("b", "asc", missing="_first", mode="max", unmapped_type="long"),
    )


@pytest.mark.parametrize(
    ("arguments", "body", "error", "name"),
    [
        ({"startAt": "2024-13-01"}, None, InvalidArgument, "startAt"),
        ({"startAt": "1718000000000"}, None, InvalidArgument, "startAt"),
        ({}, {"startAt": 1718000000000}, InvalidType, "startAt"),
        ({"endAt": "yesterday"}, None, InvalidArgument, "endAt"),
        ({"endAt": "2024-02-30"}, None, InvalidArgument, "endAt"),
        ({"startAt": "2024-02", "endAt": "2024-01"}, None, InvalidArgument, "startAt"),
        ({}, {"type": 5}, InvalidType, "type"),
        ({}, {"type": None}, InvalidType, "type"),
        ({}, {"type": "\ud800"}, InvalidArgument, "type"),
        ({"from": "-1"}, None, InvalidArgument, "from"),
        ({"from": ""}, None, InvalidArgument, "from"),
        ({"from": "٣"}, None, InvalidArgument, "from"),
        ({}, {"from": True}, InvalidType, "from"),
        ({}, {"size": 5.0}, InvalidType, "size"),
        ({}, {"size": -5}, InvalidArgument, "size"),
        ({"size": "9" * 30}, None, InvalidArgument, "size"),
        ({}, {"size": 2**60}, InvalidArgument, "size"),
        ({"lang": "sql"}, None, InvalidArgument, "lang"),
        ({}, {"lang": 1}, InvalidType, "lang"),
        ({}, {"query": None}, InvalidType, "query"),
        ({}, {"query": []}, InvalidType, "query"),
        ({}, {"query": {"term": {"a": 1}}}, InvalidFilter, "query.term"),
        ({}, {"query": {"and": [{"range": {"a": {"gte": "x"}}}]}}, InvalidFilter, "query.and[0].range.a.gte"),
        ({}, {"sort": 5}, InvalidType, "sort"),
        ({}, {"sort": ["a", {}]}, InvalidType, "sort[1]"),
        ({}, {"sort": {"a": "up"}}, InvalidArgument, "sort.a.order"),
        ({}, {"sort": {"a": {"format": "x"}}}, InvalidArgument, "sort.a.format"),
        ({}, {"sort": {"a": {"missing": []}}}, InvalidType, "sort.a.missing"),
        ({}, {"sort": {"a": {"mode": "most"}}}, InvalidArgument, "sort.a.mode"),
        ({}, {"sort": ""}, InvalidArgument, "sort"),
        ({}, {"sort": [str(number) for number in range(21)]}, InvalidArgument, "sort"),
        ({}, {"sort": {str(number): "asc" for number in range(200_000)}}, InvalidArgument, "sort"),
        ({}, {"sort": ["a"] * 200_000}, InvalidArgument, "sort"),
        ({}, {"sort": ["b", {"a": "asc"}, {"a": "desc"}]}, InvalidArgument, "sort"),
        ({}, {"sort": ["measuredAt", "measuredAt"]}, InvalidArgument, "sort"),
        ({"colour": "red"}, None, InvalidArgument, "colour"),
        ({}, {"colour": "red"}, InvalidArgument, "colour"),
        ({"size": "1"}, {"size": 1}, InvalidArgument, "size"),
        ({}, {"_id": "other"}, InvalidArgument, "_id"),
        ({"askedBy": "root"}, None, InvalidArgument, "askedBy"),
        ({}, {"kind": "devices"}, InvalidArgument, "kind"),
        ({}, [], InvalidType, "body"),
        ({}, "text", InvalidType, "body"),
    ],
)
def test_what_is_wrong_is_named(arguments: dict[str, Any], body: Any, error: type[BadRequest], name: str) -> None:
    """Wrong type or wrong value, and where."""
    found = refused(arguments, body)
    assert (type(found), found.props["argument"]) == (error, name)


def test_a_missing_target_is_named() -> None:
    """A message without `engineId`."""
    with pytest.raises(MissingArgument) as caught:
        schema.of_call({"_id": "a"}, None, kind="assets", lang="koncorde", export_id="x", asked_by="-1", guard=True)
    assert caught.value.props == {"argument": "engineId"}


def test_elasticsearch_queries_are_kept_as_they_are() -> None:
    """Where the caller or the setting says so."""
    query = {"term": {"type": "temperature"}}
    assert read({"lang": "elasticsearch"}, {"query": query}).elastic_query == query
    assert read({}, {"query": query}, lang="elasticsearch").elastic_query == query
    assert read({}, {}, lang="elasticsearch").filter == All()


def test_an_empty_type_is_none() -> None:
    """As a query string has it; in a token of the version before as well."""
    assert read({"type": ""}).type is None
    assert read({}, {"type": ""}).type is None
    token = schema.to_token(read({"type": "temperature"}))
    assert schema.of_token(token | {"type": ""}).type is None


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"sort": {"a": {"missing": float("inf")}}}, "sort.a.missing"),
        ({"sort": {"a": {"missing": float("nan")}}}, "sort.a.missing"),
        ({"sort": {"a": {"missing": 10**30}}}, "sort.a.missing"),
        ({"sort": {"a": {"missing": "x" * 1001}}}, "sort.a.missing"),
        ({"sort": "x" * 1001}, "sort"),
        ({"sort": {"x" * 1001: "asc"}}, "sort." + "x" * 100 + "…"),
        ({"sort": {"a": {"unmapped_type": "dense_vector"}}}, "sort.a.unmapped_type"),
        ({"startAt": "2024-06-10T00:00:00." + "1" * 100}, "startAt"),
        ({"n" * 200: 1}, "n" * 100 + "…"),
    ],
)
def test_what_is_too_long_or_too_large(body: dict[str, Any], name: str) -> None:
    """Every text and number has its bounds."""
    assert refused({}, body).props["argument"] == name


@pytest.mark.parametrize("name", ["type", "_id", "engineId"])
def test_what_no_link_has_room_for(name: str) -> None:
    """Is told so before anything is asked of the store."""
    asked = {"engineId": "e", "_id": "a"} | {name: "x" * 10_001}
    with pytest.raises(RequestTooLarge) as caught:
        schema.of_call(asked, None, kind="assets", lang="koncorde", export_id="x", asked_by="-1", guard=True)
    assert caught.value.props == {"argument": name}


def test_now_is_sealed_in_the_token() -> None:
    """The instant of the request; a link of the version before has that of its download."""
    query = {"range": {"measuredAt": {"gte": "now-1h"}}}
    how: Any = {"kind": "assets", "lang": "elasticsearch", "export_id": "x1", "asked_by": "-1", "guard": True}
    asked = schema.of_call(PATH, {"query": query}, **how, clock=lambda: 1_718_000_000)
    sealed = {"range": {"measuredAt": {"gte": "2024-06-10T06:13:20.000Z||-1h", "format": "strict_date_optional_time"}}}
    assert asked.elastic_query == sealed
    assert schema.of_token(schema.to_token(asked), clock=lambda: 1_718_000_100) == asked
    old = schema.to_token(asked) | {"query": query}
    assert schema.of_token(old, clock=lambda: 1_718_000_000).elastic_query == sealed


def test_an_empty_range_of_one_millisecond_is_a_range() -> None:
    """Both ends are inclusive."""
    found = read({"startAt": "2024-01-01T00:00:00.5Z", "endAt": "2024-01-01T00:00:00.500Z"})
    assert found.start_ms == found.end_ms == 1704067200500


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
moments = st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999)
filters = st.sampled_from([All(), Range("values.a", gte=1), And((Equals("type", "t"), Not(Equals("b", None))))])
sorts = st.builds(
    SortKey, texts, st.sampled_from(["asc", "desc"]), st.none() | st.just("_first"), st.none() | st.just("max")
)


@given(
    st.builds(
        ExportRequest,
        export_id=texts,
        target=st.builds(Target, texts, st.sampled_from(["assets", "devices"]), texts),
        type=st.none() | texts,
        start_ms=st.none() | moments,
        filter=filters,
        sort=st.lists(sorts, min_size=1, max_size=20, unique_by=lambda key: key.field).map(tuple),
        offset=st.integers(0, 10**12),
        size=st.none() | st.integers(0, 10**12),
        formula_guard=st.booleans(),
        asked_by=texts,
    )
)
def test_a_token_holds_all_of_a_request(request: ExportRequest) -> None:
    """What is signed is what comes back, read by the schema that read the body."""
    assert schema.of_token(schema.to_token(request)) == request


@pytest.mark.parametrize("payload", [{}, {"engineId": "e"}, {"engineId": 5, "kind": "cats"}])
def test_a_stale_token_meets_the_same_checks(payload: dict[str, Any]) -> None:
    """One of another version of the service, signed with our secret."""
    with pytest.raises(BadRequest):
        schema.of_token(payload)
