"""Paths as `exists` and `missing` write them: `a.b`, `tags["x"]` for a value in an array, brackets escaped by `\\`."""

import json
import math
import re
from typing import Any

from services.filters.koncorde.location import LONGEST_FIELD, MOST_NAMES, Location, check_length, check_text, shown
from services.filters.koncorde.nodes import Has, Item

#: JavaScript's `/^(.*?[^\\])\[(.*)]$/`: the first opening bracket splits that is neither first nor escaped.
BRACKETS = re.compile(r"([^\n\r\u2028\u2029]*?[^\\])\[([^\n\r\u2028\u2029]*)\]")


def named(field: str, location: Location) -> str:
    """Return the path itself. Raises `InvalidFilter`."""
    if len(field) > LONGEST_FIELD:
        raise location.refuse(f"names a field that is too long: a path has at most {LONGEST_FIELD:,} characters.")
    if field.count(".") >= MOST_NAMES:
        raise location.refuse(f"names a field that is too deep: a path has at most {MOST_NAMES} names.")
    return field


def field_or_item(text: str, location: Location) -> Has | Item:
    """Return the path, and the value in an array if one is named. Raises `InvalidFilter`."""
    check_length(text, location)
    found = BRACKETS.fullmatch(text) if text.endswith("]") else None
    if found is None:
        return Has(named(unescaped(text), location))
    return Item(named(unescaped(found[1]), location), value(found[2], location))


def value(text: str, location: Location) -> Any:
    try:
        read = json.loads(text, parse_float=double, parse_constant=double)
    except (ValueError, RecursionError) as error:
        hint = 'one JSON value, such as tags["a"], tags[1] or tags[null]'
        raise location.refuse(f"has between its brackets no JSON value ({shown(text)}): write {hint}.") from error
    check_text(read, location)
    return read


def double(text: str) -> float:
    """Return a number. Raises `ValueError` for what is none, or beyond a double: `NaN`, `1e999`."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def unescaped(text: str) -> str:
    return re.sub(r"\\([][])", r"\1", text)


def escaped(field: str) -> str:
    return re.sub(r"([][])", r"\\\1", field)


def path_of(node: Has | Item) -> str:
    """Return the text of which `field_or_item` reads the same."""
    if isinstance(node, Has):
        return escaped(node.field)
    return f"{escaped(node.field)}[{json.dumps(node.value)}]"
