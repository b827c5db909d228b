"""Whoever answers in place of Elasticsearch, and whatever: a 503 with the reason, or a transfer that is seen to break.

Each odd answer to each question that the service asks, at prepare and at download; and each sound answer misshapen.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Served
from tests.support import odd_answers
from tests.support.odd_answers import ODD
from tests.support.proxy import Answer, Asked, Fault, Proxy, proxy
from tests.support.readers import PLAIN
from tests.support.service import service

pytestmark = pytest.mark.elasticsearch

ASSET = "Container-many"

#: Rows of the export: more than a first page, so that there is a histogram.
ROWS = 1200

#: A filter whose fields are asked for, decided partly while reading.
KONCORDE = {"query": {"range": {"values.temperature": {"gte": 0}}}, "size": ROWS}
FOREIGN = {"query": {"range": {"values.temperature": {"gte": 0}}}, "lang": "elasticsearch", "size": ROWS}

#: Seconds that an answer is awaited.
WAIT = 2


def of_alias(asked: Asked) -> bool:
    return "measures" in asked.path


def is_first_page(asked: Asked) -> bool:
    """Of 500 rows, and one that would show that there are more."""
    return asked.is_page and asked.json["size"] == 501


def is_later_page(asked: Asked) -> bool:
    return asked.is_page and not is_first_page(asked)


#: What the service asks, and when.
AT_PREPARE: dict[str, Callable[[Asked], bool]] = {
    "engine and asset": lambda asked: asked.path == "/_mget",
    "models": lambda asked: "models" in asked.path,
    "fields": lambda asked: asked.method == "GET" and of_alias(asked),
    "searches": lambda asked: of_alias(asked) and "/_search" in asked.path,
}
AT_GET: dict[str, Callable[[Asked], bool]] = {
    **{name: asked for name, asked in AT_PREPARE.items() if name != "searches"},
    "a view": lambda asked: asked.opens_view,
    "counts": lambda asked: "pit" in asked.json and not asked.is_page and "aggs" in asked.json,
    "a page": is_first_page,
}  # fmt: skip
LATER: dict[str, Callable[[Asked], bool]] = {
    "the end of a view": lambda asked: asked.closes_view,
    "what is left out": lambda asked: "pit" in asked.json and not asked.json.get("size") and "aggs" not in asked.json,
}


@dataclass(frozen=True)
class Odd:
    """The service before a peer that may be odd, the file as it should be, and links to it: one in each language."""

    served: Served
    peer: Proxy
    whole: bytes
    links: list[str]

    def prepare(self, body: dict[str, Any] = KONCORDE) -> requests.Response:
        return self.served.prepare(ASSET, json=body)

    def logged(self, seen: int) -> str:
        return self.served.service.log()[seen:]


@pytest.fixture(scope="module")
def odd(on_elasticsearch: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odd]:
    """It waits a little for answers, and asks once."""
    with proxy(on_elasticsearch.environ["ELASTICSEARCH_URL"]) as peer:
        environ = {
            **on_elasticsearch.environ,
            "ELASTICSEARCH_URL": peer.url,
            "ELASTICSEARCH_TIMEOUT_SECONDS": str(WAIT),
            "RETRY_BUDGET_SECONDS": "0",
            "WEB_CONCURRENCY": "1",
            "LINK_TTL_SECONDS": "3600",
        }
        with service(environ, tmp_path_factory.mktemp("odd") / "log") as running:
            served = Served(running, environ, on_elasticsearch.engine)
            links = [served.link(ASSET, json=body) for body in (KONCORDE, FOREIGN)]
            yield Odd(served, peer, requests.get(links[0], timeout=60).content, links)


def check_unavailable(answer: requests.Response) -> None:
    """A 503 with a reason, and nothing of what the service may."""
    told = answer.json()["error"]
    assert (answer.status_code, told["id"]) == (503, "services.storage.not_connected"), answer.text[:1000]
    assert told["message"].startswith(("Elasticsearch", "The index")), told
    assert "secret_role" not in answer.text
    assert "exporter" not in answer.text


odds = pytest.mark.parametrize("fault", ODD.values(), ids=list(ODD))


#: Where the language of the query matters.
OF_BOTH = ("searches", "counts")


@odds
def test_prepare(odd: Odd, fault: Fault) -> None:
    """Never the caller's fault, in neither language, and no error of the service's own."""
    for name, of in AT_PREPARE.items():
        for body in (KONCORDE, FOREIGN) if name in OF_BOTH else (KONCORDE,):
            with odd.peer.spoiling(fault, of=of) as plan:
                answer = odd.prepare(body)
            assert plan.spoiled, name
            check_unavailable(answer)


@odds
def test_download(odd: Odd, fault: Fault) -> None:
    """Before the first byte."""
    for name, of in AT_GET.items():
        for link in odd.links if name in OF_BOTH else odd.links[:1]:
            with odd.peer.spoiling(fault, of=of) as plan:
                answer = requests.get(link, timeout=30)
            assert plan.spoiled, name
            check_unavailable(answer)


@pytest.mark.parametrize("name", ["a page of HTML", "nothing", "a deep list", "half of gzip", "nobody", "403", "500"])
def test_what_no_row_depends_on(odd: Odd, name: str) -> None:
    """It is logged, and the file is whole."""
    for of in LATER.values():
        with odd.peer.spoiling(ODD[name], of=of):
            assert requests.get(odd.links[0], timeout=30).content == odd.whole


@odds
def test_later_pages(odd: Odd, fault: Fault) -> None:
    """A transfer that breaks, visibly; what had come is right."""
    with odd.peer.spoiling(fault, of=is_later_page) as plan:
        text, is_whole = read(odd.links[0])
    assert plan.spoiled
    assert not is_whole
    assert odd.whole.startswith(text)


def read(link: str) -> tuple[bytes, bool]:
    """What comes, and whether it ends as it should."""
    text = b""
    with requests.get(link, timeout=30, stream=True, headers=PLAIN) as answer:
        assert answer.status_code == 200
        try:
            for part in answer.iter_content(None):
                text += part
        except requests.RequestException:
            return text, False
    return text, True


@odds
def test_readiness(odd: Odd, fault: Fault) -> None:
    """With the reason."""
    url = f"{odd.served.service.url}/_readyz"
    assert requests.get(url, timeout=30).status_code == 200
    with odd.peer.spoiling(fault, of=lambda asked: "health" in asked.path) as plan:
        answer = requests.get(url, timeout=30)
    assert plan.spoiled
    check_unavailable(answer)


def test_a_missing_right_is_in_the_log(odd: Odd) -> None:
    """As Elasticsearch names it, for who can give it; the caller is told that the service may not."""
    for of in (*AT_PREPARE.values(), lambda asked: "health" in asked.path):
        seen = len(odd.served.service.log())
        with odd.peer.spoiling(ODD["403"], of=of):
            answers = [odd.prepare(), requests.get(f"{odd.served.service.url}/_readyz", timeout=30)]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert len(refused) == 1
        check_unavailable(refused[0])
        assert "does not let the service read (403)" in refused[0].json()["error"]["message"]
        assert odd_answers.SECURITY in odd.logged(seen)


def document_refused(answer: Answer) -> Answer:
    """One of several, as security refuses it."""
    error = {"type": "security_exception", "reason": odd_answers.SECURITY}
    return answer.changed(lambda found: found["docs"].__setitem__(1, {"_index": "a", "_id": "b", "error": error}))


def test_a_right_that_is_missing_for_a_document(odd: Odd) -> None:
    """Of an answer that is sound otherwise."""
    seen = len(odd.served.service.log())
    with odd.peer.spoiling(document_refused, of=AT_PREPARE["engine and asset"]):
        check_unavailable(odd.prepare())
    assert odd_answers.SECURITY in odd.logged(seen)


PREPARE, GET = "prepare", "download"

QUESTIONS = [*((PREPARE, name) for name in AT_PREPARE), *((GET, name) for name in AT_GET)]

questions = pytest.mark.parametrize(("when", "name"), QUESTIONS)

#: Of each kind, so many of the misshapen answers are tried.
TRIED = 50


@questions
def test_misshapen_answers(odd: Odd, when: str, name: str) -> None:
    """A key that is missing, a value of another type: the file is whole, or it is seen not to be."""
    of = AT_PREPARE[name] if when == PREPARE else AT_GET[name]
    shapes = list(odd_answers.misshapen(sound_answer(odd, of, when)))
    for shape, content in random.Random(1).sample(shapes, min(TRIED, len(shapes))):
        text = json.dumps(content).encode()

        def change(answer: Answer, text: bytes = text) -> Answer:
            return replace(answer, body=text)

        with odd.peer.spoiling(change, of=of, times=1):
            if when == PREPARE:
                check_told(odd.prepare(), shape)
            else:
                check_visible(odd, shape)


def sound_answer(odd: Odd, of: Callable[[Asked], bool], when: str) -> Any:
    """The first of this kind."""
    kept: list[Any] = []

    def keep(answer: Answer) -> Answer:
        kept.append(json.loads(answer.body))
        return answer

    with odd.peer.spoiling(keep, of=of):
        odd.prepare() if when == PREPARE else requests.get(odd.links[0], timeout=30)
    return kept[0]


def check_told(answer: requests.Response, shape: str) -> None:
    assert answer.status_code in (200, 503), (shape, answer.text[:500])
    if answer.status_code == 503:
        check_unavailable(answer)


def check_visible(odd: Odd, shape: str) -> None:
    try:
        answer = requests.get(odd.links[0], timeout=30)
    except requests.RequestException:
        return
    check_told(answer, shape)
    assert answer.status_code == 503 or answer.content == odd.whole, shape


LONG_BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b" " * 9999
LONG_HEADER = b"HTTP/1.1 200 OK\r\nx: " + b"y" * 9999


@questions
def test_an_answer_of_a_byte_at_a_time(odd: Odd, when: str, name: str) -> None:
    """Is awaited as long as any other, from its first byte to its last; and so are its headers."""
    of = AT_PREPARE[name] if when == PREPARE else AT_GET[name]
    for text in (LONG_BODY, LONG_HEADER):
        began = time.monotonic()
        with odd.peer.spoiling(odd_answers.raw(text, 0.1), of=of):
            check_unavailable(odd.prepare() if when == PREPARE else requests.get(odd.links[0], timeout=60))
        assert time.monotonic() - began < WAIT + 2
