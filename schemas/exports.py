"""The schema of an export: JSON <-> ExportRequest, for the request of a caller and for the token of a link alike."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from marshmallow import RAISE, Schema, ValidationError, post_load

from schemas import bodies, fields, native_query
from services import zones
from services.errors import InvalidArgument, InvalidType, MissingArgument
from services.filters.koncorde.distinct import distinct
from services.filters.koncorde.nodes import All
from services.filters.koncorde.parse import parse
from services.filters.koncorde.write import write
from services.instants import iso
from services.measures import NEWEST_FIRST, ExportRequest, Kind, Target
from services.options import DEFAULTS, FORMATS, NAMES, PRESETS, USED_BY, Options
from services.query_languages import LANGS, Lang

#: Tells epoch seconds.
Clock = Callable[[], float]

ALL_FORMATS = frozenset(FORMATS)

#: The keys of what is loaded, by the names of the options: `fields` is a name that marshmallow keeps for itself.
KEYS = {name: "columns" if name == "fields" else name for name in NAMES.values()}

#: What clients send beside the arguments; known, and of no effect.
IGNORED = frozenset(
    {"pretty", "controller", "action", "index", "collection", "volatile", "jwt", "requestId", "refresh"}
)


class ExportSchema(Schema):
    """The names of an export as callers write them."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": fields.UNKNOWN}  # noqa: RUF012  marshmallow declares it so

    engineId = fields.Text(  # noqa: N815
        required=True, description="The engine (tenant) whose measures are exported.", examples=["demo"]
    )
    _id = fields.Text(
        required=True, description="The id of the asset, or of the device.", examples=["Container-c1", "DummyTemp-d1"]
    )
    kind = fields.Choice(
        ("assets", "devices"),
        required=True,
        description="Whose measures: those of an asset, or those that a device sent.",
    )
    exportId = fields.Text(required=True, description="The id of a prepared export.")  # noqa: N815
    askedBy = fields.Text(required=True)  # noqa: N815
    formulaGuard = fields.Flag(required=True)  # noqa: N815
    startAt = fields.Period(  # noqa: N815
        load_default=None,
        description="Measures from here on: ISO 8601, a date, week, month or year from its beginning; "
        "without an offset of `timezone`. Empty: absent.",
        examples=["2024-06-01", "2024-06-01T08:30:00+02:00"],
    )
    endAt = fields.Period(  # noqa: N815
        load_default=None,
        description="Measures up to here, inclusive: ISO 8601, a date, week, month or year to its end; "
        "without an offset of `timezone`. Empty: absent.",
        examples=["2024-06-30", "2024-W26"],
    )
    type = fields.OptionalText(
        load_default=None, description="The type of the measures. Empty: absent, every type.", examples=["temperature"]
    )
    lang = fields.Choice(
        LANGS,
        required=True,
        description="The language of `query`. Absent: as the service is set (`DEFAULT_LANG`), else `koncorde`.",
    )
    query = fields.Json(
        load_default=None,
        description="Which measures: a filter of Koncorde (docs/filters.md), or with `lang=elasticsearch` a query of "
        "Elasticsearch. Absent or `{}`: all.",
        examples=[{"range": {"values.temperature": {"gte": 20}}}],
    )
    sort = fields.Sort(
        load_default=NEWEST_FIRST,
        description="The order of rows, as Elasticsearch's `sort`; ties in order of insertion. "
        "Absent, `{}`, `[]`, `null`: newest first.",
        examples=[{"measuredAt": "asc"}],
    )
    offset = fields.RowCount(load_default=0, data_key="from", description="Rows to skip.", examples=[0])
    size = fields.RowCount(load_default=None, description="Rows at most. Absent: all.", examples=[1000])
    preset = fields.Preset(
        description="Several options under one name; what is given beside it wins. Empty: absent.",
    )
    format = fields.Choice(
        FORMATS, description="The format of the file (docs/formats.md); `documents`: what is stored, one JSON a line."
    )
    compress = fields.Choice(("none", "gzip"), description="`gzip`: the file is a `.gz`.")
    separator = fields.Separator(description="What parts cells; `tab`: a TAB.")
    decimal = fields.Choice((".", ","), description="The decimal separator of numbers.")
    bom = fields.Boolean(description="Whether the file begins with a mark that tells UTF-8. A bare name: true.")
    header = fields.Boolean(description="Whether the first row has the headers. A bare name: true.")
    newline = fields.Choice(("lf", "crlf"), description="What ends a line.")
    empty = fields.Empty(description="What stands for a value that is missing.", examples=["NA"])
    timezone = fields.Timezone(
        description="The time zone of local dates, and of `startAt` and `endAt` without an offset: "
        "a name of the IANA's. Empty: `UTC`.",
        examples=["Europe/Paris"],
    )
    dateFormat = fields.Choice(  # noqa: N815
        ("iso", "local"), description="How the column `Measured At ISO` is written; `local`: as clocks of `timezone`."
    )
    columns = fields.Names(
        data_key="fields",
        description="The columns of the file in this order: headers, or paths into the stored document; "
        "a list, or a text in which commas part them. Absent: all.",
        examples=[["Measured At ISO", "temperatureExt.temperature"]],
    )
    fieldsName = fields.Renames(  # noqa: N815
        description="Other headers, by the names of columns.", examples=[{"Measured At ISO": "time"}]
    )
    fileName = fields.OptionalText(  # noqa: N815
        description="The name of the file, without its ending. Empty: absent.", examples=["temperatures"]
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ExportRequest:
        options = options_of(data)
        zone = zones.zone(options.timezone)
        start, end = fields.first_ms("startAt", data["startAt"], zone), fields.last_ms("endAt", data["endAt"], zone)
        if start is not None and end is not None and start > end:
            raise InvalidArgument("startAt", f"{iso(start)} is after endAt, {iso(end)}.")
        query = data["query"]
        of_elasticsearch = data["lang"] == "elasticsearch" and query is not None
        return ExportRequest(
            export_id=data["exportId"],
            target=Target(data["engineId"], data["kind"], data["_id"]),
            type=data["type"],
            start_ms=start,
            end_ms=end,
            filter=All() if query is None or of_elasticsearch else distinct(parse(query)),
            elastic_query=query if of_elasticsearch else None,
            sort=data["sort"],
            offset=data["offset"],
            size=data["size"],
            formula_guard=data["formulaGuard"],
            options=options,
            asked_by=data["askedBy"],
        )


def options_of(data: Mapping[str, Any]) -> Options:
    """Return the options of a file, from what was given. Raises `InvalidArgument` for what does not go together."""
    given = {name: data[key] for name, key in KEYS.items() if key in data}
    format = given.get("format", "csv")
    for name, value in given.items():
        if format not in USED_BY.get(name, ALL_FORMATS) and value != DEFAULTS[name]:
            users = ", ".join(each for each in FORMATS if each in USED_BY[name])
            raise InvalidArgument(name, f'is of no use to format "{format}": only to {users}.')
    preset = PRESETS.get(data.get("preset") or "", {})
    used = {name: value for name, value in preset.items() if format in USED_BY[name]} | given
    options = Options(**{attribute: used[name] for attribute, name in NAMES.items() if name in used})
    if options.separator == options.decimal:
        wrong = "decimal" if "decimal" in given else "separator"
        raise InvalidArgument(
            wrong,
            f'separator and decimal are both "{options.separator}": a reader could not tell them apart. '
            'Choose another of them, such as separator ";" with decimal ",".',
        )
    return options


_schema = ExportSchema()

#: What a caller may name; the others are the service's own.
OURS = frozenset({"kind", "exportId", "askedBy", "formulaGuard"})
FIELDS = fields.named(_schema)
ARGUMENTS = {name: field for name, field in FIELDS.items() if name not in OURS}


def target_of(arguments: Mapping[str, Any], read_body: Callable[[], Any], *, kind: Kind) -> Target:
    """Return whose measures are asked for: all that must be read before the caller is judged.

    `read_body` is called only where the arguments at the root do not say. Raises `BadRequest`,
    `RequestTooLarge`.
    """
    found = {}
    for name in ("engineId", "_id"):
        place = arguments if name in arguments else read_body()
        if not isinstance(place, Mapping) or name not in place:
            raise MissingArgument(name)
        found[name] = fields.Text().read(name, place[name])
    return Target(found["engineId"], kind, found["_id"])


def of_call(
    arguments: Mapping[str, Any],
    body: Any,
    *,
    kind: Kind,
    lang: Lang,
    export_id: str,
    asked_by: str,
    guard: bool,
    clock: Clock = time.time,
) -> ExportRequest:
    """Return what a caller asks for. `lang`: meant where the caller names none. `clock` tells `now`, in epoch seconds.

    Raises `BadRequest` naming the argument, `RequestTooLarge`.
    """
    ours = {"kind": kind, "exportId": export_id, "askedBy": asked_by, "formulaGuard": guard}
    return _load({"lang": lang} | _together(arguments, body) | ours, clock)


def of_token(payload: Mapping[str, Any], *, clock: Clock = time.time) -> ExportRequest:
    """Return what a link asks for, after the same checks."""
    return _load(payload, clock)


def to_token(request: ExportRequest) -> dict[str, Any]:
    """Return a request as JSON, without what is absent: `of_token(to_token(request)) == request`."""
    token: dict[str, Any] = {
        "engineId": request.target.engine,
        "_id": request.target.id,
        "kind": request.target.kind,
        "exportId": request.export_id,
        "askedBy": request.asked_by,
        "formulaGuard": request.formula_guard,
        "lang": "koncorde" if request.elastic_query is None else "elasticsearch",
    }
    optional = {
        "startAt": None if request.start_ms is None else iso(request.start_ms),
        "endAt": None if request.end_ms is None else iso(request.end_ms),
        "type": request.type,
        "query": _query(request),
        "sort": None if request.sort == NEWEST_FIRST else [key.as_json() for key in request.sort],
        "from": request.offset or None,
        "size": request.size,
    }
    token |= request.options.given()
    return token | {name: value for name, value in optional.items() if value is not None}


def largest_part(request: ExportRequest) -> str:
    """Return the name of the argument that takes most of a link."""
    parts = to_token(request)
    names = ("query", "sort", "type", "_id", "engineId", "fields", "fieldsName", "fileName")
    return max(names, key=lambda name: len(str(parts.get(name, ""))))


def _query(request: ExportRequest) -> Any:
    if request.elastic_query is not None:
        return dict(request.elastic_query)
    return None if request.filter == All() else write(request.filter)


def _together(arguments: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """Return the arguments of root and body together; none may stand in both."""
    if body is None:
        body = {}
    if not isinstance(body, Mapping):
        raise InvalidType("body", "is no JSON object.")
    root, more = _known(arguments), _known(body)
    for name in root.keys() & more.keys():
        raise InvalidArgument(name, "is given twice: at the root and in the body.")
    return root | more


def _known(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that mean something. Raises `InvalidArgument` for the first name that is none."""
    found = {}
    for name, value in arguments.items():
        if name in ARGUMENTS:
            found[name] = value
        elif name not in IGNORED:
            raise fields.unknown(name)
        else:
            bodies.json_of(name, value)
    return found


def _load(data: Mapping[str, Any], clock: Clock) -> ExportRequest:
    try:
        request = cast(ExportRequest, _schema.load(dict(data)))
    except ValidationError as error:
        raise fields.first_error(error) from error
    if request.elastic_query is None:
        return request
    asked = native_query.check(request.elastic_query, now_ms=int(clock() * 1000))
    return dataclasses.replace(request, elastic_query=asked)
