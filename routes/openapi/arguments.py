"""Arguments as OpenAPI describes them: parameters of paths and query strings, bodies, messages."""

from collections.abc import Collection, Iterator
from typing import Any

from actions import paths
from actions.calls import LONGEST_REQUEST_ID
from actions.catalogue import ROUTES
from routes.calls import JSON_ARGUMENTS
from routes.openapi.operations import Arguments, Operation
from schemas import exports
from schemas.fields import Field, JsonSchema, choice_schema, text_schema
from services.errors import TokenInvalid
from services.options import DEFAULTS, FORMATS, USED_BY

TOKEN: JsonSchema = {"type": ["string", "null"], "description": "The caller's token; the header's where it is absent."}

#: What an action may do without, it does not look at.
UNREAD: JsonSchema = {"description": "The caller's token, where the action has a use for it."}

IGNORED: JsonSchema = {"description": "Known from Kuzzle, and of no effect."}


def described(name: str, field: Field) -> JsonSchema:
    """Return the JSON Schema of an argument, with what callers are told of it."""
    told = [field.description]
    if name in USED_BY:
        told.append(f"Of use to `format` {', '.join(each for each in FORMATS if each in USED_BY[name])} alone.")
    found = {**field.json_schema(), "description": " ".join(told)}
    if field.examples:
        found["examples"] = list(field.examples)
    if isinstance(DEFAULTS.get(name), str | bool):
        found["default"] = DEFAULTS[name]
    return found


def of_path(path: str) -> Iterator[dict[str, Any]]:
    """Yield the parameters of a path."""
    for name in names(path):
        schema = described(name, exports.FIELDS[name])
        told = schema.pop("description")
        yield {"name": name, "in": "path", "required": True, "description": told, "schema": schema | {"minLength": 1}}


def names(path: str) -> list[str]:
    return [part[1:] for part in path.split("/") if part.startswith(":")]


def of_query(operation: Operation) -> Iterator[dict[str, Any]]:
    """Yield the parameters of an operation's query string."""
    for name, field in _outside_path(operation).items():
        read: dict[str, Any] = {"schema": {"$ref": f"{_place(operation)}/{name}"}}
        if name in JSON_ARGUMENTS:
            read = {"content": {"application/json": read}}
        yield {"name": name, "in": "query", "required": False, "description": field.description, **read}


def _outside_path(operation: Operation) -> Arguments:
    within = names(operation.path)
    return {name: field for name, field in (operation.arguments or {}).items() if name not in within}


def of_body(operation: Operation) -> dict[str, Any] | None:
    """Return the body of an operation, `None` for one that reads none."""
    if operation.arguments is not None:
        schema = _arguments(operation, _outside_path(operation)) | {"type": ["object", "null"]}
    elif operation.body is not None:
        schema = {"properties": {name: described(name, field) for name, field in operation.body.items()}}
    else:
        return None
    return {"required": False, "content": {"application/json": {"schema": schema}}}


def component(operation: Operation) -> str:
    """Return the name under which the arguments of an operation are among the components."""
    return f"{operation.id}Arguments"


def components(operations: Collection[Operation]) -> Iterator[tuple[str, JsonSchema]]:
    """Yield names and schemas of the arguments of operations, those of paths among them."""
    for each in operations:
        if each.arguments is not None:
            properties = {name: described(name, field) for name, field in each.arguments.items()}
            yield component(each), {"type": "object", "properties": properties | _ignored()}


def _arguments(operation: Operation, named: Collection[str]) -> JsonSchema:
    """Return the objects that hold no other arguments than the named ones."""
    place = _place(operation)
    properties = {name: {"$ref": f"{place}/{name}"} for name in (*named, *sorted(exports.IGNORED))}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _place(operation: Operation) -> str:
    return f"#/components/schemas/{component(operation)}/properties"


def _ignored() -> dict[str, JsonSchema]:
    return dict.fromkeys(sorted(exports.IGNORED), IGNORED)


def message_body(operations: Collection[Operation]) -> dict[str, Any]:
    """Return the body of a route that takes a message of any of the actions."""
    schemas = [_message(each) for each in operations if actions(each)]
    return {"required": True, "content": {"application/json": {"schema": {"anyOf": schemas}}}}


def actions(operation: Operation) -> list[tuple[str, str]]:
    """Return controllers and actions that an operation is a route of."""
    kinds = exports.FIELDS["kind"].json_schema()["enum"]
    own = {(operation.verb.upper(), paths.filled(operation.path, kind=kind)) for kind in kinds}
    return [
        (controller, action)
        for controller, routed in ROUTES.items()
        for action, routes in routed.items()
        if operation.result is not None and any((route["verb"], route["path"]) in own for route in routes)
    ]


def _message(operation: Operation) -> JsonSchema:
    controllers, names = map(sorted, map(set, zip(*actions(operation), strict=True)))
    body: JsonSchema = {}
    schema: JsonSchema = {"type": "object", "properties": {}}
    if operation.arguments is not None:
        schema = _arguments(operation, operation.arguments)
        body = schema | {"type": ["object", "null"]}
    elif operation.body is not None:
        body = {"properties": {name: described(name, field) for name, field in operation.body.items()}}
    envelope: JsonSchema = {
        "controller": choice_schema(controllers),
        "action": choice_schema(names),
        "body": body,
        "jwt": TOKEN if TokenInvalid in operation.refuses else UNREAD,
        "requestId": text_schema(LONGEST_REQUEST_ID) | {"type": ["string", "null"]},
        "volatile": {"description": "Comes back as it is."},
    }
    properties = {**schema["properties"], **envelope}
    return schema | {"title": operation.id, "properties": properties, "required": ["controller", "action"]}
