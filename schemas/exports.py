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
from services.formats.layout import is_early
from services.instants import iso
from services.measures import COLLAPSES, KINDS, NEWEST_FIRST, ExportRequest, Fleet, Kind, SortKey, Target
from services.options import DEFAULTS, FORMATS, LAYOUTS, NAMES, PRESETS, USED_BY, Options
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


class MeasuresSchema(Schema):
    """The names of an export of measures as callers write them, but for whose they are."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": fields.UNKNOWN}  # noqa: RUF012  marshmallow declares it so

    #: What callers call it.
    action = ""

    engineId = fields.Text(  # noqa: N815
        required=True, description="The engine (tenant) whose measures are exported.", examples=["demo"]
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
    layout = fields.Choice(
        LAYOUTS,
        description="`long`: a row a measure. `wide`: a row an instant, the slots side by side. `split`: a file for "
        "each asset or device of a fleet, with `format=zip`.",
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

    interval = fields.Interval(
        description="A row for each interval of so long, of clocks and calendars of `timezone`.",
        examples=["15m", "1h", "1d"],
    )
    aggregate = fields.Aggregates(
        description="Beside `interval`: the columns of each path, a list, or a text in which commas part them. Absent: "
        "`avg` of numbers, `last` of all else.",
        examples=[["min", "avg", "max"]],
    )
    fill = fields.Choice(
        ("none", "previous"),
        description="Beside `interval`: `previous` makes the rows of intervals without a measure, and repeats values.",
    )

    def target(self, data: Mapping[str, Any]) -> Target | Fleet:
        """Return whose measures are meant. Raises `InvalidArgument`."""
        raise NotImplementedError

    def check_layout(self, data: Mapping[str, Any], options: Options) -> None:
        """Check that a layout goes with what else was given. Raises `InvalidArgument`."""
        if options.layout == "split":
            raise InvalidArgument(
                "layout", "split is of many assets or devices: device-manager/measures:export has it."
            )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ExportRequest:
        options = options_of(data)
        self.check_layout(data, options)
        zone = zones.zone(options.timezone)
        start, end = fields.first_ms("startAt", data["startAt"], zone), fields.last_ms("endAt", data["endAt"], zone)
        if start is not None and end is not None and start > end:
            raise InvalidArgument("startAt", f"{iso(start)} is after endAt, {iso(end)}.")
        check_order(options, data["sort"])
        query = data["query"]
        of_elasticsearch = data["lang"] == "elasticsearch" and query is not None
        return ExportRequest(
            export_id=data["exportId"],
            target=self.target(data),
            type=data["type"],
            start_ms=start,
            end_ms=end,
            filter=All() if query is None or of_elasticsearch else distinct(parse(query)),
            elastic_query=query if of_elasticsearch else None,
            sort=data["sort"],
            offset=data["offset"],
            size=data["size"],
            collapse=collapse_of(data),
            formula_guard=data["formulaGuard"],
            options=options,
            asked_by=data["askedBy"],
        )


class ExportSchema(MeasuresSchema):
    """The names of an export of one asset's or device's measures: `exportMeasures`."""

    action = "exportMeasures"
    _id = fields.Text(
        required=True, description="The id of the asset, or of the device.", examples=["Container-c1", "DummyTemp-d1"]
    )
    kind = fields.Choice(
        KINDS, required=True, description="Whose measures: those of an asset, or those that a device sent."
    )

    def target(self, data: Mapping[str, Any]) -> Target:
        return Target(data["engineId"], data["kind"], data["_id"])


class FleetSchema(MeasuresSchema):
    """The names of an export of many assets' or devices' measures: `measures:export`."""

    action = "measures:export"
    by = fields.Choice(
        KINDS,
        load_default="assets",
        description="`assets` (where it is absent): measures that have an asset; `devices`: those that a device sent.",
    )
    ids = fields.Texts(
        load_default=None,
        description="Only of these assets (devices), each of which must exist. Absent: of all.",
        examples=[["Container-c1", "Container-c2"]],
    )
    models = fields.Texts(
        load_default=None,
        description="Only of assets (devices) of these models, as measures say them. Absent: of all.",
        examples=[["Container"]],
    )
    groups = fields.Texts(
        load_default=None,
        description="Only of assets in these groups, as measures say them. Absent: of all.",
        examples=[["north"]],
    )
    collapse = fields.Choice(
        COLLAPSES,
        load_default=None,
        description="Of each asset, device or slot only the newest measure. Absent: all measures.",
    )

    def target(self, data: Mapping[str, Any]) -> Fleet:
        if data["groups"] is not None and data["by"] != "assets":
            raise InvalidArgument("groups", "are of assets: with by devices, choose ids or models.")
        return Fleet(data["engineId"], data["by"], data["ids"], data["models"], data["groups"])

    def check_layout(self, data: Mapping[str, Any], options: Options) -> None:
        if options.fill != "none":
            raise InvalidArgument("fill", "previous is of one asset or device; of many, the rows there are.")
        if options.layout != "split":
            return
        if options.format != "zip":
            raise InvalidArgument("layout", f'split is of no use to format "{options.format}": only to zip.')
        if not is_early(options) or (options.fields is not None and options.is_joined):
            raise InvalidArgument(
                "fields", "with layout split, may name the columns of every file and paths: others are not in each."
            )
        for name, is_given in {"from": data["offset"], "size": data["size"] is not None}.items():
            if is_given:
                raise InvalidArgument(name, "cannot stand beside layout split: each file has all its rows.")


def collapse_of(data: Mapping[str, Any]) -> Any:
    """Return of what only the newest measure is wanted. Raises `InvalidArgument` for what cannot stand beside it."""
    found = data.get("collapse")
    beside = {
        "sort": data["sort"] != NEWEST_FIRST,
        "from": data["offset"],
        "size": data["size"] is not None,
        "layout": data.get("layout", "long") != "long",
        "interval": "interval" in data,
    }
    for name, is_given in beside.items():
        if found is not None and is_given:
            raise InvalidArgument(name, "cannot stand beside collapse: its rows come by id and slot, and all of them.")
    return found


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
        used.setdefault("layout", "wide")
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
    if not options.is_joined:
        return
    if [key.field for key in sort] != ["measuredAt"]:
        raise InvalidArgument("sort", 'must be by measuredAt alone, either way, for layout "wide" and for interval.')
    if options.fill == "previous" and sort[0].order != "asc":
        raise InvalidArgument("fill", 'previous needs the oldest first: sort {"measuredAt": "asc"}.')


_one, _fleet = ExportSchema(), FleetSchema()

#: What a caller may not name: it is the service's own.
OURS = frozenset({"kind", "exportId", "askedBy", "formulaGuard"})
FIELDS = fields.named(_one) | fields.named(_fleet)
ARGUMENTS = {name: field for name, field in fields.named(_one).items() if name not in OURS}
FLEET_ARGUMENTS = {name: field for name, field in fields.named(_fleet).items() if name not in OURS}


def target_of(arguments: Mapping[str, Any], read_body: Callable[[], Any], *, kind: Kind) -> Target:
    """Return whose measures are asked for: all that must be read before the caller is judged.

    `read_body` is called only where the arguments at the root do not say. Raises `BadRequest`,
    `RequestTooLarge`.
    """
    return Target(engine_of(arguments, read_body), kind, fields.Text().read("_id", _early("_id", arguments, read_body)))


def engine_of(arguments: Mapping[str, Any], read_body: Callable[[], Any]) -> str:
    """Return the engine that is asked for, before the caller is judged. Raises `BadRequest`, `RequestTooLarge`."""
    return fields.Text().read("engineId", _early("engineId", arguments, read_body))


def kind_of(arguments: Mapping[str, Any], read_body: Callable[[], Any]) -> Kind:
    """Return by what a fleet is asked for, before the caller is judged. Raises `BadRequest`, `RequestTooLarge`."""
    try:
        by = _early("by", arguments, read_body)
    except MissingArgument:
        by = "assets"
    return "devices" if fields.one_of("by", by, KINDS) == "devices" else "assets"


def _early(name: str, arguments: Mapping[str, Any], read_body: Callable[[], Any]) -> Any:
    place = arguments if name in arguments else read_body()
    if not isinstance(place, Mapping) or name not in place:
        raise MissingArgument(name)
    return place[name]


def of_call(
    arguments: Mapping[str, Any],
    body: Any,
    *,
    kind: Kind | None,
    lang: Lang,
    export_id: str,
    asked_by: str,
    guard: bool,
    clock: Clock = time.time,
) -> ExportRequest:
    """Return what a caller asks for. `kind`: of the one target; `None`: a fleet is meant.

    `lang`: meant where the caller names none. `clock` tells `now`, in epoch seconds. Raises `BadRequest` naming the
    argument, `RequestTooLarge`.
    """
    schema = _fleet if kind is None else _one
    ours = {"exportId": export_id, "askedBy": asked_by, "formulaGuard": guard}
    given = {"lang": lang} | _together(arguments, body, schema) | ours
    return _load(schema, given if kind is None else given | {"kind": kind}, clock)


def of_token(payload: Mapping[str, Any], *, clock: Clock = time.time) -> ExportRequest:
    """Return what the link of one target asks for, after the same checks."""
    return _load(_one, payload, clock)


def of_fleet_token(payload: Mapping[str, Any], *, clock: Clock = time.time) -> ExportRequest:
    """Return what the link of a fleet asks for, after the same checks."""
    return _load(_fleet, payload, clock)


def to_token(request: ExportRequest) -> dict[str, Any]:
    """Return a request as JSON, without what is absent, of which `of_token` (`of_fleet_token`) makes it again."""
    token: dict[str, Any] = {
        "engineId": request.target.engine,
        **_whose(request.target),
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
        "collapse": request.collapse,
    }
    token |= request.options.given()
    return token | {name: value for name, value in optional.items() if value is not None}


def _whose(target: Target | Fleet) -> dict[str, Any]:
    if isinstance(target, Target):
        return {"_id": target.id, "kind": target.kind}
    lists = {"ids": target.ids, "models": target.models, "groups": target.groups}
    return {"by": target.kind, **{name: list(values) for name, values in lists.items() if values is not None}}


def largest_part(request: ExportRequest) -> str:
    """Return the name of the argument that takes most of a link."""
    parts = to_token(request)
    names = ("query", "sort", "type", "_id", "engineId", "ids", "models", "groups", "fields", "fieldsName", "fileName")
    return max(names, key=lambda name: len(str(parts.get(name, ""))))


def _query(request: ExportRequest) -> Any:
    if request.elastic_query is not None:
        return dict(request.elastic_query)
    return None if request.filter == All() else write(request.filter)


def _together(arguments: Mapping[str, Any], body: Any, schema: ExportSchema | FleetSchema) -> dict[str, Any]:
    """Return the arguments of root and body together; none may stand in both."""
    if body is None:
        body = {}
    if not isinstance(body, Mapping):
        raise InvalidType("body", "is no JSON object.")
    root, more = _known(arguments, schema), _known(body, schema)
    for name in root.keys() & more.keys():
        raise InvalidArgument(name, "is given twice: at the root and in the body.")
    return root | more


def _known(arguments: Mapping[str, Any], schema: ExportSchema | FleetSchema) -> dict[str, Any]:
    """Return the arguments that mean something. Raises `InvalidArgument` for the first name that is none."""
    known = fields.named(schema).keys() - OURS
    found = {}
    for name, value in arguments.items():
        if name in known:
            found[name] = value
        elif name not in IGNORED:
            raise fields.unknown(name, schema.action)
        else:
            bodies.json_of(name, value)
    return found


def _load(schema: ExportSchema | FleetSchema, data: Mapping[str, Any], clock: Clock) -> ExportRequest:
    try:
        request = cast(ExportRequest, schema.load(dict(data)))
    except ValidationError as error:
        raise fields.first_error(error, schema.action) from error
    if request.elastic_query is None:
        return request
    asked = native_query.check(request.elastic_query, now_ms=int(clock() * 1000))
    return dataclasses.replace(request, elastic_query=asked)
