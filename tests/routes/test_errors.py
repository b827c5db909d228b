"""The page of a link that leads nowhere: it shows what it is told, and does nothing else."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeStore

HOSTILE = "<script>alert(1)</script>\"'&lt;><img/src=x/onerror=alert(1)>{title}%s"

#: Printable ASCII without spaces, as a request's id may be.
HOSTILE_ID = HOSTILE.replace(" ", "")

POLICY = re.compile(
    "default-src 'none'; style-src 'sha256-(?P<hash>[A-Za-z0-9+/=]{44})'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Page(HTMLParser):
    """Which elements, and what text a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def page(client: FlaskClient, link: str, request_id: str) -> tuple[int, dict[str, str], str]:
    answer = client.get(link, headers={"Accept": "text/html", "X-Kuzzle-Request-Id": request_id})
    return answer.status_code, dict(answer.headers), answer.text


@pytest.mark.parametrize("request_id", ["r-1", HOSTILE_ID])
def test_the_page_shows_a_request_id_as_it_is(client: FlaskClient, link: str, request_id: str) -> None:
    """Whatever it holds: text, and not one element more."""
    status, headers, text = page(client, link + "x", request_id)
    shown = Page(text)
    assert (status, headers["Content-Type"]) == (403, "text/html; charset=utf-8")
    assert [tag for tag, _ in shown.elements] == ["html", "meta", "meta", "title", "style", "h1", "p", "footer"]
    assert f"Status 403. Request {request_id}." in shown.text
    assert headers["X-Kuzzle-Request-Id"] == request_id
    assert not any(
        name.startswith("on") or name in ("style", "src", "href") for _, all in shown.elements for name, _ in all
    )


def test_the_page_shows_a_message_as_it_is(client: FlaskClient, link: str, store: FakeStore) -> None:
    """A store may quote anything."""
    store.reason = HOSTILE
    store.breaks_at = 0
    status, _, text = page(client, link, "r")
    assert status == 503
    assert HOSTILE in Page(text).text
    assert len(Page(text).elements) == 8


def test_the_page_loads_and_runs_nothing(client: FlaskClient, link: str) -> None:
    """By its policy, which knows its style by the hash."""
    _, headers, text = page(client, link + "x", "r")
    policy = POLICY.fullmatch(headers["Content-Security-Policy"])
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert policy is not None
    assert policy["hash"] == base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("PUT", "/_query", 405),
        ("POST", "/_query", 400),
        ("POST", "/_/device-manager/x/assets/a/measures/_export", 412),
        ("POST", "/_/device-manager/e/assets/a/measures/_export?colour=red", 400),
        ("GET", "/_/device-manager/e/assets/a/measures/_export/1", 401),
        ("GET", "/_/device-manager/e/assets/a/measures/_export/1?jwt=x", 403),
    ],
)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_no_error_is_guessed_at(client: FlaskClient, verb: str, path: str, status: int, accept: str) -> None:
    """A browser takes each for what it says to be."""
    answer = client.open(path, method=verb, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["X-Content-Type-Options"]) == (status, "nosniff")


def test_a_store_that_is_down(client: FlaskClient, store: FakeStore) -> None:
    """Nor is what a load balancer is told."""
    store.is_ready = False
    answer = client.get("/_readyz")
    assert (answer.status_code, answer.headers["X-Content-Type-Options"]) == (503, "nosniff")
