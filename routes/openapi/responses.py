"""Answers as OpenAPI describes them: envelopes of results and of errors, files."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from routes.openapi.operations import HTTP, Errors, Operation
from schemas.answers import Answer
from schemas.fields import JsonSchema
from services.errors import ServiceError

#: Makes a JSON Schema of an answer.
Convert = Callable[[Answer], JsonSchema]

NULL: JsonSchema = {"type": "null"}

_REQUEST_ID = {"X-Kuzzle-Request-Id": {"$ref": "#/components/headers/RequestId"}}
_FILE = {name: {"$ref": f"#/components/headers/{name}"} for name in ("Content-Disposition", "Accept-Ranges")}


def responses(operation: Operation, results: list[Answer], convert: Convert) -> dict[str, Any]:
    """Return the responses of an operation by status. `results`: those that its envelope may hold."""
    found: dict[str, Any] = {"200": _content(operation, convert) if operation.content else _result(results, convert)}
    if operation.cached:
        found["304"] = {"description": "It is the one that the client's `If-None-Match` names."}
    return found | _errors((*HTTP, *operation.refuses), page=operation.page)


def _result(results: list[Answer], convert: Convert) -> dict[str, Any]:
    schemas = [convert(each) for each in results]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {
        "description": "The result.",
        "headers": _REQUEST_ID,
        "content": {"application/json": {"schema": _envelope(200, error=NULL, result=schema)}},
    }


def _content(operation: Operation, convert: Convert) -> dict[str, Any]:
    content = operation.content or {}
    found: dict[str, Any] = {
        "description": "The answer.",
        "content": {media: {} if each is None else {"schema": convert(each)} for media, each in content.items()},
    }
    return found | {"headers": _FILE} if operation.page else found


def _errors(refuses: Errors, *, page: bool) -> dict[str, Any]:
    by_status: dict[int, dict[type[ServiceError], None]] = defaultdict(dict)
    for each in refuses:
        by_status[each.status][each] = None
    return {str(status): _error(status, list(by_status[status]), page=page) for status in sorted(by_status)}


def _error(status: int, kinds: list[type[ServiceError]], *, page: bool) -> dict[str, Any]:
    ids = list(dict.fromkeys(each.id for each in kinds))
    error: JsonSchema = {"type": "object", "properties": {"id": {"enum": ids}}}
    schema = _envelope(status, error=error, result=NULL)
    return {
        "description": "\n\n".join(dict.fromkeys(_told(each) for each in kinds)),
        "headers": _REQUEST_ID,
        "content": {"application/json": {"schema": schema}} | ({"text/html": {}} if page else {}),
    }


def _told(kind: type[ServiceError]) -> str:
    text = " ".join((kind.__doc__ or "").split())
    return f"`{kind.id}`: {text}" if kind.id else text


def _envelope(status: int, *, error: JsonSchema, result: JsonSchema) -> JsonSchema:
    own = {"status": {"const": status}, "error": error, "result": result}
    return {"allOf": [{"$ref": "#/components/schemas/Envelope"}, {"type": "object", "properties": own}]}
