"""The route of the description of all routes, as OpenAPI 3.1."""

from flask import Blueprint, Response, request

from actions.paths import OPENAPI
from routes.openapi import document

#: Seconds for which a client need not ask again.
FRESH_SECONDS = 300


def blueprint() -> Blueprint:
    routes = Blueprint("openapi", __name__)

    @routes.get(OPENAPI)
    def openapi() -> Response:
        response = Response(document.text(), mimetype="application/json")
        response.headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.add_etag()
        response.make_conditional(request)
        return response

    return routes
