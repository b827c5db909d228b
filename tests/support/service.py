"""The service as users run it: real gunicorn with the project's own configuration, on a free port."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import requests

ROOT = Path(__file__).parents[2]

#: Seconds until it answers, until it has ended after SIGTERM, and how long it may take when nobody looks: idle
#: connections of clients hold it for `keepalive`, downloads for longer.
START_SECONDS = 60
STOP_SECONDS = 15
END_SECONDS = 2

#: What the service's environment keeps of the test's own: nothing that could be a setting.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "PYTHONDONTWRITEBYTECODE")


class Service:
    """`url` without a slash at its end; `pid` of gunicorn's master."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str, log_file: Path) -> None:
        self._process = process
        self.url = url
        self.log_file = log_file

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def log(self) -> str:
        """What it has written so far, access log included."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def terminate(self) -> None:
        """SIGTERM; does not wait."""
        self._process.terminate()

    def wait(self) -> int:
        """Its exit code."""
        return self._process.wait(timeout=STOP_SECONDS)


@contextlib.contextmanager
def service(environ: Mapping[str, str], log_file: Path) -> Iterator[Service]:
    """A running service with these settings (`PORT` is chosen); ended with the context.

    Raises `RuntimeError` with its log when it does not start.
    """
    port = environ.get("PORT") or str(free_port())
    started = launch({**environ, "PORT": port}, log_file)
    host = environ.get("HOST", "127.0.0.1").strip("[]")
    reached = {"::": "::1", "0.0.0.0": "127.0.0.1"}.get(host, host)
    running = Service(started, f"http://{f'[{reached}]' if ':' in reached else reached}:{port}", log_file)
    try:
        wait_until_healthy(running)
        yield running
    finally:
        end(started)


def refusal(environ: Mapping[str, str], log_file: Path) -> tuple[int, str]:
    """Exit code and log of a service that does not start with these settings."""
    started = launch({"PORT": str(free_port()), **environ}, log_file)
    try:
        code = started.wait(timeout=START_SECONDS)
    finally:
        end(started)
    return code, log_file.read_text(encoding="utf-8")


def launch(environ: Mapping[str, str], log_file: Path) -> "subprocess.Popen[bytes]":
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    with log_file.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"],
            cwd=ROOT, env={**kept, "PYTHONUNBUFFERED": "1", **environ},
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip


def wait_until_healthy(running: Service) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and running.running:
        if answers(f"{running.url}/_healthz"):
            return
        time.sleep(0.05)
    raise RuntimeError(f"The service did not start: {running.log()}")


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


def end(started: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, and soon SIGKILL for it and its workers."""
    started.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        started.wait(timeout=END_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
