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
