"""The settings of gunicorn, each with its reason."""

from gevent import monkey

monkey.patch_all()  # first of all: what is imported before stays unpatched

import os  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

from gevent.server import StreamServer  # noqa: E402
from gunicorn.errors import HaltServer  # type: ignore[import-untyped]  # noqa: E402
from gunicorn.workers import ggevent  # type: ignore[import-untyped]  # noqa: E402

from config import Settings, SettingsError, from_env  # noqa: E402
from services import kept_secret, signing  # noqa: E402
from services.access.settings import problems  # noqa: E402
from services.hosts import bracketed, unusable  # noqa: E402
from serving import worker as serving  # noqa: E402
from serving.callers import RequestTimeouts  # noqa: E402


def of_access(settings: Settings) -> list[str]:
    """Return what is wrong with what `AUTH` names, and with a kept secret where no other is set."""
    kept = settings.embedded and not settings.link_secrets
    return problems(
        kuzzle_jwt_secret=settings.kuzzle_jwt_secret if "kuzzle-jwt" in settings.auth else None,
        api_keys_file=settings.api_keys_file if "api-keys" in settings.auth else None,
    ) + (kept_secret.problems(kept_secret.beside(settings.sqlite_path)) if kept else [])


def of_key(settings: Settings) -> list[str]:
    """Return what is wrong with the key that packages are signed with."""
    return signing.problems(settings.signing_key_file, database=settings.sqlite_path if settings.embedded else None)


def of_host(settings: Settings) -> list[str]:
    """Return what is wrong with HOST: gunicorn would try for seconds, and then say less."""
    problem = unusable(settings.host)
    return [] if problem is None else [f"HOST {problem}."]


try:
    _settings = from_env(os.environ, of_access, of_key, of_host)
except SettingsError as error:  # told once, by the master, instead of by every worker
    sys.exit(f"The service cannot start:\n{error}")

bind = f"{bracketed(_settings.host)}:{_settings.port}"
wsgi_app = "wsgi:app"

# Seconds an idle connection is kept for the next request.
keepalive = 5


class Worker(serving.Worker):
    """A greenlet a download: hundreds of slow readers cost memory, not threads, and health answers in milliseconds."""

    timeouts = RequestTimeouts(
        first_seconds=_settings.request_headers_seconds,
        next_seconds=keepalive,
        headers_seconds=_settings.request_headers_seconds,
        body_seconds=_settings.request_body_seconds,
    )
    stalled_seconds = _settings.stalled_client_seconds


worker_class = Worker
workers = _settings.workers

# Where several workers end at once, gunicorn prints a traceback of its own: they have said why they cannot start.
sys.excepthook = lambda kind, *rest: None if issubclass(kind, HaltServer) else sys.__excepthook__(kind, *rest)

# Above downloads (1,000), sockets (800) and those that have not asked yet (1,000) together, and each of these has its
# own bound: there is always room for health.
worker_connections = 3000

# Files that a process may open: a connection is one, and a download from SQLite three more. Where a system's soft
# limit is 1024, it would stop taking connections, those of health checks too, before any cap refuses one.
_FILES = 8192
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
if 0 <= _soft < _FILES:
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES if _hard < 0 else min(_FILES, _hard), _hard))


class Server(StreamServer):
    """Takes 16 connections at a time, where gunicorn has a worker that is not alone take one.

    Between two of them a page may be encoded: in a burst of 300 downloads health waited for 1.2 s, so for 0.2 s.
    """

    @property
    def max_accept(self) -> int:
        return 16

    @max_accept.setter
    def max_accept(self, value: int) -> None:
        """Ignore what gunicorn sets."""


ggevent.StreamServer = Server

# Seconds. The worker's heartbeat, not a request's length: a gevent worker that misses it is stuck.
timeout = 60
# Seconds that running downloads have after SIGTERM; a 30 s stream finishes. Longer ones break, visibly.
graceful_timeout = 40
# Bytes. The most that gunicorn takes; a link keeps its request line under 8,000.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190

# A worker that waits for a long download to end is not replaced meanwhile.
max_requests = 0
_MEMORY = "/dev/shm"  # noqa: S108  Linux
# The heartbeat file in memory: a slow disk must not kill a worker.
worker_tmp_dir = _MEMORY if os.path.isdir(_MEMORY) else None
control_socket_disable = True

# Paths without query strings: a token is in the query string.
accesslog = "-"
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s bytes %(M)s ms'
errorlog = "-"


# Seconds between two looks whether the worker was told to stop.
_LOOK = 0.1


def post_worker_init(worker: Any) -> None:
    """WebSockets are told to go at once, as are idle connections; else they would hold a stopping worker."""
    threading.Thread(target=_leave_when_told, args=(worker,), daemon=True).start()


def _leave_when_told(worker: Any) -> None:
    while worker.alive:
        time.sleep(_LOOK)
    worker.room.dismiss()
    worker.wsgi.extensions["websockets"].leave()
