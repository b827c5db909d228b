"""Paths of fields, and the keys that may lead there: a key may hold dots itself."""

from collections.abc import Iterator


def beginnings(path: str) -> Iterator[str]:
    """Yield the keys of an object that may lead to a path: `a`, and with dots in a key `a.b`, `a.b.c`."""
    names = path.split(".")
    return (".".join(names[: end + 1]) for end in range(len(names)))
