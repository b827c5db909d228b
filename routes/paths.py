"""Split paths before they are percent-decoded: `A%2FB` is one part, `A/B` are two."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from werkzeug.routing import BaseConverter, ValidationError

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class RawPaths:
    """A middleware that sets PATH_INFO to the path as the client wrote it, still percent-encoded."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        raw = environ.get("RAW_URI")
        if raw:
            path = raw.partition("?")[0] if raw.startswith("/") else urlsplit(raw).path
            environ["PATH_INFO"] = path.partition("#")[0] or "/"
        return self._app(environ, start_response)


class PartConverter(BaseConverter):
    """Converts one part of a path, percent-decoded; bytes that are no UTF-8 match no route."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        try:
            return unquote(value.encode("latin-1", "surrogateescape").decode("latin-1"), errors="strict")
        except UnicodeError as error:
            raise ValidationError from error

    def to_url(self, value: str) -> str:
        return quote(value, safe="")
