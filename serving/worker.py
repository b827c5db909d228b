"""gunicorn's gevent worker, with bounds for clients that do not ask, do not take, or do not speak HTTP.

What it overrides is gunicorn's own business (`tests/test_gunicorn_conf.py` guards it).
"""

import contextlib
import logging
from typing import Any, ClassVar

import gevent
from gunicorn.workers.ggevent import GeventWorker  # type: ignore[import-untyped]

from services.errors import ServiceError
from serving import refusals
from serving.bodies import Body
from serving.callers import Caller, Patience, WaitingRoom
from serving.stalled import Watch

log = logging.getLogger(__name__)


class Worker(GeventWorker):  # type: ignore[misc]
    """`gunicorn.conf.py` names the times. Seconds."""

    patience: ClassVar[Patience]
    stalled_seconds: ClassVar[float]

    def run(self) -> None:
        self.room = WaitingRoom()
        self.watch = Watch(self.stalled_seconds)
        gevent.spawn(self.watch.run)
        super().run()

    def timeout_ctx(self) -> contextlib.AbstractContextManager[None]:
        """A caller has its own times."""
        return contextlib.nullcontext()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        super().handle(listener, Caller(client, self.room, self.patience), addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Caller, addr: Any) -> Any:
        """The application gets the socket itself."""
        req.body = Body(req)
        sock.owes_body()
        try:
            with self.watch.over(sock.client, f"{req.method} {req.path} of {name(addr)}"):
                return super().handle_request(listener_name, req, sock.client, addr)
        finally:
            self._is_answered(req.body, sock)

    def handle_error(self, req: Any, client: Caller, addr: Any, exc: BaseException) -> None:
        """Neither log nor answer holds anything of what was sent: there may be a token."""
        told = refusals.of(exc)
        if told is None:
            log.error("%s failed", f"{req.method} {req.path}" if req else "A request", exc_info=exc)
            told = ServiceError("The service failed; its log tells more.")
        else:
            log.warning("Refused what %s sent: %d, %s", name(addr), told.status, told.message)
        client.refuse(refusals.written(told))

    def _is_answered(self, body: Body, caller: Caller) -> None:
        body.is_answered()
        if body.failed:
            caller.linger()
        else:
            caller.is_answered()


def name(addr: Any) -> str:
    """Of a client: its address."""
    return str(addr[0]) if addr else "somebody"
