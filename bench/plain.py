"""The plain way, to measure against: `json` into dicts, every cell on its own, `csv.writer` row by row.

It follows the rules of the CSV without the code of `services.formats` and `services.columns`; tests
hold these against it.
"""

import csv
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from services.instants import instant, iso
from services.measures import Kind, Model, Slot

FIXED = ["Measure Id", "Measured At", "Measured At ISO", "Measure Type"]
FIXED += ["Device Id", "Device Model", "Asset Id", "Asset Model"]
SIGNED = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,:- ")

Document = dict[str, Any]
Place = tuple[str, str | None]


class Lines:
    """What `csv.writer` writes to. It quotes CR only where that ends its lines; ours end in LF."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line.removesuffix("\r\n") + "\n")


class PlainEncoder:
    """`mappings`: `valuesMappings` by type."""

    def __init__(
        self, kind: Kind, model: Model, occurring: Collection[Slot], mappings: Mapping[str, Any], *, guard: bool
    ) -> None:
        self.holder, self.guard = ("asset" if kind == "assets" else "origin"), guard
        self.slots: list[Place] = [(slot.name or "", slot.type) for slot in model.slots]
        self.paths: dict[str | None, list[str | None]] = {
            name: list(leaves(fields)) for name, fields in mappings.items()
        }
        self.columns: list[tuple[str, str | None]] = []
        places = {self.place(slot.name, slot.type) for slot in occurring}
        names = [name for name, _ in self.slots]
        for name in names + sorted({name for name, _ in places} - set(names)):
            types = [type_ for slot, type_ in self.slots if slot == name]
            others = {type_ for slot, type_ in places if slot == name} - set(types)
            for type_ in types + sorted(others, key=lambda other: (other is not None, other or "")):
                self.columns += [(name, path) for path in self.own(type_) if (name, path) not in self.columns]

    def place(self, name: str | None, type_: str | None) -> Place:
        """The slot that a measure is of which stores these, and the type that it has there."""
        if name is not None:
            return name, type_ if type_ is not None else dict(reversed(self.slots)).get(name)
        if type_ is None:
            return "measure", None
        names = [slot for slot, slot_type in self.slots if slot_type == type_]
        return (names[0] if len(names) == 1 else type_), type_

    def own(self, type_: str | None) -> list[str | None]:
        return self.paths.get(type_, [None])

    def begin(self) -> bytes:
        names = [name if path is None else f"{name}.{path}" for name, path in self.columns]
        return self.lines([[guarded(name) if self.guard else name for name in FIXED + names]])

    def page(self, answer: bytes) -> bytes:
        """`answer` of a search: the rows of its hits."""
        return self.lines([self.row(hit) for hit in json.loads(answer)["hits"]["hits"]])

    def lines(self, rows: list[list[str]]) -> bytes:
        lines = Lines()
        writer = csv.writer(lines, lineterminator="\r\n")
        for row in rows:
            writer.writerow(row)
        return "".join(lines.lines).encode()

    def row(self, hit: Document) -> list[str]:
        source = hit["_source"]
        origin, asset = source.get("origin") or {}, source.get("asset") or {}
        at = source.get("measuredAt")
        ms = instant(at)
        slot, type_ = self.place((source.get(self.holder) or {}).get("measureName"), source.get("type"))
        own = self.own(type_)
        values = source.get("values")
        row = [self.cell(hit["_id"]), self.cell(at), "" if ms is None else iso(ms), self.cell(source.get("type"))]
        row += [self.cell(origin.get("_id")), self.cell(origin.get("deviceModel"))]
        row += [self.cell(asset.get("_id")), self.cell(asset.get("model"))]
        for name, path in self.columns:
            filled = name == slot and path in own
            row.append(self.cell(values if path is None else look_up(values, path)) if filled else "")
        return row

    def cell(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return guarded(value) if self.guard else value
        if isinstance(value, float) and not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return as_json(value)


def leaves(properties: Mapping[str, Any]) -> Iterator[str]:
    for name, mapping in properties.items():
        if "properties" in mapping and mapping.get("type", "object") == "object":
            yield from (f"{name}.{path}" for path in leaves(mapping["properties"]))
        elif "type" in mapping:
            yield name


def look_up(value: Any, path: str) -> Any:
    """Nested objects before keys with dots; through arrays of objects, a list of what they hold."""
    if isinstance(value, list):
        found = [look_up(item, path) for item in value if isinstance(item, dict)]
        return [item for item in found if item is not None] or None
    if not isinstance(value, dict):
        return None
    for dot in [at for at, letter in enumerate(path) if letter == "."]:
        found = look_up(value.get(path[:dot]), path[dot + 1 :])
        if found is not None:
            return found
    return value.get(path)


def guarded(text: str) -> str:
    text = text.replace("\0", "\ufffd")
    first, *others = re.split(r"([;\t|])", text)
    splits, pieces = others[::2], others[1::2]
    inside = "".join(split + mark(piece) + piece for split, piece in zip(splits, pieces, strict=True))
    return ("'" if runs(text) else "") + first + inside


def mark(piece: str) -> str:
    """A piece in quotes is read without them."""
    return "'" if runs(piece.replace('"', "") if piece.startswith('"') else piece) else ""


def runs(text: str) -> bool:
    signed = text[:1] in ("+", "-") and not set(text[1:]) <= SIGNED
    return signed or text[:1] in ("=", "@", "\t", "\r")


def as_json(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{as_json(key)}:{as_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(as_json(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def number(value: float) -> str:
    """ECMAScript, Number::toString."""
    if not math.isfinite(value):
        return "null"
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    sign, digits_of, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits, n = "".join(map(str, digits_of)), len(digits_of) + int(exponent)
    minus = "-" if sign else ""
    if len(digits) <= n <= 21:
        return minus + digits + "0" * (n - len(digits))
    if 0 < n <= 21:
        return f"{minus}{digits[:n]}.{digits[n:]}"
    if -6 < n <= 0:
        return f"{minus}0.{'0' * -n}{digits}"
    dot = "." if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{dot}{digits[1:]}e{'+' if n > 0 else '-'}{abs(n - 1)}"
