"""Where links begin, whatever `Host` says; where the service listens; which pages may open a WebSocket."""

import contextlib
import http.client
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.e2e.conftest import Served
from tests.support.http_1_0 import HTTP10Connection
from tests.support.service import free_port, refusal, service
from tests.support.websocket import WebSocket, answer, connect, opening

EXPORT = {"controller": "device-manager/assets", "action": "exportMeasures", "_id": "Container-c1"}

#: By `Host`: how links begin.
GOOD = {
    "measures_export:7512": "http://measures_export:7512/_/",
    "export.example": "http://export.example/_/",
    "export.example:80": "http://export.example/_/",
    "127.0.0.1:7512": "http://127.0.0.1:7512/_/",
    "[::1]:7512": "http://[::1]:7512/_/",
    "a~b!$&'()*+;=c": "http://a~b!$&'()*+;=c/_/",
    "a..b": "http://a..b/_/",
    f"{'a' * 64}.example": f"http://{'a' * 64}.example/_/",
    "xn--a.example": "http://xn--a.example/_/",
    "xn--caf-dma.example": "http://xn--caf-dma.example/_/",
}

BAD = [
    "",
    ":7512",
    "a:99999",
    "a:0",
    "a:b",
    "café",
    "日本",
    "[fe80::1%eth0]:7512",
    "[::1",
    "::1",
    "a b",
    "a@b",
    "a\\b",
    "a/b",
    "a?b",
    "a#b",
    'a"b',
    "<a>",
    "a%2Fb",
    "a" * 300,
]

Start = Callable[..., Served]


def post(served: Served, path: str, host: str | None, body: Any = None, *, version: int = 11) -> tuple[int, Any]:
    """Status and envelope. `host`: what the header holds, in UTF-8; `None`: there is none."""
    url = urlsplit(served.service.url)
    kind = HTTP10Connection if version == 10 else http.client.HTTPConnection
    connection = kind(str(url.hostname), url.port, timeout=30)
    text = b"" if body is None else json.dumps(body).encode()
    connection.putrequest("POST", path, skip_host=True)
    if host is not None:
        connection.putheader("Host", host.encode())
    connection.putheader("Content-Length", str(len(text)))
    connection.endheaders(text)
    found = connection.getresponse()
    envelope = json.loads(found.read())
    connection.close()
    return found.status, envelope


def path_of(served: Served) -> str:
    return urlsplit(served.prepare_url("Container-c1")).path


def by_socket(served: Served, host: str) -> Any:
    """The envelope of an export over a socket that was opened with this `Host`."""
    with connect(served.service.url) as raw:
        raw.sendall(opening(served.service.url, {"Host": host.encode().decode("latin-1")}))
        assert answer(raw)[0] == 101
    with WebSocket(served.service.url, {"Host": host.encode().decode("latin-1")}) as opened:
        return opened.ask(**EXPORT, engineId=served.engine)


def ways(served: Served, host: str) -> Iterator[Any]:
    """The envelope, by every carrier."""
    yield post(served, path_of(served), host)[1]
    yield post(served, "/_query", host, {**EXPORT, "engineId": served.engine})[1]
    yield by_socket(served, host)


@pytest.fixture
def start(embedded: Served, tmp_path: Path) -> Iterator[Start]:
    """Starts one on the documents of the embedded one, with settings of its own."""
    with contextlib.ExitStack() as stack:

        def start(**settings: str) -> Served:
            environ = {**embedded.environ, **settings}
            return Served(stack.enter_context(service(environ, tmp_path / "log")), environ, embedded.engine)

        yield start


@pytest.mark.parametrize("host", GOOD)
def test_a_link_begins_with_the_host(embedded: Served, host: str) -> None:
    """A container's name too, which has a `_`."""
    for envelope in ways(embedded, host):
        assert envelope["status"] == 200
        assert envelope["result"]["link"].startswith(GOOD[host])


@pytest.mark.parametrize("host", BAD)
def test_a_host_that_makes_no_url(embedded: Served, host: str) -> None:
    """Is a 400 that says so, by every carrier; what needs no link is answered."""
    for envelope in ways(embedded, host):
        error = envelope["error"]
        assert (envelope["status"], error["id"]) == (400, "api.assert.invalid_argument")
        assert (error["props"]["argument"], "PUBLIC_URL" in error["message"]) == ("Host", True)
    assert post(embedded, "/_checkToken", host, {})[0] == 200
    assert post(embedded, "/nowhere", host)[0] == 404


def test_no_host_at_all(embedded: Served) -> None:
    """As HTTP/1.0 has it: no link, but health."""
    status, envelope = post(embedded, path_of(embedded), None, version=10)
    assert (status, envelope["error"]["props"]["argument"]) == (400, "Host")
    url = urlsplit(embedded.service.url)
    with socket.create_connection((url.hostname, url.port), timeout=30) as raw:
        raw.sendall(b"GET /_healthz HTTP/1.0\r\n\r\n")
        assert raw.makefile("rb").readline().split()[1] == b"200"


def test_a_public_url_needs_no_host(start: Start) -> None:
    """Links begin with it whatever a request says."""
    served = start(PUBLIC_URL="https://measures_export.example:8443/prefix/")
    for host in ("", "a:99999", "café", "other.example"):
        for envelope in ways(served, host):
            assert envelope["result"]["link"].startswith(
                "https://measures_export.example:8443/prefix/_/device-manager/"
            )
    assert post(served, path_of(served), None, version=10)[0] == 200


@pytest.mark.parametrize("host", ["::", "::1", "[::1]"])
def test_listening_on_ipv6(start: Start, host: str) -> None:
    """Prepared and downloaded there."""
    served = start(HOST=host)
    link = served.link()
    assert link.startswith(f"{served.service.url}/_/device-manager/")
    assert served.service.url.startswith("http://[::1]:")
    assert requests.get(link, timeout=30).text.count("\n") == 1502


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid", "localhost:80", "::1%lo", "2001:db8::1"])
def test_a_host_where_nothing_can_listen(tmp_path: Path, host: str) -> None:
    """Is blamed itself, and not the port."""
    port = str(free_port())
    environ = {"SQLITE_PATH": str(tmp_path / "db"), "HOST": host, "PORT": port}
    code, log = refusal(environ, tmp_path / "log")
    assert code != 0
    assert log.startswith("The service cannot start:\nHOST must be ")
    assert (host in log, port in log, "Traceback" in log) == (True, False, False)


def opened(served: Served, headers: dict[str, str | None]) -> int:
    """The status of an opening."""
    with connect(served.service.url) as raw:
        raw.sendall(opening(served.service.url, headers))
        return answer(raw)[0]


def test_pages_of_the_service_itself(start: Start) -> None:
    """May open a WebSocket though `CORS_ORIGINS` names others only."""
    served = start(CORS_ORIGINS="https://app.example", PUBLIC_URL="https://Export.example:443/prefix")
    netloc = urlsplit(served.service.url).netloc
    table: list[tuple[dict[str, str | None], int]] = [
        ({"Origin": served.service.url}, 101),
        ({"Origin": "http://export_1:7512", "Host": "export_1:7512"}, 101),
        ({"Origin": "http://own.example", "Host": "own.example:80"}, 101),
        ({"Origin": "https://own.example", "Host": "Own.example", "X-Forwarded-Proto": "https"}, 101),
        ({"Origin": "https://export.example"}, 101),
        ({"Origin": "https://app.example"}, 101),
        ({"Origin": f"https://{netloc}"}, 403),
        ({"Origin": "http://own.example", "Host": "other.example"}, 403),
        ({"Origin": "http://own.example:81", "Host": "own.example"}, 403),
        ({"Origin": "http://export.example"}, 403),
        ({"Origin": "https://export.example/prefix"}, 403),
        ({"Origin": "null", "Host": ""}, 403),
        ({"Origin": "", "Host": ""}, 403),
        ({"Origin": "http://", "Host": ""}, 403),
        ({"Origin": "http://a:99999", "Host": "a:99999"}, 403),
    ]
    assert [opened(served, headers) for headers, _ in table] == [status for _, status in table]
