"""What gunicorn.conf.py relies on, in gunicorn and gevent, beyond what they promise."""

import subprocess
import sys

import pytest

from tests.support.service import ROOT

#: In a process of its own: the file patches the standard library.
SERVER = """
import runpy
from gunicorn.workers import ggevent
found = runpy.run_path("gunicorn.conf.py")
server = ggevent.StreamServer(("127.0.0.1", 0), handle=print, spawn=1)
server.max_accept = 1
print(ggevent.StreamServer is found["Server"], server.max_accept)
"""


#: With the soft limit that many systems have; the hard one is told by the test.
FILES = """
import resource, runpy
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, {hard}))
runpy.run_path("gunicorn.conf.py")
print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("hard", "files"), [(10_000, 8192), (4096, 4096)])
def test_files_for_all_connections(hard: int, files: int) -> None:
    """As many as are needed, or as the system lets."""
    program = FILES.format(hard=hard)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env={}, capture_output=True, text=True, check=True)
    assert done.stdout == f"({files}, {hard})\n"


def test_connections_are_taken_by_sixteen() -> None:
    """The worker makes its server by this name, and sets one: both private, so looked at here."""
    done = subprocess.run([sys.executable, "-c", SERVER], cwd=ROOT, env={}, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True 16\n", "")


def test_gunicorn_still_makes_its_server_by_that_name() -> None:
    """Else ours would never be used."""
    program = "import inspect; from gunicorn.workers import ggevent; print(inspect.getsource(ggevent.GeventWorker.run))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "server = StreamServer(s, handle=hfun, spawn=pool" in done.stdout
    assert "server.max_accept = 1" in done.stdout


#: What `serving` overrides or stands for, and where gunicorn and gevent use it.
RELIED_ON = [
    ("gunicorn.workers.base_async", "with self.timeout_ctx():"),
    ("gunicorn.workers.base_async", "self.handle_request(listener_name, req, client, addr)"),
    ("gunicorn.workers.base_async", "self.handle_error(req, client, addr, e)"),
    ("gunicorn.workers.ggevent", "super().handle(listener, client, addr)"),
    ("gunicorn.http.parser", 'if hasattr(source, "recv"):'),
    ("gunicorn.http.parser", 'getattr(body, "failed", False)'),
    ("gunicorn.http.parser", "data = self.mesg.body.read(1024)"),
    ("gunicorn.http.parser", "except (socket.timeout, TimeoutError):"),
    ("gunicorn.http.unreader", "return self.sock.recv(size)"),
    ("gunicorn.http.wsgi", '"wsgi.input": req.body,'),
    ("gunicorn.http.wsgi", "if req._expected_100_continue:"),
    ("gevent._socket3", "self._sock = "),
]


@pytest.mark.parametrize(("module", "line"), RELIED_ON)
def test_what_the_worker_relies_on(module: str, line: str) -> None:
    """None of it is promised."""
    program = f"import inspect, {module}; print(inspect.getsource({module}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert line in done.stdout


def test_every_error_of_the_parser_has_an_answer() -> None:
    """By its name; of those that this service can meet: it speaks neither HTTP/2 nor the PROXY protocol."""
    program = """
from gunicorn.http import errors
from serving import bodies, refusals
elsewhere = {"ParseException", "ConfigurationProblem", "InvalidResponseHeader", "InvalidResponseHeaderName",
             "InvalidProxyLine", "InvalidProxyHeader", "ForbiddenProxyRequest", "InvalidH2CPreface"}
found = {name for name, each in vars(errors).items() if isinstance(each, type) and each.__module__ == errors.__name__}
print(sorted(found - elsewhere - {"NoMoreData"} - set(refusals.TOLD) - set(bodies.REASONS)))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
