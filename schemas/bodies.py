"""JSON text -> value, strictly: a name given twice, NaN and nesting without end are refused by name.

A caller's right is judged after this, of a message even by what it says: nothing here may take
long, whatever the text.
"""

import json
import re
from codecs import BOM_UTF8
from typing import Any

import msgspec

from services.errors import BodyUnreadable, InvalidArgument, shortened

#: Objects and arrays of a text: a filter has 1,000 clauses and 10,000 values at most. More would only take time.
MOST_CONTAINERS = 50_000

#: Digits in a row of a number: no double has as many before or after its dot. Reading them takes their square.
MOST_DIGITS = 1000

#: Names at the top of a text that are looked at in search of one at fault; no request has as many.
MOST_NAMES = 100

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_DIGITS = re.compile(rb"[0-9]{%d}" % (MOST_DIGITS + 1))
_COLON = re.compile(rb"\\u003[aA]")
_SPACE = re.compile(r"[ \t\r\n]*")
_COLON_SIGN = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")


def parsed(text: bytes | str) -> Any:
    """Return the value of a text. Text that is no Unicode is read, too: who reads the argument
    refuses it, by its name.

    Raises `BodyUnreadable`, `InvalidArgument` with the name at fault.
    """
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    text = text.removeprefix(BOM_UTF8)
    _check_size(text)
    try:
        value = _decoded(text)
        if _has_lost(text, value):
            json.loads(text.decode("utf-8", "surrogatepass"), object_pairs_hook=_check_once)
        return value
    except RecursionError as error:
        raise InvalidArgument(deep_name(text), "is nested too deep.") from error
    except ValueError as error:
        raise BodyUnreadable(f"The body is no JSON: {error}.") from error


def _check_size(text: bytes) -> None:
    if text.count(b"{") + text.count(b"[") > MOST_CONTAINERS:
        raise InvalidArgument("body", f"holds more than {MOST_CONTAINERS:,} objects and arrays.")
    if _DIGITS.search(text) and _DIGITS.search(_STRING.sub(b'""', text)):
        raise BodyUnreadable(f"The body holds a number of more than {MOST_DIGITS} digits.")


def _decoded(text: bytes) -> Any:
    """Return the value by the quick reader; what that refuses may be JSON all the same, or is told by Python's own."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return json.loads(text.decode("utf-8", "surrogatepass"), parse_constant=_no_constant)


def _has_lost(text: bytes, value: Any) -> bool:
    """Return whether a name was given twice: of two only one is read, and the other's colon is
    gone.

    This is three times as fast as looking at each object.
    """
    return _written(value).count(b":") < text.count(b":") + _escaped_colons(text)


def json_of(name: str, value: Any) -> bytes:
    """Return an argument as JSON again. Raises `InvalidArgument` where that cannot be."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError as error:
        raise InvalidArgument(name, "is no Unicode text: it holds half of a surrogate pair.") from error
    except RecursionError as error:
        raise InvalidArgument(name, "is nested too deep.") from error


def _written(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _escaped_colons(text: bytes) -> int:
    """Count the colons that `\u003a` stands for: not after a backslash that is escaped itself."""
    return len(_COLON.findall(text.replace(rb"\\", b""))) if b"\\u003" in text else 0


def _check_once(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) == len(pairs):
        return
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise InvalidArgument(shortened(name), "is given twice.")
        seen.add(name)


def _no_constant(name: str) -> None:
    raise BodyUnreadable(f"The body is no JSON: {name} is no JSON number.")


def deep_name(text: bytes) -> str:
    """Return the name, as written, at the top of the object under which a text is first nested too
    deep; else "body".

    The text is JSON up to there.
    """
    decoder = json.JSONDecoder()
    letters = text.decode("utf-8", "surrogatepass")
    at = _after(_SPACE, letters, 0)
    for _ in range(MOST_NAMES):
        if letters[at : at + 1] not in ("{", ","):
            break
        first = _after(_SPACE, letters, at + 1)
        _, end = decoder.raw_decode(letters, first)
        try:
            _, at = decoder.raw_decode(letters, _after(_COLON_SIGN, letters, end))
        except RecursionError:
            return shortened(letters[first + 1 : end - 1])
        at = _after(_SPACE, letters, at)
    return "body"


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
