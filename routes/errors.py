"""Turn errors into responses: an envelope, or a short page for a browser that followed a link."""

import base64
import hashlib
import html
import logging

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from actions import envelope
from actions.calls import Call
from routes import calls
from services import errors
from services.errors import ServiceError

log = logging.getLogger(__name__)

STYLE = """
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem }
p, footer { overflow-wrap: anywhere }
h1 { font-size: 1.4rem }
footer { color: #666 }
"""

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
<h1>{title}</h1><p>{message}</p>
<footer>Status {status}. Request {request_id}.</footer>
"""

#: The page loads and runs nothing; its style is known by its hash. It may stand in no frame.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

TITLES = {
    401: "This link is not complete",
    403: "This link is not valid",
    410: "This link has expired",
    503: "The measures cannot be read right now",
}


def register(app: Flask) -> None:
    app.register_error_handler(Exception, answer)


def answer(error: Exception) -> Response:
    """Return the response for an error of any route; errors of status 500 and more are logged."""
    told = ours(error)
    if told.status >= 500:
        log.error("%s %s: %s", request.method, request.path, told.message, exc_info=error.__cause__)
    response = _page(told) if _is_download() and _wants_page() else _envelope(told)
    response.headers.update(told.headers())
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def ours(error: Exception) -> ServiceError:
    """Return the error as a `ServiceError`; unknown ones are logged and become a 500."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, MethodNotAllowed):
        return errors.MethodNotAllowed(sorted(error.valid_methods or []))
    if isinstance(error, RequestEntityTooLarge):
        return errors.RequestTooLarge(f"The body may hold {calls.LARGEST_BODY} bytes.", argument="body")
    if isinstance(error, HTTPException) and error.code == 404:
        return errors.UrlNotFound(f"API URL not found: {request.path}.")
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return errors.BadRequest(error.description or "Bad request.")
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return ServiceError("The service failed; its log tells more.")


def _envelope(told: ServiceError) -> Response:
    found = envelope.of_error(
        Call(controller=_controller(), action=_action(), request_id=calls.request_id(request)), told
    )
    return calls.answer(found)


def _page(told: ServiceError) -> Response:
    title, request_id = TITLES.get(told.status, "This export cannot be downloaded"), calls.request_id(request)
    texts = {"title": title, "message": told.message, "status": told.status, "request_id": request_id}
    text = PAGE.format(style=STYLE, **{name: html.escape(str(value)) for name, value in texts.items()})
    response = Response(text, status=told.status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Kuzzle-Request-Id"] = request_id
    return response


def _is_download() -> bool:
    return request.endpoint == "exports.download"


def _wants_page() -> bool:
    offered = ["application/json", "text/html"]
    return request.accept_mimetypes.best_match(offered, default=offered[0]) == "text/html"


def _controller() -> str | None:
    kind = (request.view_args or {}).get("kind")
    return f"device-manager/{kind}" if kind else None


def _action() -> str | None:
    return "exportMeasures" if _controller() else None
