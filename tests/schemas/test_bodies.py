"""Bodies are read strictly, and what is wrong is named."""

import json

import pytest

from schemas import bodies
from services.errors import BodyUnreadable, InvalidArgument


def test_a_body_is_json() -> None:
    """Integers keep all their digits."""
    assert bodies.parsed(b'{"size": 12345678901234567890, "query": {}}') == {"size": 12345678901234567890, "query": {}}


@pytest.mark.parametrize(
    "value",
    [{"a": ":", "b": {"a": "::"}}, {":": 1, "a:": {":": [":"]}}, {"a": 10**30, "b": 1e300}, {"a": "\\u003a é \n"}],
)
def test_names_given_once_are_read(value: object) -> None:
    """Wherever colons stand, and whether text is escaped."""
    assert bodies.parsed(json.dumps(value).encode()) == value
    assert bodies.parsed(json.dumps(value, ensure_ascii=False)) == value


def test_text_that_is_no_unicode_is_read() -> None:
    """Who reads the argument refuses it, by its name."""
    assert bodies.parsed(b'{"a": "\xed\xa0\x80"}') == {"a": "\ud800"}
    assert bodies.parsed(rb'{"a": "\ud800"}') == {"a": "\ud800"}


@pytest.mark.parametrize("text", [b"{", b"'a'", b"\xff", b'{"a": NaN}', b'{"a": -Infinity}', b"9" * 5000])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    """Half, wrongly quoted, no UTF-8, numbers that JSON lacks or that go on for ever."""
    with pytest.raises(BodyUnreadable):
        bodies.parsed(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"size": 1, "size": 2}', "size"),
        ('{"a": {"b": 1, "b": 1}}', "b"),
        ('{"a": [{}, {"b": {}, "c": 1, "b": {}}]}', "b"),
        ('{"a": 1, "\\u0061": 2}', "a"),
        (r'{"a": 1, "a": 2, "c": "\u003a\u003A"}', "a"),
        ('{"a": ":", "b": ":", "a": ""}', "a"),
    ],
)
def test_a_name_given_twice_is_named(text: str, name: str) -> None:
    """JSON leaves open which one counts; we do not guess."""
    with pytest.raises(InvalidArgument) as caught:
        bodies.parsed(text)
    assert caught.value.argument == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"sort": [], "query": ' + '{"not":' * 3000 + "{}" + "}" * 3000 + "}", "query"),
        ('{"query": {}, "sort": ' + "[" * 3000 + "]" * 3000 + "}", "sort"),
        ('{"a \\" {": ' + "[" * 3000 + "]" * 3000 + "}", 'a \\" {'),
        ("[" * 3000 + "]" * 3000, "body"),
    ],
)
def test_nesting_without_end_is_named(text: str, name: str) -> None:
    """The argument at fault, not a stack trace."""
    with pytest.raises(InvalidArgument) as caught:
        bodies.parsed(text)
    assert caught.value.argument == name
