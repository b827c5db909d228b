"""The base URL of a request as its client sees it, which links begin with."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from routes.paths import WsgiApp
from services.hosts import authority

#: The key of the WSGI environment that holds the base URL.
_BASE_URL = "measures_export.base_url"

#: The host that Flask is told instead.
_ANY = "localhost"


class AnyHost:
    """Keeps `Host` from the framework: no route depends on it, and what is no domain name would be a 400 everywhere."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ[_BASE_URL] = base_url(environ)
        environ["HTTP_HOST"] = _ANY
        return self._app(environ, start_response)


def base_url(environ: dict[str, Any]) -> str:
    """Return scheme, host and path prefix with a final slash; empty where `Host` is missing or
    makes no URL.

    Werkzeug's own refuses names that RFC 3986 allows, leaves out the host of what it refuses, and fails to decode
    what only looks like an international name (`xn--a`).
    """
    if _BASE_URL in environ:
        return str(environ[_BASE_URL])
    scheme = environ["wsgi.url_scheme"]
    host = authority(environ.get("HTTP_HOST", ""), scheme)
    prefix = quote(environ.get("SCRIPT_NAME", "").encode("latin-1").rstrip(b"/"), safe="!$&'()*+,/:;=@%")
    return "" if host is None else f"{scheme}://{host}{prefix}/"
