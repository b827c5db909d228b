"""A real nginx with the configuration that the project ships; only addresses and folders are the test's."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.node import Unavailable
from tests.support.service import ROOT, end, free_port
from tests.support.waiting import wait_until
from tests.support.websocket import connect

#: What a system's own nginx.conf has around the file that is shipped. `{user}` is empty for who is not root.
MAIN = """
daemon off;
worker_processes 1;
{user}
pid nginx.pid;
error_log main.log warn;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {directives}
    include conf.d/*.conf;
}}
"""

#: The names of its two servers, and where it expects what it stands before.
OWN_HOST, BESIDE = "export.example.com", "kuzzle.example.com"
SERVICE, KUZZLE, LOGS = "127.0.0.1:7512", "127.0.0.1:7511", "/var/log/nginx"


class Nginx:
    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._folder = folder

    def log(self) -> str:
        """All that it has written."""
        return "".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("*.log")))


@contextlib.contextmanager
def nginx(folder: Path, *, service: str, kuzzle: str, directives: str = "") -> Iterator[Nginx]:
    """Before `service` and `kuzzle`, both as `host:port`; `directives` are added for all servers.

    Raises `Unavailable` where there is none.
    """
    executable = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if executable is None:
        raise Unavailable("nginx not found")
    port = free_port()
    places = {SERVICE: service, KUZZLE: kuzzle, LOGS: str(folder), "listen 80;": f"listen 127.0.0.1:{port};"}
    write(folder, places, directives)
    started = subprocess.Popen(
        [executable, "-p", str(folder), "-c", "nginx.conf", "-e", str(folder / "main.log")],
        stdin=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    running = Nginx(f"http://127.0.0.1:{port}", folder)
    try:
        wait_until(lambda: listens(running.url) or started.poll() is not None)
        assert started.poll() is None, running.log()
        yield running
    finally:
        end(started)


def write(folder: Path, places: dict[str, str], directives: str) -> None:
    """The files under the names that they have on a server, with the test's own places."""
    (folder / "conf.d").mkdir(parents=True)
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(user=user, directives=directives))
    copies = {"nginx.conf": "conf.d/measures-export.conf", "nginx-proxy.conf": "measures-export-proxy.conf"}
    for name, copy in copies.items():
        text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
        for there, here in places.items():
            text = text.replace(there, here)
        (folder / copy).write_text(text, encoding="utf-8")


def listens(url: str) -> bool:
    try:
        connect(url).close()
    except OSError:
        return False
    return True
