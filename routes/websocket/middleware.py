"""WebSockets: a middleware that takes the requests for one, on any path, beside the application."""

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

#: A talk for a client whose links begin with this URL.
MakeSession = Callable[[str], Session]


class WebSockets:
    """`origins`: whose pages may open one, or `*`. `most` are held at a time."""

    def __init__(self, app: WsgiApp, make_session: MakeSession, *, origins: tuple[str, ...], most: int) -> None:
        self._app = app
        self._make_talk = make_session
        self._origins = origins
        self._most = most
        self._open: set[WebSocketConnection] = set()
        self._leaving = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Needs a server that hands out the client's socket. Ends with `StopIteration`: no HTTP comes after."""
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
        """How many there are now."""
        return len(self._open)

    def leave(self) -> None:
        """Every client is told to go elsewhere, at once; new ones are refused."""
        self._leaving = True
        for connection in list(self._open):
            threading.Thread(target=connection.leave, daemon=True).start()

    def _serve(self, request: Request, opening: bytes) -> None:
        ClientSocket(request.environ).prepare()
        connection = WebSocketConnection(request.environ["gunicorn.socket"], self._make_talk(base_url(request.environ)))
        began = time.monotonic()
        with self._place(connection):
            connection.hold(opening)
        log.info("WebSocket from %s: closed after %d s", request.remote_addr, time.monotonic() - began)

    @contextmanager
    def _place(self, connection: WebSocketConnection) -> Iterator[None]:
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
    """Before anything was opened: a plain answer, as everywhere else."""
    call = Call(controller=None, action=None, request_id=calls.request_id(request))
    return calls.answer(envelope.of_error(call, error), error.headers())
