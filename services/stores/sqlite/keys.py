"""The keys of the embedded store: what rows repeat, named in JSON, and numbered once."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services import lenient_json
from services.measures import Kind, Slot
from services.stores import lenient
from services.stores.sqlite import fields

JSON = dict[str, Any]

#: Where a measure tells of its asset, and of where it comes from.
HOLDER: Mapping[Kind, str] = {"assets": "asset", "devices": "origin"}

#: What a key names: texts, and lists of them.
Parts = tuple[str | tuple[str, ...] | None, ...]


def name(*parts: str | tuple[str, ...] | None) -> str:
    """Return what `keys` calls something, in ASCII, so that any text can be looked for."""
    return json.dumps(parts)


def key(connection: sqlite3.Connection, *parts: str | tuple[str, ...] | None) -> int | None:
    """Return the number of something; `None`: no measure has it."""
    found = connection.execute("SELECT key FROM keys WHERE name = ?", (name(*parts),)).fetchone()
    return None if found is None else int(found[0])


def below(connection: sqlite3.Connection, *parts: str) -> Iterator[tuple[str, int]]:
    """Yield what is named by some parts and one text more: that text, and the number of the key."""
    begins = name(*parts).removesuffix("]") + ", "
    rows = connection.execute("SELECT name, key FROM keys WHERE name >= ? AND name < ?", (begins, begins + "\x7f"))
    yield from ((json.loads(found)[len(parts)], key) for found, key in rows)


class AddedKeys(dict[Parts, int]):
    """Gives numbers to what rows repeat, at need."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection

    def __missing__(self, parts: Parts) -> int:
        found = key(self._connection, *parts)
        if found is None:
            found = self._connection.execute("INSERT INTO keys (name) VALUES (?)", (name(*parts),)).lastrowid
        self[parts] = number = int(found or 0)
        return number


def asset_slot(source: JSON) -> Parts:
    """Return what a measure tells of its place on an asset: slot, type, the asset's model and groups."""
    groups = {*fields.values(source, "asset.groups.id"), *fields.values(source, "asset.groups.path")}
    return (*place(source, "asset", "model"), tuple(sorted(filter(None, map(lenient.keyword, groups)))))


def device_slot(source: JSON) -> Parts:
    """Return what a measure tells of its place on a device: slot, type, the device's model."""
    return (*place(source, "origin", "deviceModel"), ())


def id_of(doc: str, kind: Kind) -> str | None:
    """Return the id of the asset, or of the origin, that a document tells."""
    return text(lenient.held(lenient_json.loads(doc.encode())), HOLDER[kind], "_id")


def place(source: JSON, holder: str, model: str) -> tuple[str | None, str | None, str | None]:
    return text(source, holder, "measureName"), text(source, "type"), text(source, holder, model)


def slot(name: str) -> tuple[Slot, frozenset[str]]:
    """Return the slot that a key names, with its model, and the groups of its asset."""
    slot, type, model, groups = json.loads(name)
    return Slot(slot, type, model), frozenset(groups)


def text(source: JSON, *path: str) -> str | None:
    """Return what a `keyword` field holds at a path; also where dots of a key stand for levels."""
    value: Any = source
    for each in path:
        value = lenient.held(value).get(each)
    if value is None and len(path) > 1:
        value = source.get(".".join(path))
    return value if isinstance(value, str) else lenient.keyword(value)


def listed(numbers: Iterable[int]) -> str:
    """Return numbers as SQL lists them; of none, one that no key is: with an empty list SQLite knows no index."""
    return ",".join(map(str, numbers)) or "0"
