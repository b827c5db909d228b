"""JSON text -> value, strictly: a name given twice, NaN and nesting without end are refused by name."""

import json
import re
from typing import Any

from services.errors import BodyUnreadable, InvalidArgument

_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"(?P<key>\s*:)?|[{\[]|[}\]]')


def read(text: bytes | str) -> Any:
    """Raises `BodyUnreadable`, `InvalidArgument` with the name at fault."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError as error:
        raise InvalidArgument(deepest_name(text), "is nested too deep.") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise BodyUnreadable(f"The body is no JSON: {error}.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidArgument(name, "is given twice.")
        found[name] = value
    return found


def _no_constant(name: str) -> None:
    raise BodyUnreadable(f"The body is no JSON: {name} is no JSON number.")


def deepest_name(text: bytes | str) -> str:
    """The name at the top of the object under which it is nested deepest; "body" when there is none."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    depth, deepest, name, found = 0, 0, "body", "body"
    for token in _TOKENS.finditer(text):
        first = token[0][0]
        if first in "{[":
            depth += 1
            if depth > deepest:
                deepest, found = depth, name
        elif first in "}]":
            depth -= 1
        elif depth == 1 and token["key"]:
            name = token[0].rpartition('"')[0][1:]
    return found
