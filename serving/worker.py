"""gunicorn's gevent worker, with bounds for clients that do not ask, do not take, or do not speak HTTP.

What it overrides is gunicorn's own business (`tests/test_gunicorn_conf.py` guards it).
"""

import contextlib
import logging
from typing import Any, ClassVar

import gevent
from gunicorn.workers.ggevent import GeventWorker  # type: ignore[import-untyped]

from routes.calls import LARGEST_BODY
from services.errors import ServiceError
from serving import refusals
from serving.bodies import Body
from serving.callers import RequestSocket, RequestTimeouts, WaitingRoom
from serving.stalled import Watch

log = logging.getLogger(__name__)


class Worker(GeventWorker):  # type: ignore[misc]
    """A gevent worker; `gunicorn.conf.py` sets the timeouts, in seconds."""

    timeouts: ClassVar[RequestTimeouts]
    stalled_seconds: ClassVar[float]

    def init_process(self) -> None:
        self.room = WaitingRoom()
        super().init_process()

    def run(self) -> None:
        self.watch = Watch(self.stalled_seconds)
        gevent.spawn(self.watch.run)
        super().run()

    def timeout_ctx(self) -> contextlib.AbstractContextManager[None]:
        """Return no timeout: `RequestSocket` has its own."""
        return contextlib.nullcontext()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        super().handle(listener, RequestSocket(client, self.room, self.timeouts), addr)

    def handle_request(self, listener_name: Any, req: Any, sock: RequestSocket, addr: Any) -> Any:
        """Run the application once the request is received whole; it gets the socket itself."""
        req.body = Body(req.body)
        if has_body(req):
            self._await_body(req, sock)
        try:
            with self.watch.over(sock.client, f"{req.method} {req.path} of {name(addr)}"):
                return super().handle_request(listener_name, req, sock.client, addr)
        finally:
            req.body.is_answered()
            sock.is_answered()

    def handle_error(self, req: Any, client: RequestSocket, addr: Any, exc: BaseException) -> None:
        """Answer an error; neither log nor answer quotes what was sent: there may be a token."""
        told = refusals.of(exc)
        if told is None:
            log.error("%s failed", f"{req.method} {req.path}" if req else "A request", exc_info=exc)
            told = ServiceError("The service failed; its log tells more.")
        else:
            log.warning("Refused what %s sent: %d, %s", name(addr), told.status, told.message)
        client.refuse(refusals.response_bytes(told))

    @staticmethod
    def _await_body(req: Any, sock: RequestSocket) -> None:
        """Receive the body, unless its headers announce one that is too large."""
        sock.owes_body()
        expected, req._expected_100_continue = req._expected_100_continue, False
        if length(req) > LARGEST_BODY:
            return
        if expected:
            sock.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        req.body.fetch()
        sock.check()


def has_body(req: Any) -> bool:
    return any(header == "TRANSFER-ENCODING" for header, _ in req.headers) or length(req) > 0


def length(req: Any) -> int:
    """Return the bytes that the headers announce; 0 where they do not."""
    return next((int(value) for header, value in req.headers if header == "CONTENT-LENGTH"), 0)


def name(addr: Any) -> str:
    """Return the client's address for the log."""
    return str(addr[0]) if addr else "somebody"
