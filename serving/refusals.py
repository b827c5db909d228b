"""The answers to requests that gunicorn's parser refuses: an envelope in place of gunicorn's page."""

import json
from http import HTTPStatus

from actions import envelope
from actions.calls import Call
from services import errors
from services.errors import ServiceError

#: The answer by the name of gunicorn's error, so that nothing of what was sent is quoted: there may be a token.
TOLD: dict[str, ServiceError] = {
    "LimitRequestLine": errors.UriTooLong("The request line is too long."),
    "LimitRequestHeaders": errors.HeadersTooLarge("The headers are too many, or too long."),
    "UnsupportedTransferCoding": errors.NotImplementedHere("Of transfer codings, only chunked is served."),
    "ExpectationFailed": errors.ExpectationFailed("Only 100-continue can be expected."),
    "InvalidRequestLine": errors.BadRequest("The request line is no HTTP."),
    "InvalidRequestMethod": errors.BadRequest("The request line names no method."),
    "InvalidHTTPVersion": errors.BadRequest("The request line names no version that is served: use HTTP/1.1."),
    "InvalidHeaderName": errors.BadRequest("A header has a wrong name."),
    "InvalidHeader": errors.BadRequest("A header is wrong, is there twice, or contradicts another."),
    "ObsoleteFolding": errors.BadRequest("A header is folded."),
    "InvalidSchemeHeaders": errors.BadRequest("The headers contradict each other on http or https."),
}


def of(error: BaseException) -> ServiceError | None:
    """Return the error to answer with, `None` where the fault is not the client's."""
    return error if isinstance(error, ServiceError) else TOLD.get(type(error).__name__)


def response_bytes(error: ServiceError) -> bytes:
    """Return the whole HTTP response; the connection closes after it."""
    found = envelope.of_error(Call(controller=None, action=None), error)
    body = json.dumps(found).encode()
    lines = [
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        f"X-Kuzzle-Request-Id: {found['requestId']}",
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii") + body
