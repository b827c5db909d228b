"""CORS: pages of other origins may prepare an export and read its file name."""

from flask import Flask, Response, request

ALLOWED_METHODS = "GET, HEAD, POST, OPTIONS"
ALLOWED_HEADERS = "Content-Type, Authorization, X-Kuzzle-Volatile, X-Kuzzle-Request-Id"
EXPOSED_HEADERS = "Content-Disposition, X-Kuzzle-Request-Id"


def allowed(origin: str, origins: tuple[str, ...]) -> bool:
    return "*" in origins or origin in origins


def register(app: Flask, origins: tuple[str, ...]) -> None:
    """Add CORS headers for pages of `origins`, or of all for `*`.

    Flask's own OPTIONS answers a preflight.
    """

    @app.after_request
    def allow(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin and allowed(origin, origins):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
            response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
            response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
        return response
