"""The schema of an export: JSON <-> ExportRequest, for the request of a caller and for the token of a link alike."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
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
from services.measures import NEWEST_FIRST, ExportRequest, Kind, SortKey, Target
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

    engineId = fields.Text(required=True)  # noqa: N815
    _id = fields.Text(required=True)
    kind = fields.Choice(("assets", "devices"), required=True)
    exportId = fields.Text(required=True)  # noqa: N815
    askedBy = fields.Text(required=True)  # noqa: N815
    formulaGuard = fields.Flag(required=True)  # noqa: N815
    startAt = fields.Period(load_default=None)  # noqa: N815
    endAt = fields.Period(load_default=None)  # noqa: N815
    type = fields.OptionalText(load_default=None)
    lang = fields.Choice(LANGS, required=True)
    query = fields.Json(load_default=None)
    sort = fields.Sort(load_default=NEWEST_FIRST)
    offset = fields.RowCount(load_default=0, data_key="from")
    size = fields.RowCount(load_default=None)
    preset = fields.Preset()
    format = fields.Choice(FORMATS)
    compress = fields.Choice(("none", "gzip"))
    separator = fields.Separator()
    decimal = fields.Choice((".", ","))
    bom = fields.Boolean()
    header = fields.Boolean()
    newline = fields.Choice(("lf", "crlf"))
    empty = fields.Empty()
    timezone = fields.Timezone()
    dateFormat = fields.Choice(("iso", "local"))  # noqa: N815
    columns = fields.Names(data_key="fields")
    fieldsName = fields.Renames()  # noqa: N815
    fileName = fields.OptionalText()  # noqa: N815
    layout = fields.Choice(("long", "wide"))
    interval = fields.Interval()
    aggregate = fields.Aggregates()
    fill = fields.Choice(("none", "previous"))

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ExportRequest:
        options = options_of(data)
        zone = zones.zone(options.timezone)
        start, end = fields.first_ms("startAt", data["startAt"], zone), fields.last_ms("endAt", data["endAt"], zone)
        if start is not None and end is not None and start > end:
            raise InvalidArgument("startAt", f"{iso(start)} is after endAt, {iso(end)}.")
        check_order(options, data["sort"])
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
    if given.get("interval") is not None:
        if given.get("layout") == "long":
            raise InvalidArgument("interval", 'makes rows of layout "wide": leave layout away, or say "wide".')
        used["layout"] = "wide"
    elif wrong := next(
        (name for name in ("aggregate", "fill") if given.get(name, DEFAULTS[name]) != DEFAULTS[name]), None
    ):
        raise InvalidArgument(wrong, 'is of use only beside interval, such as "1h".')
    options = Options(**{attribute: used[name] for attribute, name in NAMES.items() if name in used})
    if options.separator == options.decimal:
        wrong = "decimal" if "decimal" in given else "separator"
        raise InvalidArgument(
            wrong,
            f'separator and decimal are both "{options.separator}": a reader could not tell them apart. '
            'Choose another of them, such as separator ";" with decimal ",".',
        )
    return options


def check_order(options: Options, sort: Sequence[SortKey]) -> None:
    """Raise `InvalidArgument` for an order in which rows cannot be joined."""
    if options.layout != "wide":
        return
    if [key.field for key in sort] != ["measuredAt"]:
        raise InvalidArgument("sort", 'must be by measuredAt alone, either way, for layout "wide" and for interval.')
    if options.fill == "previous" and sort[0].order != "asc":
        raise InvalidArgument("fill", 'previous needs the oldest first: sort {"measuredAt": "asc"}.')


_schema = ExportSchema()

#: What a caller may name; the others are the service's own.
OURS = frozenset({"kind", "exportId", "askedBy", "formulaGuard"})
ARGUMENTS = frozenset(field.data_key or name for name, field in _schema.fields.items()) - OURS


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
