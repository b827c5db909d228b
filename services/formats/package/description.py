"""The description of a package: `datapackage.json`, a Tabular Data Package v1 of Frictionless Data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.columns import Declaration
from services.filters.koncorde.nodes import All
from services.filters.koncorde.write import write
from services.formats.csv import Csv
from services.formats.layout import Layout
from services.formats.package.fields import Seen
from services.instants import iso
from services.measures import ExportRequest
from services.options import Options
from services.version import VERSION

#: Units of values by type of measure and path.
Units = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class File:
    """A file of a package: its name, bytes, rows of data, and SHA-256 in hex."""

    name: str
    size: int
    rows: int
    sha256: str


def description(
    request: ExportRequest, file: File, fields: list[dict[str, Any]], *, snapshot_ms: int, fingerprint: str | None
) -> dict[str, Any]:
    """Return the description as JSON. `fingerprint`: of the key that signs it, `None`: nobody does."""
    options = request.options
    return {
        "profile": "tabular-data-package",
        "name": f"measures-export-{request.export_id}",
        "created": iso(snapshot_ms),
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": slug(file.name),
                "path": file.name,
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "bytes": file.size,
                "hash": f"sha256:{file.sha256}",
                "rows": file.rows,
                "dialect": dialect(options),
                "schema": {"fields": fields, "missingValues": [options.empty]},
            }
        ],
        "measuresExport": {
            **asked(request),
            "snapshotAt": iso(snapshot_ms),
            "exportId": request.export_id,
            "askedBy": request.asked_by,
            "version": VERSION,
            "signature": None if fingerprint is None else {"algorithm": "Ed25519", "key": fingerprint},
        },
    }


def asked(request: ExportRequest) -> dict[str, Any]:
    """Return what was asked for, as JSON."""
    target = request.target
    of_elasticsearch = request.elastic_query is not None
    return {
        "engineId": target.engine,
        "kind": target.kind,
        "_id": target.id,
        "startAt": None if request.start_ms is None else iso(request.start_ms),
        "endAt": None if request.end_ms is None else iso(request.end_ms),
        "type": request.type,
        "lang": "elasticsearch" if of_elasticsearch else "koncorde",
        "query": dict(request.elastic_query or {}) if of_elasticsearch else filter_of(request),
        "sort": [key.as_json() for key in request.sort],
        "from": request.offset,
        "size": request.size,
        "options": request.options.given(),
    }


def filter_of(request: ExportRequest) -> Any:
    return None if request.filter == All() else write(request.filter)


def dialect(options: Options) -> dict[str, Any]:
    """Return how the CSV is written, by the specification CSV Dialect."""
    return {
        "csvddfVersion": 1.2,
        "delimiter": options.separator,
        "lineTerminator": "\r\n" if options.newline == "crlf" else "\n",
        "quoteChar": '"',
        "doubleQuote": True,
        "skipInitialSpace": False,
        "header": options.header,
    }


def fields(csv: Csv, layout: Layout, seen: Seen, options: Options, units: Units) -> list[dict[str, Any]]:
    """Return the columns by the specification Table Schema, named as in the file."""
    declared = seen.declared()
    return [
        field(name, type, options) | unit(declared.get(source), units)
        for name, type, source in zip(csv.written_headers, seen.types(), layout.sources, strict=True)
    ]


def field(name: str, type: str, options: Options) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "type": type}
    if type == "number" and options.decimal != ".":
        found["decimalChar"] = options.decimal
    if type == "datetime":
        local = f"%Y-%m-%d %H:%M:%S{options.decimal}%f"
        found["format"] = local if options.date_format == "local" else "%Y-%m-%dT%H:%M:%S.%f%z"
    if type == "geopoint":
        found["format"] = "object"
    return found


def unit(declared: Declaration | None, units: Units) -> dict[str, str]:
    """Return the unit of a column, if its model names one: of the path itself, or of what it is a part of."""
    if declared is None or declared.path is None:
        return {}
    known = units.get(declared.measure_type or "", {})
    levels = declared.path.split(".")
    for end in range(len(levels), 0, -1):
        if (found := known.get(".".join(levels[:end]))) is not None:
            return {"unit": found}
    return {}


def slug(name: str) -> str:
    """Return a name as the specification wants those of resources."""
    return re.sub("[^a-z0-9._-]+", "-", name.lower().removesuffix(".csv")).strip("-.") or "measures"
