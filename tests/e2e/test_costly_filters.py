"""Filters that cost much hold nobody up: on both stores, by one worker, which is never killed."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self
from urllib.parse import urlsplit

import pytest
import requests

from tests.e2e.conftest import SECRETS, STORES, Served, load, settings
from tests.services.filters.costly import COSTLY, documents, many
from tests.support.health import healthy
from tests.support.readers import PLAIN
from tests.support.service import Service, service
from tests.support.waiting import wait_until

#: Seconds of looking at a download, which may take minutes.
SECONDS = 1.5

#: Downloads beside which a small one must be quick; milliseconds until its first byte and its last, at best of three.
BESIDE = 10
FIRST_MS, LAST_MS = 1000, 2000

#: 400 patterns that are only decided while reading, none of which is found; a row takes some hundred microseconds.
PATTERNS = many("regexp", "asset._id", (f"[QXZ][{number // 20}][{number % 20}]" for number in range(400)))


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("costly")
    environ = {"SQLITE_PATH": str(folder / "measures.sqlite3"), "LINK_SECRETS": SECRETS, "WEB_CONCURRENCY": "1"}
    load(documents("costly").into_folder(folder / "documents"), environ)
    with service(environ, folder / "log") as running:
        yield Served(running, environ, "costly")


@pytest.fixture(scope="module")
def on_elasticsearch(
    elasticsearch_url: str, unique: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    engine, admin_index = unique("costly"), unique("admin")
    environ = {**settings(elasticsearch_url, admin_index), "WEB_CONCURRENCY": "1"}
    written = documents(engine)
    written.into_elasticsearch(elasticsearch_url, admin_index=admin_index)
    with service(environ, tmp_path_factory.mktemp("costly") / "log") as running:
        yield Served(running, environ, engine)
    written.out_of_elasticsearch(elasticsearch_url, admin_index=admin_index)


@pytest.fixture(scope="module", params=STORES)
def served(request: pytest.FixtureRequest) -> Served:
    found: Served = request.getfixturevalue("embedded" if request.param == "sqlite" else "on_elasticsearch")
    return found


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_filter_holds_nobody_up(served: Served, idle: Service, name: str) -> None:
    """At prepare and while its rows are read, which begins soon; or it is refused with what it takes."""
    costly = COSTLY[name]
    with healthy(served.service, idle):
        answer = served.prepare(f"Container-{costly.on}", json={"query": costly.query})
        if answer.status_code == 200:
            look_at(answer.json()["result"]["link"])
    if answer.status_code != 200:
        message = answer.json()["error"]["message"]
        assert (answer.status_code, "ms a row" in message, "too long for a link" in message) in (
            (400, True, False),
            (413, False, True),
        )


def look_at(link: str) -> None:
    """For a while; then the client leaves. A link that prepare has not had the time to refuse may be refused now."""
    with Reader(link) as reader:
        wait_until(lambda: reader.status, seconds=30)
        assert reader.status in (200, 400)
        end = time.monotonic() + SECONDS
        wait_until(lambda: reader.ended or time.monotonic() > end)


def test_a_filter_that_takes_too_long_is_refused_with_its_figure(served: Served) -> None:
    """At prepare; and at its download when a link was made before that was known."""
    costly = COSTLY["items of a long array"]
    answer = served.prepare(f"Container-{costly.on}", json={"query": costly.query})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["id"], error["props"]["argument"]) == ("api.assert.invalid_argument", "query")
    assert error["message"].startswith('Invalid argument "query": takes ')
    assert " ms a row (measured on the first " in error["message"]
    assert "at most 50 ms. Write fewer clauses or points." in error["message"]


def test_a_small_download_beside_costly_ones(served: Served, idle: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """It has had little of the core, and goes first; all of them go on."""
    links = [served.link("Container-small", json={"query": PATTERNS}) for _ in range(BESIDE)]
    with healthy(served.service, idle), contextlib.ExitStack() as stack:
        readers = [stack.enter_context(Reader(link)) for link in links]
        wait_until(lambda: all(reader.status for reader in readers), seconds=60)
        first_ms, last_ms = min(small_download(served) for _ in range(3))
        assert not any(reader.ended for reader in readers), "they were too quick to compare with"
    with capsys.disabled():
        print(f"\nbeside {BESIDE} costly downloads: first byte after {first_ms:.0f} ms, whole after {last_ms:.0f} ms")
    assert first_ms < FIRST_MS
    assert last_ms < LAST_MS


def small_download(served: Served) -> tuple[float, float]:
    """Milliseconds until its first byte, and its last."""
    link = served.link("Container-few")
    began = time.monotonic()
    with requests.get(link, stream=True, headers=PLAIN, timeout=60) as answer:
        lines = next(blocks := answer.iter_content(64 * 1024)).count(b"\n")
        first = time.monotonic() - began
        lines += sum(block.count(b"\n") for block in blocks)
    assert lines == 101
    return first * 1000, (time.monotonic() - began) * 1000


class Reader:
    """A download that goes on until it is left. `status`: of its answer; 0: there is none yet."""

    def __init__(self, link: str) -> None:
        parts = urlsplit(link)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        self._asked = f"{parts.path}?{parts.query}"
        self._thread = threading.Thread(target=self._read)
        self.status = 0
        self.ended = False

    def __enter__(self) -> Self:
        self._connection.connect()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._connection.close()

    def _read(self) -> None:
        self._connection.request("GET", self._asked)
        with contextlib.suppress(OSError, http.client.HTTPException):
            answer = self._connection.getresponse()
            self.status = answer.status
            while answer.read1(64 * 1024):
                pass
        self.ended = True
