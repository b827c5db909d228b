"""The opening of a WebSocket (RFC 6455, section 4.2): what a request must hold, and the answer that opens."""

import base64
import binascii
import re
from typing import Any

from wsproto.utilities import generate_accept_token

from routes import cors
from routes.hosts import base_url
from services import hosts
from services.errors import BadRequest, Forbidden, MethodNotAllowed, UpgradeRequired

#: What can be the name of a subprotocol (RFC 9110, token).
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

KEY_BYTES = 16


def is_asked_for(environ: dict[str, Any]) -> bool:
    """Return whether a request wants to become a WebSocket."""
    return "websocket" in names(environ, "HTTP_UPGRADE")


def answer(environ: dict[str, Any], origins: tuple[str, ...]) -> bytes:
    """Return the response head that opens a WebSocket for pages of `origins`, or `*`, and for what
    is no page.

    Raises `MethodNotAllowed`, `BadRequest`, `UpgradeRequired`, `Forbidden`.
    """
    check_request(environ)
    check_origin(environ, origins)
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {generate_accept_token(key(environ)).decode()}",
        *subprotocol(environ),
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii")


def check_request(environ: dict[str, Any]) -> None:
    if environ["REQUEST_METHOD"] != "GET":
        raise MethodNotAllowed(["GET"])
    if environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        raise BadRequest("A WebSocket begins with HTTP/1.1 (nginx: proxy_http_version 1.1).")
    if "upgrade" not in names(environ, "HTTP_CONNECTION"):
        raise BadRequest('A WebSocket needs the header "Connection: Upgrade" (nginx: proxy_set_header Connection).')
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13":
        raise UpgradeRequired("A WebSocket of version 13 is served here.")
    if environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ:
        raise BadRequest("A request that becomes a WebSocket has no body.")


def check_origin(environ: dict[str, Any], origins: tuple[str, ...]) -> None:
    """Raise `Forbidden` for other pages than the service's own and those of `origins`: CORS guards
    no WebSocket.
    """
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and not cors.allowed(origin, origins) and not is_own(origin, environ):
        raise Forbidden(f'Pages of "{origin}" may not open a WebSocket here.', origin=origin)


def is_own(origin: str, environ: dict[str, Any]) -> bool:
    """Return whether the origin is where the request was sent."""
    own = base_url(environ)
    return bool(own) and origin.lower() == hosts.origin(own)


def key(environ: dict[str, Any]) -> bytes:
    text = str(environ.get("HTTP_SEC_WEBSOCKET_KEY", "")).encode("latin-1")
    try:
        fine = len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except binascii.Error:
        fine = False
    if not fine:
        raise BadRequest('The header "Sec-WebSocket-Key" must be 16 bytes in base64.')
    return text


def subprotocol(environ: dict[str, Any]) -> list[str]:
    """Return the header of the first subprotocol asked for: browsers refuse a response without one."""
    asked = environ.get("HTTP_SEC_WEBSOCKET_PROTOCOL")
    if asked is None:
        return []
    first = asked.partition(",")[0].strip()
    if not _TOKEN.fullmatch(first):
        raise BadRequest('The header "Sec-WebSocket-Protocol" names no protocol.')
    return [f"Sec-WebSocket-Protocol: {first}"]


def names(environ: dict[str, Any], header: str) -> list[str]:
    """Return a header's comma-separated names, in lower case."""
    return [name.strip().lower() for name in environ.get(header, "").split(",")]
