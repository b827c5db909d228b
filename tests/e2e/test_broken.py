"""What breaks on the way: the client sees a broken transfer, the log names the export, nothing stays open."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import MANY, Served, documents, settings
from tests.support import kuzzle
from tests.support.elasticsearch_node import Node
from tests.support.service import refusal, service
from tests.support.waiting import wait_until

pytestmark = pytest.mark.elasticsearch

#: curl's exit codes for a transfer that did not end as it should: partial file, receive failure.
BROKEN = (18, 56)


@contextlib.contextmanager
def on(node: Node, log_file: Path) -> Iterator[Served]:
    """A service that gives up soon, on a node that the test may stop."""
    documents(kuzzle.REAL_ENGINE).into_elasticsearch(node.url)
    environ = {
        **settings(node.url),
        "ELASTICSEARCH_TIMEOUT_SECONDS": "2",
        "RETRY_BUDGET_SECONDS": "2",
        "PREFETCH_BYTES": "0",
        "WEB_CONCURRENCY": "1",
    }
    with service(environ, log_file) as running:
        yield Served(running, environ, kuzzle.REAL_ENGINE)


@pytest.fixture
def doomed(own_node: Node, tmp_path: Path) -> Iterator[Served]:
    with on(own_node, tmp_path / "log") as served:
        yield served


@pytest.fixture(scope="module")
def cold_node(start_node: Callable[[], Node]) -> Node:
    """One that is frozen and thawed."""
    return start_node()


@pytest.fixture(scope="module")
def numbed(cold_node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with on(cold_node, tmp_path_factory.mktemp("numbed") / "log") as served:
        yield served


@contextlib.contextmanager
def curl(link: str, into: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A download that has begun, at 1 MB/s: most of it is still to come."""
    command = ["curl", "--silent", "--no-buffer", "--limit-rate", "1M", "--output", str(into), link]
    process = subprocess.Popen(command)
    try:
        wait_until(lambda: into.exists() and into.stat().st_size > 50_000)
        yield process
    finally:
        process.kill()
        process.wait()


def export_of(link: str) -> str:
    return link.partition("/_export/")[2].partition("?")[0]


def test_elasticsearch_is_killed(doomed: Served, own_node: Node, tmp_path: Path) -> None:
    """kill -9 in the middle: never a short file that looks whole. After it a real status; alive all the same."""
    link = doomed.link("Container-many")
    with curl(link, tmp_path / "csv") as download:
        own_node.kill()
        code = download.wait(timeout=60)
    check_broken(doomed, link, code, tmp_path / "csv")
    check_unavailable(doomed, link)


def test_elasticsearch_is_frozen(numbed: Served, cold_node: Node, tmp_path: Path) -> None:
    """kill -STOP in the middle: the same; and once it goes on, nothing of the download is open."""
    link = numbed.link("Container-many")
    with curl(link, tmp_path / "csv") as download:
        cold_node.freeze()
        try:
            code = download.wait(timeout=60)
            check_broken(numbed, link, code, tmp_path / "csv")
            check_unavailable(numbed, link)
        finally:
            cold_node.thaw()
    wait_until(lambda: requests.get(f"{numbed.service.url}/_readyz", timeout=60).status_code == 200)
    wait_until(lambda: open_searches(cold_node.url) == 0)


def check_broken(served: Served, link: str, code: int, file: Path) -> None:
    log = served.service.log()
    assert code in BROKEN
    assert 0 < file.read_bytes().count(b"\n") < MANY
    assert f"export {export_of(link)}: broken off after" in log
    assert f"export {export_of(link)}: Elasticsearch: " in log


def check_unavailable(served: Served, link: str) -> None:
    """Before the first byte."""
    answer = requests.get(link, timeout=60)
    assert (answer.status_code, answer.json()["error"]["id"]) == (503, "services.storage.not_connected")
    assert requests.head(link, timeout=60).status_code == 503
    assert served.prepare().status_code == 503
    assert requests.get(f"{served.service.url}/_readyz", timeout=60).status_code == 503
    assert requests.get(f"{served.service.url}/_healthz", timeout=5).status_code == 200


def test_a_short_pause_is_bridged(numbed: Served, cold_node: Node, tmp_path: Path) -> None:
    """An answer that is late once is asked for again: the file is whole."""
    link = numbed.link("Container-many")
    whole = requests.get(link, timeout=60).content
    with curl(link, tmp_path / "csv") as download:
        cold_node.freeze()
        seen = len(numbed.service.log())
        wait_until(lambda: "retry" in numbed.service.log()[seen:] or download.poll() is not None)
        cold_node.thaw()
        code = download.wait(timeout=120)
    assert code == 0
    assert (tmp_path / "csv").read_bytes() == whole


def open_searches(url: str) -> int:
    """Contexts that Elasticsearch holds open: one a shard and PIT."""
    stats = requests.get(f"{url}/_nodes/stats/indices/search", timeout=30).json()
    return sum(node["indices"]["search"]["open_contexts"] for node in stats["nodes"].values())


def test_nothing_stays_open(numbed: Served, cold_node: Node, tmp_path: Path) -> None:
    """A PIT is closed at the end, when the client leaves, and is never opened for HEAD or a refused link."""
    link = numbed.link("Container-many")
    requests.get(link, timeout=60)
    wait_until(lambda: open_searches(cold_node.url) == 0)
    with curl(link, tmp_path / "csv"):
        assert open_searches(cold_node.url) == 1
    wait_until(lambda: open_searches(cold_node.url) == 0)
    requests.head(link, timeout=60)
    requests.get(link + "x", timeout=60)
    assert numbed.prepare(json={"sort": "_id"}).status_code == 400
    wait_until(lambda: open_searches(cold_node.url) == 0)  # searches of the link count as long as they run
    assert f"export {export_of(link)}: left after" in numbed.service.log()


def test_the_service_stops_in_the_middle(embedded: Served, tmp_path: Path) -> None:
    """Killed while it sends: broken as well."""
    with service(embedded.environ, tmp_path / "log") as running:
        own = Served(running, embedded.environ, embedded.engine)
        with curl(own.link("Container-many"), tmp_path / "csv") as download:
            for worker in running.workers:
                worker.kill()
            assert download.wait(timeout=60) in BROKEN


def test_a_graceful_stop_lets_a_download_end(embedded: Served, tmp_path: Path) -> None:
    """SIGTERM: no new requests, and the running one goes on to its end."""
    with service(embedded.environ, tmp_path / "log") as running:
        own = Served(running, embedded.environ, embedded.engine)
        link = own.link("Container-many")
        whole = requests.get(link, timeout=60).content
        with curl(link, tmp_path / "csv") as download:
            running.terminate()
            assert download.wait(timeout=60) == 0
        assert running.wait() == 0
    assert (tmp_path / "csv").read_bytes() == whole


def test_a_refused_start_names_every_wrong_setting(tmp_path: Path) -> None:
    """All together, and the service does not start."""
    wrong = {"ELASTICSEARCH_URL": "localhost:9200", "LINK_SECRETS": "short", "LINK_TTL_SECONDS": "0", "AUTH": "all"}
    code, log = refusal(wrong, tmp_path / "log")
    assert code != 0
    assert [name for name in wrong if name in log] == list(wrong)


def test_elasticsearch_without_auth_is_refused(tmp_path: Path) -> None:
    """Never silently anonymous."""
    without = {name: value for name, value in settings("http://127.0.0.1:9").items() if name != "AUTH"}
    code, log = refusal(without, tmp_path / "log")
    assert code != 0
    assert "AUTH is required with Elasticsearch" in log
