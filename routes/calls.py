"""Turn HTTP requests into calls, and envelopes into HTTP responses."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from flask import Request, Response

from actions.calls import Call, new_request_id, wrong_volatile
from actions.envelope import Envelope
from routes.hosts import base_url
from schemas import bodies
from services.errors import BodyUnreadable, InvalidArgument, RequestTooLarge

#: Bytes that a body may hold.
LARGEST_BODY = 1024 * 1024

#: Arguments that are JSON wherever they stand; in a query string as its text.
JSON_ARGUMENTS = ("query", "sort", "fields", "fieldsName", "ids", "models", "groups", "aggregate")

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,200}")


def call(request: Request, controller: str, action: str, **arguments: str) -> Call:
    """Return the call that a request to a route makes.

    Raises `BadRequest` that names the argument.
    """
    given = query(request)
    for name in arguments.keys() & given.keys():
        raise InvalidArgument(name, "is given twice: in the path and in the query string.")
    tokens = given.pop("jwt", None)
    text = body_text(request)
    return Call(
        controller=controller,
        action=action,
        arguments=given | arguments,
        read_body=lambda: json_of(text),
        token=bearer(request) or tokens,
        request_id=request_id(request),
        volatile=volatile(request),
        base_url=base_url(request.environ),
    )


def message_call(request: Request) -> Call:
    """Return the call that the body of `POST /_query` holds. Raises `BadRequest`."""
    message = json_of(body_text(request))
    if not isinstance(message, Mapping):
        raise InvalidArgument("body", "must be a JSON object that holds the whole request.")
    return Call.from_message(
        {"requestId": request_id(request), "volatile": volatile(request)} | dict(message),
        base_url=base_url(request.environ),
        token=bearer(request),
    )


def query(request: Request) -> dict[str, Any]:
    """Return the arguments of the query string. Raises `InvalidArgument` for a name given twice."""
    found: dict[str, Any] = {}
    try:
        pairs = parse_qsl(request.query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeError as error:
        raise InvalidArgument("query string", "is no UTF-8.") from error
    for name, value in pairs:
        if name in found:
            raise InvalidArgument(name, "is given twice.")
        found[name] = _json(value) if name in JSON_ARGUMENTS else value
    return found


def json_of(text: bytes) -> Any:
    """Return a body parsed as JSON, whatever its content type; `None` when it is empty.

    Raises `BadRequest`.
    """
    return bodies.parsed(text) if text.strip() else None


def body_text(request: Request) -> bytes:
    """Return the whole body.

    Raises `RequestTooLarge`, and `BodyUnreadable` where the client ended it early.
    """
    announced = request.content_length
    if announced is None and not request.environ.get("wsgi.input_terminated"):
        return b""
    if (announced or 0) <= LARGEST_BODY:
        text: bytes = request.environ["wsgi.input"].read(LARGEST_BODY + 1 if announced is None else announced)
        if len(text) <= LARGEST_BODY:
            return checked_length(text, announced)
    raise RequestTooLarge(f"The body may hold {LARGEST_BODY} bytes.", argument="body")


def checked_length(text: bytes, announced: int | None) -> bytes:
    if announced is not None and len(text) < announced:
        raise BodyUnreadable(f"The body ended after {len(text)} of {announced} bytes.")
    return text


def bearer(request: Request) -> str | None:
    """Return the token of the header `Authorization: Bearer …` (RFC 6750), `None` without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def request_id(request: Request) -> str:
    """Return the caller's request id when it can stand in a header, else a new one."""
    asked = request.headers.get("X-Kuzzle-Request-Id", "")
    return asked if _REQUEST_ID.fullmatch(asked) else new_request_id()


def volatile(request: Request) -> Any:
    """Return the JSON of the header `X-Kuzzle-Volatile`, which is echoed.

    Raises `InvalidArgument`.
    """
    text = request.headers.get("X-Kuzzle-Volatile", "")
    try:
        found = json_of(text.encode("latin-1"))
    except (BodyUnreadable, UnicodeEncodeError) as error:
        raise InvalidArgument("volatile", "the header X-Kuzzle-Volatile is no JSON.") from error
    wrong = wrong_volatile(found)
    if wrong is not None:
        raise wrong
    return found


def answer(found: Envelope, headers: Mapping[str, str] | None = None) -> Response:
    """Return the envelope as a JSON response with the envelope's status."""
    response = Response(json.dumps(found), status=found["status"], mimetype="application/json")
    response.headers["X-Kuzzle-Request-Id"] = _header_safe(found["requestId"])
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.update(headers or {})
    return response


def _header_safe(value: Any) -> str:
    return value if isinstance(value, str) and _REQUEST_ID.fullmatch(value) else new_request_id()


def _json(text: str) -> Any:
    """Parse JSON; a text that is none stays as it is, since a sort may be the bare name of a field."""
    return bodies.parsed(text) if text[:1] in '{["' and text else text
