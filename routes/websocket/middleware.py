"""A WSGI middleware that serves WebSockets on any path, beside the application."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Request

from actions import envelope
from actions.calls import Call
from actions.session import Session
from routes import calls
from routes.client_socket import ClientSocket
from routes.hosts import base_url
from routes.paths import WsgiApp
from routes.websocket import handshake
from routes.websocket.connection import WebSocketConnection
from services.errors import Overloaded, ServiceError

log = logging.getLogger(__name__)

#: WebSockets that one process holds at a time; with `exports.MOST_DOWNLOADS` below gunicorn's worker_connections.
MOST_SOCKETS = 800

#: Returns a session for a client whose links begin with this URL.
MakeSession = Callable[[str], Session]


class WebSockets:
    """Serves `most` WebSockets at a time, to pages of `origins` (`*`: all) and to what is no page."""

    def __init__(self, app: WsgiApp, make_session: MakeSession, *, origins: tuple[str, ...], most: int) -> None:
        self._app = app
        self._make_session = make_session
        self._origins = origins
        self._most = most
        self._open: set[WebSocketConnection] = set()
        self._leaving = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve a WebSocket where the server gives the client's socket, then raise `StopIteration`:
        no HTTP follows.
        """
        if not handshake.is_asked_for(environ) or "gunicorn.socket" not in environ:
            return self._app(environ, start_response)
        request = Request(environ)
        try:
            self._serve(request, handshake.answer(environ, self._origins))
        except ServiceError as error:
            return refusal(request, error)(environ, start_response)
        except Exception:  # what gunicorn would write about it is no frame
            log.exception("WebSocket from %s failed", request.remote_addr)
        raise StopIteration

    @property
    def held(self) -> int:
        """The number of WebSockets that are open now."""
        return len(self._open)

    def leave(self) -> None:
        """Tell every client to go elsewhere, at once, and refuse new ones."""
        self._leaving = True
        for connection in list(self._open):
            threading.Thread(target=connection.leave, daemon=True).start()

    def _serve(self, request: Request, opening: bytes) -> None:
        ClientSocket(request.environ).prepare()
        connection = WebSocketConnection(
            request.environ["gunicorn.socket"], self._make_session(base_url(request.environ))
        )
        began = time.monotonic()
        with self._hold(connection):
            connection.hold(opening)
        log.info("WebSocket from %s: closed after %d s", request.remote_addr, time.monotonic() - began)

    @contextmanager
    def _hold(self, connection: WebSocketConnection) -> Iterator[None]:
        if self._leaving:
            raise Overloaded("This process is about to end. Try again.")
        if self.held >= self._most:
            raise Overloaded(f"This process holds {self._most} WebSockets already. Try again later.")
        self._open.add(connection)
        try:
            yield
        finally:
            self._open.remove(connection)


def refusal(request: Request, error: ServiceError) -> WsgiApp:
    """Return the plain HTTP response for an error before the WebSocket was opened."""
    call = Call(controller=None, action=None, request_id=calls.request_id(request))
    return calls.answer(envelope.of_error(call, error), error.headers())
