"""The options of a file: its format, and how a format writes what it is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

FormatName = Literal["csv", "jsonl", "documents", "xlsx", "zip"]

LayoutName = Literal["long", "wide", "split"]

LAYOUTS: tuple[LayoutName, ...] = ("long", "wide", "split")

Aggregate = Literal["avg", "min", "max", "sum", "count", "first", "last"]

AGGREGATES: tuple[Aggregate, ...] = ("avg", "min", "max", "sum", "count", "first", "last")

FORMATS: tuple[FormatName, ...] = ("csv", "jsonl", "documents", "xlsx", "zip")

#: What a preset stands for, by the names of the arguments.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "excel": {"bom": True, "dateFormat": "local", "newline": "crlf"},
    "excel-eu": {"bom": True, "dateFormat": "local", "newline": "crlf", "separator": ";", "decimal": ","},
}

_CSV = frozenset(("csv", "zip"))

#: The formats that have a use for an argument; the others of a file are of use to all.
USED_BY: Mapping[str, frozenset[str]] = {
    "separator": _CSV,
    "decimal": _CSV,
    "bom": _CSV,
    "newline": _CSV,
    "empty": _CSV,
    "header": _CSV | {"xlsx"},
    "dateFormat": _CSV | {"jsonl"},
    "fields": _CSV | {"jsonl", "xlsx"},
    "fieldsName": _CSV | {"jsonl", "xlsx"},
    "compress": frozenset(("csv", "jsonl", "documents")),
    **dict.fromkeys(("layout", "interval", "aggregate", "fill"), _CSV | {"jsonl", "xlsx"}),
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a file is written; each default is what an absent argument means.

    `layout`: a row a measure (`long`), an instant (`wide`), or a file for each asset or device of a fleet (`split`).
    `fields`: the columns, in order, `None`: all. `fields_name`: pairs of a field and its header. `file_name`: as the
    caller wrote it, without an ending. `interval`: such as `1h`, the rows are of intervals then; `None`: they are not.
    `aggregate`: the columns of each path, `None`: one, by its mapping.
    """

    format: FormatName = "csv"
    layout: LayoutName = "long"
    compress: Literal["none", "gzip"] = "none"
    separator: str = ","
    decimal: Literal[".", ","] = "."
    bom: bool = False
    header: bool = True
    newline: Literal["lf", "crlf"] = "lf"
    empty: str = ""
    timezone: str = "UTC"
    date_format: Literal["iso", "local"] = field(default="iso", metadata={"name": "dateFormat"})
    fields: tuple[str, ...] | None = None
    fields_name: tuple[tuple[str, str], ...] = field(default=(), metadata={"name": "fieldsName"})
    file_name: str | None = field(default=None, metadata={"name": "fileName"})
    interval: str | None = None
    aggregate: tuple[Aggregate, ...] | None = None
    fill: Literal["none", "previous"] = "none"

    def given(self) -> dict[str, Any]:
        """Return what is no default, by the names of the arguments, as JSON."""
        found = {NAMES[each.name]: getattr(self, each.name) for each in fields(self)}
        return {name: _json(value) for name, value in found.items() if value != DEFAULTS[name]}

    @property
    def wants_cells(self) -> bool:
        """Whether a row is more than its document."""
        return self.format != "documents"

    @property
    def is_joined(self) -> bool:
        """Whether a row is of several measures."""
        return self.layout == "wide" or self.interval is not None

    @property
    def paths(self) -> frozenset[str]:
        """The paths into documents that `fields` may name, but for `_id`, which no document holds."""
        names = () if self.is_joined else self.fields or ()
        return frozenset(filter(is_path, names)) - {"_id"}

    @property
    def wants_documents(self) -> bool:
        """Whether a row may need more of a document than every row needs."""
        return self.format == "documents" or bool(self.paths)


def _json(value: Any) -> Any:
    if isinstance(value, tuple):
        return dict(value) if value and isinstance(value[0], tuple) else list(value)
    return value


#: The name of an argument by the name of its attribute, and its default by the name of the argument.
NAMES: Mapping[str, str] = {each.name: each.metadata.get("name", each.name) for each in fields(Options)}
DEFAULTS: Mapping[str, Any] = {NAMES[each.name]: each.default for each in fields(Options)}

#: What a request means that names no option.
USUAL = Options()

#: Names that lead into the document of a measure, whole, and what they begin with otherwise.
WHOLE_PATHS = frozenset(("_id", "measuredAt", "type", "values", "origin", "asset", "_kuzzle_info"))
PATH_BEGINNINGS = ("values.", "origin.", "asset.", "_kuzzle_info.")


def is_path(name: str) -> bool:
    """Return whether a name leads into the document of a measure, where it is no header."""
    return name in WHOLE_PATHS or name.startswith(PATH_BEGINNINGS)
