"""Where a request was sent, as its client sees it: what links begin with."""

from typing import Any

from werkzeug.sansio.utils import get_current_url

from services.hosts import authority


def base_url(environ: dict[str, Any]) -> str:
    """Scheme, host and path prefix, up to a slash; empty where `Host` is missing or makes no URL.

    The framework's own refuses names that RFC 3986 allows, and leaves out the host of what it refuses.
    """
    scheme = environ["wsgi.url_scheme"]
    host = authority(environ.get("HTTP_HOST", ""), scheme)
    return "" if host is None else get_current_url(scheme, host, environ.get("SCRIPT_NAME", ""))
