"""The OpenAPI document of all routes, made of the schemas that read requests and describe answers."""

import json
from functools import cache
from typing import Any, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter

from actions import paths
from routes.openapi import arguments
from routes.openapi.operations import OPERATIONS, Operation
from routes.openapi.responses import responses
from schemas.answers import Answer, EnvelopeSchema
from services.version import VERSION

#: Of OpenAPI.
EDITION = "3.1.0"

ABOUT = """Exports the measures of assets and devices as files, from signed links: in the place of the actions
`exportMeasures` of Kuzzle's device manager, whose routes, names and answers it has.

Every error is an envelope with a status of its own. A path that takes another verb answers 405, and `HEAD` is
answered wherever `GET` is. The same actions are served by messages over a WebSocket, on any path of the same port;
`POST /_query` takes one of these messages."""

TAGS = {
    "Exports": "Prepare an export, and download it.",
    "Kuzzle": "What Kuzzle's SDK asks.",
    "Service": "What operators and programs ask.",
}

SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The caller's token, or an API key."},
    "token": {
        "type": "apiKey",
        "in": "query",
        "name": "jwt",
        "description": "The same, where a header cannot be set; the header goes before it.",
    },
    "link": {
        "type": "apiKey",
        "in": "query",
        "name": "jwt",
        "description": "The token of a link, as the prepare has signed it: it holds the whole request.",
    },
}

HEADERS: dict[str, dict[str, Any]] = {
    "RequestId": {"description": "The request's id: its own, or a new one.", "schema": {"type": "string"}},
    "Content-Disposition": {"description": "The name of the file.", "required": True, "schema": {"type": "string"}},
    "Accept-Ranges": {"description": "A download takes no ranges.", "required": True, "schema": {"const": "none"}},
}

PARAMETERS: dict[str, dict[str, Any]] = {
    "RequestId": {
        "name": "X-Kuzzle-Request-Id",
        "in": "header",
        "description": "Comes back where it can stand in a header: 1 to 200 visible letters of ASCII.",
        "schema": {"type": "string"},
    },
    "Volatile": {
        "name": "X-Kuzzle-Volatile",
        "in": "header",
        "description": "JSON that comes back as it is.",
        "content": {"application/json": {"schema": {}}},
    },
}


@cache
def text() -> bytes:
    """Return the document as JSON."""
    return json.dumps(document(), ensure_ascii=False).encode()


def document() -> dict[str, Any]:
    """Return the document."""
    plugin = MarshmallowPlugin()
    spec = APISpec(
        title="Measures export",
        version=VERSION,
        openapi_version=EDITION,
        info={"description": ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        servers=[{"url": "."}],
        plugins=[plugin],
    )
    converter = cast(OpenAPIConverter, plugin.converter)
    for name, told in TAGS.items():
        spec.tag({"name": name, "description": told})
    for name, scheme in SECURITY.items():
        spec.components.security_scheme(name, scheme)
    for name, header in HEADERS.items():
        spec.components.header(name, header)
    for name, parameter in PARAMETERS.items():
        spec.components.parameter(name, parameter["in"], parameter)
    spec.components.schema("Envelope", schema=EnvelopeSchema)
    for name, schema in arguments.components(OPERATIONS):
        spec.components.schema(name, schema)
    for each in OPERATIONS:
        spec.path(
            path=template(each.path),
            parameters=list(arguments.of_path(each.path)),
            operations={each.verb: described(each, converter)},
        )
    return spec.to_dict()


def template(path: str) -> str:
    """Return a path as OpenAPI writes it."""
    return paths.filled(path, **{name: f"{{{name}}}" for name in arguments.names(path)})


def described(operation: Operation, converter: OpenAPIConverter) -> dict[str, Any]:
    """Return the Operation Object of an operation."""
    results = answered(operation)
    headers = list(PARAMETERS) if results else []
    body = arguments.message_body(OPERATIONS) if operation.messages else arguments.of_body(operation)
    found: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": [*arguments.of_query(operation), *headers],
        "responses": responses(operation, results, converter.field2property),
        "security": [{name: list(scopes) for name, scopes in each.items()} for each in operation.security],
    }
    if operation.description:
        found["description"] = operation.description
    if body is not None:
        found["requestBody"] = body
    return found


def answered(operation: Operation) -> list[Answer]:
    """Return what the envelope of an operation may hold, nothing for one that answers without."""
    if operation.messages:
        return [each.result for each in OPERATIONS if each.result is not None]
    return [] if operation.result is None else [operation.result]
