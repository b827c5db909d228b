"""Cells: every rule of how a value is written. What is fast about it is in `encoder`.

Numbers are written as JavaScript prints them, integers with all their digits. A C encoder writes them; the few
texts on which it differs from JavaScript are mended (`20.0`, `-0.0`, exponents), never those of `repr`.
"""

import math
import re
from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode

_SPECIAL = re.compile(r'[,"\n\r]')

#: What no text holds that needs neither quotes nor a look inside.
_MARKS = re.compile(r'[,"\n\r;\t|\x00]')

#: The beginning of what a spreadsheet would run.
_FORMULA = re.compile(r"[=@\t\r]|[+-].*[^A-Za-z0-9_.,: -]", re.DOTALL)

#: Where a reader of another locale splits, quotes or not, and then finds the beginning of a formula before it splits
#: again. The quotes that a reader would take off there are not looked at: `x;"=1+1` reads as `=1+1`.
_SPLIT_FORMULA = re.compile(
    r"""
    [;\t|]
    (?= [=@\r]        | [+-][^;\t|]*[^A-Za-z0-9_.,: ;\t|-]
      | "+ (?: [=@\r] | [+-][^;\t|]*[^A-Za-z0-9_.,: ";\t|-] )
    )
    """,
    re.VERBOSE,
)
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.e-]*')
_JSON_NUMBER_TO_MEND = re.compile(r"\.0[,\]}]|[0-9]e-?[0-9]")


def cell(value: Any, *, guard: bool) -> str:
    """Return one cell, quoted if need be. `guard`: keep spreadsheets from running it."""
    if type(value) is str:
        return text(value, guard=guard)
    return _WRITERS[type(value)](value)


def text(value: str, *, guard: bool) -> str:
    if _MARKS.search(value):
        return quoted(guarded(value) if guard else value)
    return f"'{value}" if guard and _FORMULA.match(value) else value


def quoted(value: str) -> str:
    """Return a text within quotes where a reader of CSV needs them."""
    return '"' + value.replace('"', '""') + '"' if _SPECIAL.search(value) else value


def guarded(value: str) -> str:
    """Return a text with a `'` wherever a spreadsheet would run what follows.

    That is at its beginning, and where a spreadsheet with other settings splits. Ids and signed
    numbers stay as they are. NUL becomes U+FFFD: LibreOffice drops it, and runs what is left.
    """
    if "\0" in value:
        value = value.replace("\0", "\ufffd")
    if _SPLIT_FORMULA.search(value):  # four times as fast as to substitute nothing
        value = _SPLIT_FORMULA.sub(r"\g<0>'", value)
    return f"'{value}" if _FORMULA.match(value) else value


def numbers(values: Sequence[int | float]) -> list[str]:
    """Return the text of each number."""
    if not values:
        return []
    line = _encode(values).decode("ascii")[1:-1] + ","
    texts = line.replace(".0,", ",").split(",")
    texts.pop()
    if "e" in line or "null" in line or "-0.0," in line:
        return [_mended(text, value) for text, value in zip(texts, values, strict=True)]
    return texts


def json(value: Any) -> str:
    """Return compact JSON, keys as stored, non-ASCII as it is. What is no number (JSON has none) is `null`."""
    written = _encode(value).decode()
    if (".0" in written or "e" in written) and _JSON_NUMBER_TO_MEND.search(written):
        return _JSON_TOKEN.sub(_mended_token, written)
    return written


def _mended_token(token: re.Match[str]) -> str:
    written = token[0]
    return written if written.startswith('"') else as_javascript(written.removesuffix(".0"))


def _mended(written: str, value: float) -> str:
    return as_javascript(written) if written != "null" else _not_finite(value)


def _not_finite(value: float) -> str:
    """Return `1e400`, where a store kept it, as JavaScript prints it."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def as_javascript(written: str) -> str:
    """Return the text of ECMAScript's Number::toString for the same shortest digits in any notation with `e`."""
    if written == "-0":
        return "0"
    if "e" not in written:
        return written
    sign = "-" if written.startswith("-") else ""
    mantissa, exponent = written.removeprefix("-").split("e")
    whole, _, fraction = mantissa.partition(".")
    return sign + _placed(whole + fraction, int(exponent) + len(whole))


def _placed(digits: str, point: int) -> str:
    """Return 0.`digits` times 10 to the power of `point`."""
    if len(digits) <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    dot = "." if len(digits) > 1 else ""
    return f"{digits[0]}{dot}{digits[1:]}e{point - 1:+}"


#: By the types that JSON is decoded to, except text.
_WRITERS: dict[type, Callable[[Any], str]] = {
    NoneType: lambda _: "",
    bool: lambda value: "true" if value else "false",
    int: str,
    float: lambda value: numbers([value])[0],
    dict: lambda value: quoted(json(value)),
    list: lambda value: quoted(json(value)),
}
