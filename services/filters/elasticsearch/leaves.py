"""Leaves of queries: what finds every document with a value in a field, and others besides.

A document may hold any JSON that its mapping takes: arrays anywhere, text and fractions in numbers,
numbers in keywords. What Elasticsearch was given and does not find (`ignore_above`,
`ignore_malformed`, an empty text in a number) may be in any document.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from services.filters.elasticsearch.boolean import ALL, JSON, NONE, Expression, Leaf, some
from services.filters.elasticsearch.bounding_boxes import BoundingBox, bounding_boxes
from services.filters.elasticsearch.wildcard import wildcards
from services.filters.koncorde import nodes
from services.mapping import MappedField

#: Bits of the types of whole numbers, beside the sign; fractions are cut off.
WHOLE = {"byte": 7, "short": 15, "integer": 31, "long": 63}

#: The largest number of the other types, and how far a number may be from what is stored of it: relatively, at least.
FRACTIONS = {
    "half_float": (65504.0, 2e-3, 1e-7),
    "float": (3.4028234663852886e38, 3e-7, 1e-44),
    "double": (1.7976931348623157e308, 0.0, 5e-324),
}

#: Formats of dates in which a number is epoch milliseconds: all numbers, or but those of four digits, which are years.
EPOCH_MS = "epoch_millis"
EPOCH_MS_BUT_YEARS = "strict_date_optional_time||epoch_millis"
LAST_YEAR = 9999

#: Milliseconds: fractions of one are lost; and as far as dates are worth asking for.
DATE_SLACK, LAST_DATE = 2, 9_000_000_000_000_000

#: From here on a double is not every whole number.
EXACT_BITS = 52


def seen(field: MappedField) -> Expression:
    """Return what finds documents with any value there; all documents, where some values are not to be found."""
    hidden = "ignore_above" if field.type == "keyword" else "ignore_malformed"
    return ALL if field.definition.get(hidden, False) is not False else Leaf({"exists": {"field": field.name}})


def equal(field: MappedField, value: nodes.Scalar) -> Expression:
    """Return what finds a value, which is not `None`."""
    if isinstance(value, str):
        return one_of(field, (value,))
    if isinstance(value, bool):
        return term(field, value) if field.type == "boolean" else seen(field)
    return between(field, value, value)


def term(field: MappedField, value: Any) -> Expression:
    return Leaf({"term": {field.name: {"value": value}}})


def one_of(field: MappedField, texts: Collection[str]) -> Expression:
    if field.type == "keyword":
        return ALL if any(is_hidden(field, text) for text in texts) else terms(field, texts)
    return ALL if "" in texts and is_number(field) else seen(field)


def terms(field: MappedField, texts: Collection[str]) -> Expression:
    return term(field, *texts) if len(texts) == 1 else Leaf({"terms": {field.name: list(texts)}})


def is_hidden(field: MappedField, text: str) -> bool:
    """Return whether a text is longer than `ignore_above`, which counts units of UTF-16."""
    most = field.definition.get("ignore_above")
    return most is not None and len(text.encode("utf-16-le", "surrogatepass")) // 2 > int(most)


def is_number(field: MappedField) -> bool:
    return field.type in WHOLE or field.type in FRACTIONS


def between(field: MappedField, low: float | None, high: float | None) -> Expression:
    """Return what finds numbers from one to the other, both included; `None`: open."""
    if field.path != field.name:
        return seen(field)
    if field.type == "date":
        return between_dates(field, low, high)
    if not is_number(field):
        return seen(field)
    below, above, most = stored(field, low, high)
    if field.definition.get("ignore_malformed", False) is not False and not is_within(low, high, most):
        return ALL
    return in_range(field, below, above)


def stored(field: MappedField, low: float | None, high: float | None) -> tuple[float | None, float | None, float]:
    """Return bounds widened by what is stored of numbers, and the largest number that may be stored."""
    if field.type in WHOLE:
        most = 2 ** WHOLE[field.type] - 1
        return whole_bound(low, -1, most), whole_bound(high, 1, most), most
    largest, relative, least = FRACTIONS[field.type]
    slack = (largest, relative, least)
    return fraction(low, -1, *slack), fraction(high, 1, *slack), largest


def whole_bound(bound: float | None, sign: int, most: int) -> int | None:
    if bound is None:
        return None
    number = math.trunc(bound)
    return max(-most - 1, min(most, number + sign * (abs(number) >> EXACT_BITS)))


def fraction(bound: float | None, sign: int, largest: float, relative: float, least: float) -> float | None:
    if bound is None:
        return None
    number = float(max(-largest, min(largest, bound)))
    return max(-largest, min(largest, number + sign * (abs(number) * relative + least)))


def is_within(low: float | None, high: float | None, most: float) -> bool:
    return low is not None and high is not None and -most <= low and high <= most


def between_dates(field: MappedField, low: float | None, high: float | None) -> Expression:
    format = field.definition.get("format", EPOCH_MS_BUT_YEARS)
    years = (low is None or low <= LAST_YEAR) and (high is None or high >= -LAST_YEAR)
    if (format != EPOCH_MS and (format != EPOCH_MS_BUT_YEARS or years)) or seen(field) == ALL:
        return seen(field)
    earliest = None if low is None or low < -LAST_DATE else math.trunc(min(low, LAST_DATE)) - DATE_SLACK
    latest = None if high is None or high > LAST_DATE else math.trunc(max(high, -LAST_DATE)) + DATE_SLACK
    return in_range(field, earliest, latest, format=EPOCH_MS)


def in_range(field: MappedField, low: float | None, high: float | None, **options: str) -> Expression:
    bounds: Mapping[str, Any] = {"gte": low, "lte": high}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    return Leaf({"range": {field.name: {**given, **options}}})


def found(field: MappedField, source: str, flags: str) -> Expression:
    """Return what finds texts in which a regular expression finds something."""
    if field.type != "keyword":
        return ALL if is_number(field) else seen(field)
    patterns = wildcards(source, flags)
    if patterns is None or seen(field) == ALL or "normalizer" in field.definition:
        return seen(field)
    return some(like(field, pattern, ignore_case="i" in flags) for pattern in patterns)


def like(field: MappedField, pattern: str, *, ignore_case: bool) -> Expression:
    """Return what finds texts of a pattern. The empty one finds nothing, not even the empty text."""
    if not pattern:
        return term(field, "")
    options = {"case_insensitive": True} if ignore_case else {}
    return Leaf({"wildcard": {field.name: {"value": pattern, **options}}})


def inside(field: MappedField, shape: nodes.Geo) -> Expression:
    if field.type != "geo_point" or field.path != field.name or seen(field) == ALL:
        return ALL if field.flat else seen(field)
    return some(Leaf(in_box(field, box)) for box in bounding_boxes(shape))


def in_box(field: MappedField, box: BoundingBox) -> JSON:
    """Return what finds points of a box. Over ±180 the right edge is left of the left one."""
    right = box.right if box.right <= 180 else box.right - 360
    corners = {"top_left": {"lat": box.top, "lon": box.left}, "bottom_right": {"lat": box.bottom, "lon": right}}
    return {"geo_bounding_box": {field.name: corners}}


def ids(texts: Iterable[str]) -> Expression:
    """Return what finds documents by id. No id is empty."""
    values = [text for text in texts if text]
    return Leaf({"ids": {"values": values}}) if values else NONE
