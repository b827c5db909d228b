"""Lenient reading of JSON that is no Unicode (`"\\ud800"`), or whose numbers are no doubles (`1e400`)."""

import json
import re
from typing import Any

#: What text that is no Unicode is replaced by.
REPLACEMENT = "\ufffd"

#: What `int` takes by default; `sys.get_int_max_str_digits`.
INTEGER_DIGITS = 4300

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def loads(text: bytes) -> Any:
    """Return JSON as Python's own reader takes it; lone surrogates become U+FFFD, in keys too."""
    value = json.loads(text, parse_int=integer)
    return mended(value) if _SURROGATE_ESCAPE.search(text) else value


def mended_json(text: bytes) -> bytes:
    """Return JSON with lone surrogates as U+FFFD, not decoded: that is quick."""
    return _ESCAPE.sub(_mended_escape, text)


def _mended_escape(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape["lone"] else escape[0]


def integer(digits: str) -> int | str:
    """Return a whole number; its digits, when it has more than Python makes a number of."""
    return int(digits) if len(digits) <= INTEGER_DIGITS else digits


def mended(value: Any) -> Any:
    if isinstance(value, str):
        return _LONE_SURROGATE.sub(REPLACEMENT, value)
    if isinstance(value, list):
        return [mended(item) for item in value]
    if isinstance(value, dict):
        return {mended(key): mended(item) for key, item in value.items()}
    return value
