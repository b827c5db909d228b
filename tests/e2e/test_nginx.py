"""Behind a real nginx with the shipped configuration: before the service alone, and beside a Kuzzle."""

import contextlib
import json
import secrets
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from wsproto.events import Ping, Pong

from tests.conftest import absent
from tests.e2e.conftest import MANY, ODD, Served
from tests.support.nginx import BESIDE, OWN_HOST, Nginx, nginx
from tests.support.node import Unavailable
from tests.support.service import free_port, service
from tests.support.waiting import wait_until
from tests.support.websocket import WebSocket

HOSTS = [OWN_HOST, BESIDE]

#: curl's exit codes for a transfer that did not end as it should.
BROKEN = (18, 56)


class Kuzzle(BaseHTTPRequestHandler):
    """Tells what came to it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        text = json.dumps({"path": self.path, "upgrade": self.headers.get("Upgrade")}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def kuzzle() -> Iterator[str]:
    """Where it listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Kuzzle)
    running = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    running.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    running.join()
    server.server_close()


@pytest.fixture(scope="module")
def behind(embedded: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service of one worker that a test may kill."""
    environ = {**embedded.environ, "WEB_CONCURRENCY": "1"}
    with service(environ, tmp_path_factory.mktemp("behind") / "log") as running:
        yield Served(running, environ, embedded.engine)


@contextlib.contextmanager
def before(url: str, kuzzle: str, folder: Path, **options: str) -> Iterator[Nginx]:
    """`url` of the service."""
    with contextlib.ExitStack() as stack:
        try:
            yield stack.enter_context(nginx(folder, service=urlsplit(url).netloc, kuzzle=kuzzle, **options))
        except Unavailable as reason:
            absent(str(reason))


@pytest.fixture(scope="module")
def proxy(behind: Served, kuzzle: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with before(behind.service.url, kuzzle, tmp_path_factory.mktemp("nginx")) as running:
        yield running


def path_of(served: Served, id: str) -> str:
    return f"/_/device-manager/{served.engine}/assets/{quote(id, safe='')}/measures/_export"


def prepare(proxy: Nginx, served: Served, id: str, host: str = OWN_HOST, **options: Any) -> str:
    """Path and query string of a link, which begins with the host that was asked."""
    answer = requests.post(proxy.url + path_of(served, id), headers={"Host": host}, timeout=30, **options)
    assert answer.status_code == 200, answer.text
    link = urlsplit(answer.json()["result"]["link"])
    assert (link.scheme, link.netloc) == ("http", host)
    return f"{link.path}?{link.query}"


def get(proxy: Nginx, link: str, host: str = OWN_HOST, **options: Any) -> requests.Response:
    return requests.get(proxy.url + link, headers={"Host": host}, timeout=60, **options)


@pytest.mark.parametrize("host", HOSTS)
def test_a_whole_download(behind: Served, proxy: Nginx, host: str) -> None:
    """The same bytes as without nginx."""
    link = prepare(proxy, behind, "Container-many", host)
    answer = get(proxy, link, host)
    assert (answer.status_code, answer.text.count("\n")) == (200, MANY + 1)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="asset-Container-many.csv"')
    assert answer.content == requests.get(behind.service.url + link, timeout=60).content


@pytest.mark.parametrize("host", HOSTS)
def test_ids_stay_encoded(behind: Served, proxy: Nginx, host: str) -> None:
    """Slashes most of all: nginx decodes a path to find its location, and must not pass that on."""
    link = prepare(proxy, behind, ODD["assets"], host)
    assert link.startswith(path_of(behind, ODD["assets"]))
    assert get(proxy, link, host).text.count("\n") == 3


def test_the_longest_link(behind: Served, proxy: Nginx) -> None:
    """A request line of nearly 8,000 bytes."""
    names = [secrets.token_urlsafe(32) for _ in range(155)]
    link = prepare(proxy, behind, "Container-c1", json={"query": {"not": {"in": {"type": names}}}})
    assert 7000 < len(link) < 8000
    assert get(proxy, link).text.count("\n") == 1502


def test_errors_pass_through(behind: Served, proxy: Nginx) -> None:
    """As the service tells them, not as nginx would."""
    answers = [
        requests.post(proxy.url + path_of(behind, "nowhere"), headers={"Host": OWN_HOST}, timeout=30),
        requests.post(proxy.url + "/_query", data="x" * 1_500_000, headers={"Host": OWN_HOST}, timeout=30),
        get(proxy, prepare(proxy, behind, "Container-c1") + "x"),
    ]
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(404,) * 2, (413,) * 2, (403,) * 2]


def test_beside_a_kuzzle(behind: Served, proxy: Nginx) -> None:
    """Only the routes of the export are taken; what Kuzzle gets is as it was sent."""
    base = f"/_/device-manager/{behind.engine}/assets"
    kept = [
        "/",
        "/_publicApi",
        f"{base}/Container-c1/measures?size=1",
        f"{base}/a%2Fb",
        f"{base}/a/measures/_export/b/c",
    ]
    answers = [get(proxy, path, BESIDE).json() for path in kept]
    assert answers == [{"path": path, "upgrade": None} for path in kept]
    upgraded = requests.get(proxy.url, headers={"Host": BESIDE, "Upgrade": "websocket"}, timeout=30)
    assert upgraded.json() == {"path": "/", "upgrade": "websocket"}


def test_a_socket(behind: Served, proxy: Nginx) -> None:
    """Opened, kept alive by both kinds of ping; its links begin where it was opened."""
    with WebSocket(proxy.url, {"Host": OWN_HOST, "Sec-WebSocket-Protocol": "null"}) as opened:
        assert opened.headers["sec-websocket-protocol"] == "null"
        opened.send(Ping(b"p"))
        assert opened.next() == Pong(b"p")
        opened.say('{"p":1}')
        assert opened.hear() == '{"p":2}'
        answer = opened.ask(
            controller="device-manager/assets", action="exportMeasures", engineId=behind.engine, _id="Container-c1"
        )
    assert answer["result"]["link"].startswith(f"http://{OWN_HOST}/_/device-manager/")


def test_a_slow_reader_is_nginx_own(behind: Served, proxy: Nginx) -> None:
    """The service is done with a download that its reader has hardly begun."""
    link = prepare(proxy, behind, "Container-many")
    with get(proxy, link, stream=True) as answer:
        answer.raw.read(1000)
        wait_until(lambda: f"export {export_of(link)}: whole after {MANY} rows" in behind.service.log())


@pytest.mark.parametrize("host", HOSTS)
def test_http_1_0_cannot_show_a_cut(behind: Served, proxy: Nginx, host: str, tmp_path: Path) -> None:
    """nginx itself would take 1.0 from a client: 505 for a download, and prepared is as ever."""
    link = prepare(proxy, behind, "Container-c1", host)
    command = ["curl", "-s", "-0", "-H", f"Host: {host}", "-o", str(tmp_path / "out"), "-w", "%{http_code}"]
    statuses = [
        subprocess.run([*command, *more], capture_output=True, text=True, check=True).stdout
        for more in ([proxy.url + link], ["-X", "POST", proxy.url + path_of(behind, "Container-c1")])
    ]
    assert statuses == ["505", "200"]


def test_a_broken_download_is_seen(behind: Served, kuzzle: str, tmp_path: Path) -> None:
    """The worker dies under a download that nginx takes slowly: curl does not call it whole. No token in a log."""
    with before(behind.service.url, kuzzle, tmp_path / "nginx", directives="proxy_limit_rate 500k;") as slow:
        link = prepare(slow, behind, "Container-many")
        file = tmp_path / "csv"
        command = ["curl", "-s", "--no-buffer", "-H", f"Host: {OWN_HOST}", "-o", str(file), slow.url + link]
        with subprocess.Popen(command) as download:
            wait_until(lambda: file.exists() and file.stat().st_size > 50_000)
            for worker in behind.service.workers:
                worker.kill()
            code = download.wait(timeout=60)
        assert code in BROKEN
        assert file.read_bytes().count(b"\n") < MANY
        wait_until(lambda: lines(slow, link) == ["200"])
        assert token_of(link) not in slow.log()


def test_no_token_in_the_logs(behind: Served, proxy: Nginx, kuzzle: str, tmp_path: Path) -> None:
    """Of a download, of one that is refused, and of one for which there is no service."""
    link = prepare(proxy, behind, "Container-c1")
    statuses = [get(proxy, each, host).status_code for each, host in ((link, OWN_HOST), (f"{link}x", BESIDE))]
    assert statuses == [200, 403]
    with before(f"http://127.0.0.1:{free_port()}", kuzzle, tmp_path / "nginx") as alone:
        assert get(alone, link).status_code == 502
        wait_until(lambda: lines(alone, link) == ["502"])
        assert token_of(link) not in alone.log()
    wait_until(lambda: lines(proxy, link) == ["200", "403"])
    assert token_of(link) not in proxy.log() + behind.service.log()


def lines(proxy: Nginx, link: str) -> list[str]:
    """The status of each line about a link."""
    begin = f'"GET {urlsplit(link).path} HTTP/1.1" '
    return [line.partition(begin)[2][:3] for line in proxy.log().splitlines() if begin in line]


def export_of(link: str) -> str:
    return link.partition("/_export/")[2].partition("?")[0]


def token_of(link: str) -> str:
    return link.partition("?jwt=")[2]
