"""Documents that typed decode refuses lose neither their row nor their neighbours."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import lenient_json
from services.measures import Asset, Measure, Origin, Source
from services.stores import lenient

DECODER = msgspec.json.Decoder(list[Source])


def only(document: bytes) -> Source:
    (measure,) = lenient.measures(["m1"], f"[{document.decode()}]", DECODER)
    assert measure.id == "m1"
    return measure.source


def test_a_page_with_an_odd_document_is_read_whole() -> None:
    """The others come out as typed decode gives them."""
    plain = '{"measuredAt":1,"type":"t","values":{"a":1.5},"asset":null,"origin":{"_id":"d"}}'
    odd_one = '{"measuredAt":2,"type":5,"values":{"é":"😀"},"asset":[]}'
    assert lenient.measures(["a", "b"], f"[{plain},{odd_one}]", DECODER) == [
        Measure("a", Source(measuredAt=1, type="t", values={"a": 1.5}, origin=Origin("d"))),
        Measure("b", Source(measuredAt=2, type="5", values={"é": "😀"})),
    ]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (rb'"a\ud800b"', "a\ufffdb"),
        (rb'{"\udfff":["\ud83d"]}', {"\ufffd": ["\ufffd"]}),
        (rb'["\ud83d\ude00\ud83d"]', ["😀\ufffd"]),
        (b"1e400", float("inf")),
        (b"[-1e400]", [float("-inf")]),
        (b"1" * 5000, "1" * 5000),
        (rb'["\ud800", 123456789012345678901234567890]', ["\ufffd", 123456789012345678901234567890]),
    ],
)
def test_values(written: bytes, value: Any) -> None:
    """Text that is no Unicode is mended, numbers keep what they can."""
    assert only(b'{"values":' + written + b"}") == Source(values=value)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b"5", "5"),
        (b"1.0", "1.0"),
        (b"true", "true"),
        (b'["a"]', "a"),
        (b'[null,"a"]', "a"),
        (b'["a","b"]', None),
        (b"[]", None),
        (b"{}", None),
        (b"[{}]", None),
        (rb'"\udc00"', "\ufffd"),
    ],
)
def test_keywords(written: bytes, text: str | None) -> None:
    """As Elasticsearch indexes them where it can: scalars by their text, an array by what it holds."""
    document = b'{"type":%b,"asset":{"_id":%b},"origin":{"measureName":%b}}' % (written, written, written)
    assert only(document) == Source(type=text, asset=Asset(id=text), origin=Origin(measureName=text))


@pytest.mark.parametrize("written", [b"5", b'"a"', b"[]", b'[{"_id":"a"},{"_id":"b"}]', b"false"])
def test_holders_of_another_type(written: bytes) -> None:
    """An asset or an origin that is no object is none."""
    assert only(b'{"type":"t","asset":%b,"origin":%b}' % (written, written)) == Source(type="t")


def test_holders_in_an_array() -> None:
    """An array of one object is that object."""
    document = b'{"asset":[{"_id":"a","model":"M","measureName":"s"}],"origin":[{"_id":"d","deviceModel":"D"}]}'
    assert only(document) == Source(asset=Asset("a", "M", "s"), origin=Origin("d", "D"))


@pytest.mark.parametrize("written", [b"5", b"[]", b'"text"', b"null"])
def test_a_source_that_is_no_object(written: bytes) -> None:
    """An empty row."""
    assert only(written) == Source()


ANY = st.recursive(
    st.none() | st.text(st.characters(exclude_categories=())) | st.integers(-(2**60), 2**60),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.slow
@given(ANY)
def test_json_is_mended_without_being_decoded(value: Any) -> None:
    """As it is when it is decoded: lone surrogates are U+FFFD, pairs and everything else what they are."""
    text = json.dumps(value).encode()
    assert msgspec.json.decode(lenient_json.mended_json(text)) == lenient_json.loads(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rb'"\ud83d\ude00"', "\U0001f600"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\ude00\ud83d"', "\ufffd\ufffd"),
        (rb'"\\ud83d"', "\\ud83d"),
        (rb'"\\\ud83d"', "\\\ufffd"),
        (rb'"\uDBFF\uDFFF\n"', "\U0010ffff\n"),
    ],
)
def test_escapes_that_are_no_unicode(text: bytes, expected: str) -> None:
    assert msgspec.json.decode(lenient_json.mended_json(text)) == expected


def test_one_odd_document_among_many() -> None:
    """Others are read as usual, and rests come between."""
    rests: list[None] = []
    documents = ['{"measuredAt":1}', '{"measuredAt":2,"type":5}', '{"measuredAt":1e400}', '{"values":{"a":1}}']
    found = lenient.measures(list("abcd"), f"[{','.join(documents)}]", DECODER, lambda: rests.append(None))
    assert found == [
        Measure("a", Source(1)),
        Measure("b", Source(2, "5")),
        Measure("c", Source(float("inf"))),
        Measure("d", Source(values={"a": 1})),
    ]
    assert len(rests) == 4
