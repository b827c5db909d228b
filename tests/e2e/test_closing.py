"""Clients that close their side, or leave, while no row of a page matches: the one is served, the other is not."""

import contextlib
import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.e2e.conftest import Served
from tests.support.service import service
from tests.support.waiting import wait_until
from tests.support.websocket import connect

#: Of the rows of `Container-many`, the last in time, which no store finds but by looking at each.
LAST = {"or": [{"not": {"regexp": {"type": "temp"}}}, {"range": {"values.temperature": {"gte": 7499.8}}}]}
OLDEST_FIRST = {"measuredAt": "asc"}

#: As `LAST`, but each look takes long.
SLOWLY = {"or": [*LAST["or"], *({"not": {"regexp": {"type": f"e{{1,{n}}}.*r.*e$"}}} for n in range(1, 31))]}


@pytest.fixture
def single(served: Served, tmp_path: Path) -> Iterator[Served]:
    environ = {**served.environ, "WEB_CONCURRENCY": "1"}
    with service(environ, tmp_path / "log") as running:
        yield Served(running, environ, served.engine)


@contextlib.contextmanager
def asked(link: str) -> Iterator[socket.socket]:
    parts = urlsplit(link)
    with connect(link) as client:
        client.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        yield client


def body(client: socket.socket) -> bytes:
    answer = HTTPResponse(client)
    answer.begin()
    return answer.read()


def test_a_client_that_has_said_its_last_gets_the_whole(single: Served) -> None:
    """HTTP allows to close one's own side after the request, and to wait for the answer."""
    link = single.link("Container-many", json={"query": LAST, "sort": OLDEST_FIRST})
    whole = requests.get(link, timeout=60).content
    assert whole.count(b"\n") == 2
    with asked(link) as client:
        client.shutdown(socket.SHUT_WR)
        assert body(client) == whole


def test_a_client_that_has_left_is_not_read_for(single: Served) -> None:
    """By a close, which looks the same until something is sent to it."""
    link = single.link("Container-many", json={"query": SLOWLY, "sort": OLDEST_FIRST})
    with asked(link) as client:
        assert client.recv(100)
    export = link.partition("/_export/")[2].partition("?")[0]
    wait_until(lambda: f"export {export}: left after 0 rows" in single.service.log(), seconds=20)
    assert f"export {export}: whole" not in single.service.log()
    assert "Traceback" not in single.service.log()
