"""Prepare, link, CSV: over real gunicorn, on both stores."""

import re
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from services.links import Links
from services.measures import Kind
from tests.e2e.conftest import MANY, SECRETS, Served
from tests.services.stores import oracle
from tests.support import kuzzle
from tests.support.http_1_0 import HTTP10Connection
from tests.support.service import service
from tests.support.waiting import wait_until

HEADERS = {
    "Content-Type": "text/csv; charset=utf-8; header=present",
    "Content-Disposition": "attachment; filename=\"asset-Container-c1.csv\"; filename*=UTF-8''asset-Container-c1.csv",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Accept-Ranges": "none",
}


def get(link: str, **options: str) -> requests.Response:
    return requests.get(link, timeout=60, **options)  # type: ignore[arg-type]


def token_of(link: str) -> str:
    return link.rpartition("?jwt=")[2]


@pytest.mark.parametrize(
    ("kind", "id", "rows"),
    [("assets", "Container-c1", 1501), ("devices", "DummyTempPosition-d1", 1499), ("devices", "DummyTemp-d2", 499)],
)
def test_the_documents_of_a_real_kuzzle(served: Served, kind: Kind, id: str, rows: int) -> None:
    """Whole, newest first, and as many as the answer to the preparation said."""
    result = served.prepare(id, kind=kind).json()["result"]
    written = kuzzle.real().collections[kuzzle.REAL_ENGINE, "measures"].documents
    assert (result["estimatedRows"], result["estimate"]) == (rows, "exact")
    assert get(result["link"]).content.decode() == oracle.csv(written, kind, id, newest_first=True)


def test_a_link_is_absolute_and_begins_where_it_was_asked_for(served: Served) -> None:
    """Without PUBLIC_URL: the request's own scheme and host."""
    prefix = f"{served.service.url}/_/device-manager/{served.engine}/assets/Container-c1/measures/_export/"
    assert re.fullmatch(re.escape(prefix) + r"[0-9a-f]{16}\?jwt=[A-Za-z0-9_.=-]+", served.link())


def test_headers_of_a_download(served: Served) -> None:
    """Streamed in chunks, never cached, named."""
    headers = get(served.link()).headers
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in headers


def test_head_answers_the_headers_alone(served: Served) -> None:
    """What a link scanner sends."""
    link = served.link()
    answer = requests.head(link, timeout=30)
    assert (answer.status_code, answer.content) == (200, b"")
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_a_link_works_again_with_the_same_bytes(served: Served) -> None:
    """A broken download can be repeated."""
    link = served.link()
    first, second = get(link), get(link)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content


def test_a_tampered_link_is_refused(served: Served) -> None:
    """One character of what was signed."""
    link = served.link()
    head, token = link.rpartition("=")[0], token_of(link)
    other = "A" if token[5] != "A" else "B"
    assert get(f"{head}={token[:5]}{other}{token[6:]}").status_code == 403


def test_a_swapped_link_is_refused(served: Served) -> None:
    """A token serves its own path only: not another target, nor another export."""
    one, another = served.link(), served.link("DummyTemp-d2", kind="devices")
    same = served.link()
    swapped = [
        one.replace(token_of(one), token_of(another)),
        one.replace(token_of(one), token_of(same)),
        one.replace("Container-c1", "Container-many"),
        one.replace(served.engine, f"{served.engine}x"),
    ]
    assert [get(link).status_code for link in swapped] == [403, 403, 403, 403]


def test_an_expired_link_is_gone(served: Served) -> None:
    """410, in an envelope; a browser gets a page."""
    link = served.link()
    payload = Links([SECRETS], ttl_seconds=60, clock=time.time).unsign(token_of(link))
    expired, _ = Links([SECRETS], ttl_seconds=60, clock=lambda: time.time() - 3600).sign(payload)
    answer = get(link.replace(token_of(link), expired))
    page = requests.get(link.replace(token_of(link), expired), headers={"Accept": "text/html"}, timeout=30)
    assert (answer.status_code, answer.json()["status"], answer.json()["error"]["status"]) == (410, 410, 410)
    assert (page.status_code, page.headers["Content-Type"]) == (410, "text/html; charset=utf-8")
    assert "expired" in page.text


def test_a_link_without_a_token(served: Served) -> None:
    """401: the link is not complete."""
    assert get(served.link().partition("?")[0]).status_code == 401


def test_two_processes_are_one_service(served: Served, tmp_path: Path) -> None:
    """Prepared on one, downloaded from the other: they share secrets and a store, nothing else."""
    link = served.link()
    with service(served.environ, tmp_path / "log") as other:
        elsewhere = link.replace(served.service.url, other.url)
        assert get(elsewhere).content == get(link).content


def test_another_secret_is_another_service(served: Served, tmp_path: Path) -> None:
    """A link that somebody else signed is refused; one signed with the secret before the last is not."""
    link = served.link()
    with service({**served.environ, "LINK_SECRETS": "x" * 40}, tmp_path / "log") as stranger:
        assert get(link.replace(served.service.url, stranger.url)).status_code == 403
    with service({**served.environ, "LINK_SECRETS": f"{'x' * 40},{SECRETS}"}, tmp_path / "log2") as rotated:
        assert get(link.replace(served.service.url, rotated.url)).status_code == 200


def test_many_rows(served: Served) -> None:
    """Every one, in order, `from` and `size` applied."""
    ids = [f"many-{number:06}" for number in range(MANY)]
    whole = get(served.link("Container-many", json={"sort": {"measuredAt": "asc"}}))
    part = get(served.link("Container-many", params={"from": MANY - 7, "size": 5}))
    assert first_cells(whole) == ids
    assert first_cells(part) == ids[::-1][MANY - 7 : MANY - 2]


def first_cells(answer: requests.Response) -> list[str]:
    return [line.partition(",")[0] for line in answer.text.splitlines()[1:]]


def test_http_1_0_cannot_show_a_cut(served: Served) -> None:
    """505 for a download; other routes answer."""
    link = urlsplit(served.link())
    statuses = []
    for path in (f"{link.path}?{link.query}", "/_healthz"):
        connection = HTTP10Connection(str(link.hostname), link.port, timeout=30)
        connection.request("GET", path)
        statuses.append(connection.getresponse().status)
        connection.close()
    assert statuses == [505, 200]


def test_no_token_in_the_log(served: Served) -> None:
    """The access log names paths, never query strings."""
    link = served.link()
    get(link)
    wait_until(lambda: f'"GET {urlsplit(link).path}"' in served.service.log())
    assert token_of(link) not in served.service.log()
