"""Answers of Elasticsearch that arrive wrong, late or not at all: the file is whole, or it is seen to be broken."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.e2e.conftest import Served
from tests.support import proxy as peers
from tests.support.proxy import Answer, Asked, Fault, Proxy, proxy
from tests.support.service import service
from tests.support.waiting import wait_until

pytestmark = pytest.mark.elasticsearch

#: curl's exit codes for a transfer that did not end as it should: partial file, receive failure.
BROKEN = (18, 56)

#: Rows of the export: pages of 500, 1000, 2000, 4000, 5000, ...
ROWS = 20_000

#: What may go wrong, and what the log says of it.
FAULTS: dict[str, tuple[Fault, str]] = {
    "a failed shard": (peers.failed_shard, "1 of 1 shards failed"),
    "timed out": (peers.timed_out, "timed out"),
    "a row short": (peers.row_short, "were counted"),
    "a row twice": (peers.row_twice, "were counted"),
    "no JSON": (peers.no_json, "cannot be read"),
    "cut in the middle": (peers.cut, "no connection"),
    "connection reset": (peers.reset, "no connection"),
    "no answer": (peers.silence, "no answer in time"),
    "429": (peers.refused(429), "429 es_rejected_execution_exception"),
    "502 of a gateway": (peers.gateway(502), "no upstream"),
    "503": (peers.refused(503), "503 es_rejected_execution_exception"),
    "504 of a gateway": (peers.gateway(504), "no upstream"),
}

faults = pytest.mark.parametrize(("fault", "words"), FAULTS.values(), ids=list(FAULTS))


@dataclass(frozen=True)
class Between:
    """The service, a peer that may fail before its Elasticsearch, and the asset's file as it should be."""

    served: Served
    peer: Proxy
    whole: bytes

    def link(self) -> str:
        return self.served.link("Container-many", json={"size": ROWS})

    def log_of(self, link: str) -> str:
        """The lines of the log that name the export."""
        id = link.partition("/_export/")[2].partition("?")[0]
        return "\n".join(line for line in self.served.service.log().splitlines() if f"export {id}: " in line)


@pytest.fixture(scope="module")
def between(on_elasticsearch: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    with proxy(on_elasticsearch.environ["ELASTICSEARCH_URL"]) as peer:
        environ = {
            **on_elasticsearch.environ,
            "ELASTICSEARCH_URL": peer.url,
            "ELASTICSEARCH_TIMEOUT_SECONDS": "1",
            "RETRY_BUDGET_SECONDS": "1",
            "WEB_CONCURRENCY": "1",
        }
        whole = requests.get(on_elasticsearch.link("Container-many", json={"size": ROWS}), timeout=60).content
        with service(environ, tmp_path_factory.mktemp("between") / "log") as running:
            yield Between(Served(running, environ, on_elasticsearch.engine), peer, whole)


def curl(link: str, into: Path) -> int:
    """Its exit code."""
    return subprocess.run(["curl", "--silent", "--output", str(into), link], timeout=60, check=False).returncode


@faults
def test_a_page_that_goes_wrong_is_asked_for_again(between: Between, tmp_path: Path, fault: Fault, words: str) -> None:
    """Twice, and then it is right: the same bytes as ever."""
    link = between.link()
    with between.peer.spoiling(fault, after=2, times=1 if fault is peers.silence else 2) as plan:
        code = curl(link, tmp_path / "csv")
    assert (code, plan.times) == (0, 0)
    assert (tmp_path / "csv").read_bytes() == between.whole
    log = between.log_of(link)
    assert words in log
    assert "retry 1 in" in log
    wait_until(lambda: not between.peer.views, seconds=5)


@faults
def test_a_page_that_stays_wrong_breaks_the_transfer(
    between: Between, tmp_path: Path, fault: Fault, words: str
) -> None:
    """Never a short file that looks whole: what had come is right, and the log tells why there is no more."""
    link = between.link()
    with between.peer.spoiling(fault, after=2):
        code = curl(link, tmp_path / "csv")
    text = (tmp_path / "csv").read_bytes()
    assert code in BROKEN
    assert between.whole.startswith(text)
    assert 0 < text.count(b"\n") < ROWS
    log = between.log_of(link)
    assert words in log
    assert "broken off after" in log
    wait_until(lambda: not between.peer.views, seconds=5)


@pytest.mark.parametrize("fault", [peers.row_short, peers.failed_shard, peers.silence, peers.refused(503)])
def test_a_first_page_that_stays_wrong_is_a_real_status(between: Between, fault: Fault) -> None:
    """Before the first byte there is one to give."""
    link = between.link()
    with between.peer.spoiling(fault):
        answer = requests.get(link, timeout=30)
    assert answer.status_code == 503
    assert answer.json()["error"]["id"] == "services.storage.not_connected"
    wait_until(lambda: not between.peer.views, seconds=5)


def test_a_lost_view_breaks_the_transfer(between: Between, tmp_path: Path) -> None:
    """Somebody closed it, or its node is gone: rows of another view would not belong to these."""

    def lose(answer: Answer) -> Answer:
        for view in between.peer.views:
            requests.delete(f"{elasticsearch}/_pit", json={"id": view}, timeout=30)
        return answer

    elasticsearch = between.peer.behind
    link = between.link()
    with between.peer.spoiling(lose, after=2, times=1):
        code = curl(link, tmp_path / "csv")
    assert code in BROKEN
    assert between.whole.startswith((tmp_path / "csv").read_bytes())
    assert "Elasticsearch has lost the view of the export" in between.log_of(link)
    assert "broken off after" in between.log_of(link)


def anything(asked: Asked) -> bool:
    return True


@pytest.mark.parametrize(("fault", "number"), [(peers.reset, 0), (peers.refused(429), 1), (peers.gateway(503), 2)])
def test_every_request_is_tried_again(between: Between, fault: Fault, number: int) -> None:
    """Engine, models, view, counts: what fails once does not fail the caller."""
    with between.peer.spoiling(fault, of=anything, times=2) as plan:
        link = between.link()
    assert plan.times == 0
    for after in range(number, 9, 3):
        with between.peer.spoiling(fault, of=anything, after=after, times=1) as plan:
            assert requests.get(link, timeout=30).content == between.whole
        assert plan.times == 0
    wait_until(lambda: not between.peer.views, seconds=5)


def test_views_are_kept_some_minutes(between: Between) -> None:
    """Every request says so: the view of a process that was killed goes by itself."""
    seen = len(between.peer.asked)
    requests.get(between.link(), timeout=30)
    wait_until(lambda: not between.peer.views, seconds=5)
    asked = between.peer.asked[seen:]
    assert [one.path for one in asked if one.opens_view and "keep_alive=5m" not in one.path] == []
    assert {one.json["pit"]["keep_alive"] for one in asked if "pit" in one.json} == {"5m"}


def test_no_search_takes_a_part_for_the_whole(between: Between) -> None:
    """A shard that fails is an error, of counts too."""
    seen = len(between.peer.asked)
    requests.get(between.link(), timeout=30)
    searches = [one.path for one in between.peer.asked[seen:] if "/_search" in one.path]
    assert len(searches) > 5
    assert [path for path in searches if not path.endswith("?allow_partial_search_results=false")] == []
