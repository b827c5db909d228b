"""Errors -> answers, in one place: an envelope, or a short page for a browser that followed a link."""

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

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<body style="font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem">
<h1 style="font-size: 1.4rem">{title}</h1><p>{message}</p>
<p style="color: #666">Status {status}. Request {request_id}.</p>
"""

TITLES = {
    401: "This link is not complete",
    403: "This link is not valid",
    410: "This link has expired",
    503: "The measures cannot be read right now",
}


def register(app: Flask) -> None:
    app.register_error_handler(Exception, answer)


def answer(error: Exception) -> Response:
    """Any error of any route."""
    told = ours(error)
    if told.status >= 500:
        log.error("%s %s: %s", request.method, request.path, told.message, exc_info=error.__cause__)
    response = _page(told) if _is_download() and _wants_page() else _envelope(told)
    response.headers.update(told.headers())
    response.headers["Cache-Control"] = "no-store"
    return response


def ours(error: Exception) -> ServiceError:
    """The error as one of our tree."""
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
    title = TITLES.get(told.status, "This export cannot be downloaded")
    text = PAGE.format(
        title=title, message=html.escape(told.message), status=told.status, request_id=calls.request_id(request)
    )
    return Response(text, status=told.status, mimetype="text/html")


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
