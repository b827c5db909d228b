"""Numbers and JSON as JavaScript prints them, integers with all their digits.

A C encoder writes them; the few texts on which it differs from JavaScript are mended (`20.0`, `-0.0`, exponents), never
those of `repr`. The rule is ECMAScript's Number::toString.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode

_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.e-]*')
_JSON_NUMBER_TO_MEND = re.compile(r"\.0[,\]}]|[0-9]e-?[0-9]")


def not_finite(value: float) -> str:
    """Return `1e400`, where a store kept it, as JavaScript prints it."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def numbers(
    values: Sequence[int | float], *, decimal: str = ".", beyond: Callable[[float], str] = not_finite
) -> list[str]:
    """Return the text of each number, with that decimal mark; `beyond` writes what is not finite."""
    if not values:
        return []
    line = _encode(values).decode("ascii")[1:-1] + ","
    texts = _with_mark(line.replace(".0,", ","), decimal)
    texts.pop()
    if "e" in line or "null" in line or "-0.0," in line:
        return [
            beyond(value) if text == "null" else _mended(text, decimal)
            for text, value in zip(texts, values, strict=True)
        ]
    return texts


def _with_mark(line: str, decimal: str) -> list[str]:
    """Return the parts of a line that commas end, with that decimal mark."""
    return line.split(",") if decimal == "." else line.replace(",", ";").replace(".", decimal).split(";")


def json(value: Any) -> str:
    """Return compact JSON, keys as stored, non-ASCII as it is. What is no number (JSON has none) is `null`."""
    written = _encode(value).decode()
    if (".0" in written or "e" in written) and _JSON_NUMBER_TO_MEND.search(written):
        return _JSON_TOKEN.sub(_mended_token, written)
    return written


def _mended_token(token: re.Match[str]) -> str:
    written = token[0]
    return written if written.startswith('"') else as_javascript(written.removesuffix(".0"))


def _mended(written: str, decimal: str) -> str:
    if decimal == ".":
        return as_javascript(written)
    return as_javascript(written.replace(decimal, ".")).replace(".", decimal)


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
