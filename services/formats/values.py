"""The value of a column in the `values` of a measure."""

from typing import Any

Path = tuple[str, ...]


def find(value: Any, path: Path) -> Any:
    """Return what is at `path`, `None` if nothing is. A key may hold dots itself:
    `{"acceleration.x": 1}`.

    Through an array of objects, it is the list of what they hold there.
    """
    if not path or value is None:
        return value
    if isinstance(value, dict):
        return _in_object(value, path)
    if isinstance(value, list):
        found = (find(item, path) for item in value if isinstance(item, dict))
        return [one for one in found if one is not None] or None
    return None


def _in_object(value: dict[str, Any], path: Path) -> Any:
    for end in range(1, len(path) + 1):
        found = find(value.get(".".join(path[:end])), path[end:])
        if found is not None:
            return found
    return None
