"""Prepare and download over HTTP: statuses, headers, envelopes, whole."""

import base64
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient

from services.errors import NotFound, ServiceError, StoreUnavailable, UnknownEngine
from services.formats import rows
from tests.fakes import FakeStore, temperatures
from tests.routes.conftest import Prepare
from tests.support.clock import Clock

#: A token is compressed: repetition would fit.
INCOMPRESSIBLE = base64.urlsafe_b64encode(Random(1).randbytes(6900)).decode()

HEADER = b"Measure Id,Measured At,Measured At ISO,Measure Type,Device Id,Device Model,Asset Id,Asset Model,"


def test_prepare_answers_an_envelope_with_a_link(prepare: Prepare, clock: Clock) -> None:
    """Kuzzle's shape, every name."""
    clock.seconds = 1_717_977_600
    response = prepare(headers={"X-Kuzzle-Request-Id": "r1", "X-Kuzzle-Volatile": '{"a": 1}'})
    envelope = response.get_json()
    result = envelope.pop("result")
    assert response.status_code == 200
    assert response.headers["X-Kuzzle-Request-Id"] == "r1"
    assert envelope.pop("node").startswith("measures-export-")
    assert envelope == {
        "status": 200,
        "error": None,
        "controller": "device-manager/assets",
        "action": "exportMeasures",
        "requestId": "r1",
        "headers": {},
        "volatile": {"a": 1},
    }
    assert result.pop("link").startswith("http://localhost/_/device-manager/e/assets/a/measures/_export/")
    assert result == {
        "expiresAt": 1_717_977_720_000,
        "fileName": "asset-a.csv",
        "estimatedRows": 3,
        "estimate": "exact",
    }


def test_a_link_downloads_csv(client: FlaskClient, link: str, store: FakeStore) -> None:
    """The whole file and every header; the store is freed."""
    response = client.get(link)
    headers = dict(response.headers)
    assert response.status_code == 200
    assert response.data.splitlines() == [
        HEADER + b"temperature.temperature",
        b"m0,1718000000000,2024-06-10T06:13:20.000Z,temperature,,,,,0",
        b"m1,1718000001000,2024-06-10T06:13:21.000Z,temperature,,,,,1",
        b"m2,1718000002000,2024-06-10T06:13:22.000Z,temperature,,,,,2",
    ]
    assert headers == {
        "Content-Type": "text/csv; charset=utf-8; header=present",
        "Content-Disposition": "attachment; filename=\"asset-a.csv\"; filename*=UTF-8''asset-a.csv",
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Accept-Ranges": "none",
        "Vary": "Accept-Encoding, Origin",
    }
    assert store.closed >= 1


def test_head_answers_the_headers_and_touches_no_store(client: FlaskClient, link: str, store: FakeStore) -> None:
    """A mail scanner's visit costs nothing."""
    response = client.head(link)
    assert (response.status_code, response.data, store.opened) == (200, b"", 0)
    assert response.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("lost", [UnknownEngine("e"), NotFound("a", "e", "assets"), StoreUnavailable("It is gone.")])
def test_head_says_what_get_would_begin_with(
    client: FlaskClient, link: str, store: FakeStore, lost: ServiceError
) -> None:
    """Of all that can be told without reading a measure."""
    store.lost = lost
    got, told = client.get(link), client.head(link)
    assert (told.status_code, told.data, store.opened) == (got.status_code, b"", 0)
    assert got.status_code == lost.status
    assert told.headers["Content-Type"] == got.headers["Content-Type"]


@pytest.mark.parametrize(
    ("change", "overrides"),
    [
        (lambda link: link.partition("?")[0], {}),
        (lambda link: link + "x", {}),
        (lambda link: link, {"SERVER_PROTOCOL": "HTTP/1.0"}),
    ],
)
def test_head_of_what_get_refuses(client: FlaskClient, link: str, change: Any, overrides: dict[str, Any]) -> None:
    """Token and version of HTTP."""
    got, told = (ask(change(link), environ_overrides=overrides).status_code for ask in (client.get, client.head))
    assert told == got >= 400


def test_a_link_works_again(client: FlaskClient, link: str) -> None:
    """A broken download can be repeated."""
    assert client.get(link).data == client.get(link).data


def test_ids_may_hold_anything(client: FlaskClient, prepare: Prepare) -> None:
    """Parts of a path are split before they are decoded."""
    answer = prepare("/_/device-manager/e/assets/a%2Fb%20%C3%A9%22/measures/_export").get_json()
    link = answer["result"]["link"].removeprefix("http://localhost")
    assert link.startswith("/_/device-manager/e/assets/a%2Fb%20%C3%A9%22/measures/_export/")
    assert answer["result"]["fileName"] == "asset-a_b é_.csv"
    assert client.get(link).status_code == 200


def test_a_broken_store_breaks_the_transfer(client: FlaskClient, prepare: Prepare, store: FakeStore) -> None:
    """After the first byte an error escapes to the server."""
    link = prepare().get_json()["result"]["link"].removeprefix("http://localhost")
    store.breaks_at = 1
    with pytest.raises(StoreUnavailable, match="The store is gone"):
        client.get(link, buffered=True)
    assert store.closed >= 1


def test_a_store_broken_before_the_first_byte_is_503(client: FlaskClient, link: str, store: FakeStore) -> None:
    """A real status while there is still one to give."""
    store.breaks_at = 0
    response = client.get(link)
    assert (response.status_code, response.get_json()["error"]["id"]) == (503, "services.storage.not_connected")
    assert store.closed == 1


def test_pages_of_wide_rows_are_encoded_in_parts(
    client: FlaskClient, link: str, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row comes, whichever page it is of."""
    store.pages, store.counted = temperatures(7, page=3), 7
    whole = client.get(link).data
    monkeypatch.setattr(rows, "SEPARATORS", 1)
    assert client.get(link).data == whole
    assert whole.count(b"\n") == 8


def test_fewer_rows_than_counted_break_the_transfer(client: FlaskClient, link: str, store: FakeStore) -> None:
    """Whatever a store's own checks let pass."""
    store.counted = 4
    with pytest.raises(StoreUnavailable, match="3 rows where it had counted 4"):
        client.get(link, buffered=True)


def test_no_measures_are_the_header_row_alone(client: FlaskClient, link: str, store: FakeStore) -> None:
    """An empty export is a file, too."""
    store.pages, store.counted = [], 0
    assert client.get(link).data.count(b"\n") == 1


def test_large_pages_are_sent_in_blocks(client: FlaskClient, link: str, store: FakeStore) -> None:
    """Every row arrives."""
    store.pages, store.counted = temperatures(20_000, page=5000), 20_000
    response = client.get(link, buffered=False)
    sizes = [len(block) for block in response.response]
    assert max(sizes) <= 128 * 1024
    assert len(sizes) > 4


@pytest.mark.parametrize(
    ("path", "status", "error_id"),
    [
        ("/_/device-manager/nope/assets/a/measures/_export", 412, "services.storage.unknown_index"),
        ("/_/device-manager/e/assets/b/measures/_export", 404, "services.storage.not_found"),
        ("/_/device-manager/e/cats/a/measures/_export", 404, "network.http.url_not_found"),
        ("/_/device-manager/e/assets/%FF/measures/_export", 404, "network.http.url_not_found"),
        ("/_/device-manager/e/assets//measures/_export", 404, "network.http.url_not_found"),
        ("/_/device-manager/e/assets/a/measures/_export?colour=red", 400, "api.assert.invalid_argument"),
        ("/_/device-manager/e/assets/a/measures/_export?size=1&size=2", 400, "api.assert.invalid_argument"),
        ("/_/device-manager/e/assets/a/measures/_export?_id=b", 400, "api.assert.invalid_argument"),
        ("/_/device-manager/e/assets/a/measures/_export?type=%FF", 400, "api.assert.invalid_argument"),
        ("/_/device-manager/e/assets/a/measures/_export?type=" + INCOMPRESSIBLE, 413, "network.http.request_too_large"),
    ],
)
def test_what_cannot_be_prepared(prepare: Prepare, path: str, status: int, error_id: str) -> None:
    """The contract's status, in an envelope."""
    response = prepare(path)
    envelope = response.get_json()
    assert (response.status_code, envelope["status"], envelope["error"]["id"]) == (status, status, error_id)
    assert envelope["result"] is None


@pytest.mark.parametrize(
    ("body", "status", "argument"),
    [
        (b"{", 400, None),
        (b'{"query": ' + b'{"not":' * 3000 + b"{}" + b"}" * 3000 + b"}", 400, "query"),
        (b'{"size": 1, "size": 2}', 400, "size"),
        (b'{"query": {"equals": {"a": "\\ud800"}}}', 400, "query.equals.a"),
        (b" " * (2 * 1024 * 1024), 413, "body"),
        (b"[]", 400, "body"),
        (b"{}" + b" " * (1024 * 1024 - 1), 413, "body"),
    ],
)
def test_bodies_that_are_refused(prepare: Prepare, body: bytes, status: int, argument: str | None) -> None:
    """Named where there is a name."""
    response = prepare(data=body)
    assert response.status_code == status
    assert response.get_json()["error"]["props"].get("argument") == argument


def test_a_body_that_is_shorter_than_announced(prepare: Prepare) -> None:
    """Is no whole one, even where it reads like one."""
    response = prepare(data=b'{"size": 1}', environ_overrides={"CONTENT_LENGTH": "12"})
    assert (response.status_code, response.get_json()["error"]["id"]) == (400, "network.http.body_parse_failed")


def test_a_form_content_type_is_no_obstacle(prepare: Prepare) -> None:
    """`curl -d` says form."""
    response = prepare(data=b'{"size": 1}', content_type="application/x-www-form-urlencoded")
    assert response.get_json()["result"]["estimatedRows"] == 1


def test_another_verb_is_405(client: FlaskClient) -> None:
    """With the verbs that the path does take."""
    response = client.delete("/_/device-manager/e/assets/a/measures/_export")
    assert (response.status_code, response.headers["Allow"]) == (405, "OPTIONS, POST")
    assert response.get_json()["error"]["id"] is None


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda link: link.partition("?")[0], 401),
        (lambda link: link + "x", 403),
        (lambda link: link.replace("?jwt=", "?jwt=x"), 403),
        (lambda link: link.replace("/assets/a/", "/assets/ab/"), 403),
        (lambda link: link.replace("/assets/", "/devices/"), 403),
        (lambda link: link.replace("/e/", "/f/"), 403),
        (lambda link: link.replace("/_export/", "/_export/0"), 403),
        (lambda link: link + "&jwt=x", 403),
        (lambda link: link + "&size=1", 200),
    ],
)
def test_links_that_are_not_what_was_signed(client: FlaskClient, link: str, change: Any, status: int) -> None:
    """Missing, tampered, swapped; and nothing beside the token counts."""
    response = client.get(change(link))
    assert response.status_code == status


def test_an_expired_link_is_410(client: FlaskClient, link: str, clock: Clock) -> None:
    """For programs the envelope, for browsers a page."""
    clock.seconds += 120
    for_program = client.get(link)
    for_browser = client.get(link, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (for_program.status_code, for_browser.status_code) == (410, 410)
    assert for_program.get_json()["status"] == 410
    assert for_browser.mimetype == "text/html"
    assert "This link has expired" in for_browser.text


def test_http_1_0_is_505(client: FlaskClient, link: str) -> None:
    """There, nobody could see a cut."""
    response = client.get(link, environ_overrides={"SERVER_PROTOCOL": "HTTP/1.0"})
    assert response.status_code == 505
    assert "proxy_http_version 1.1" in response.get_json()["error"]["message"]


def test_health_and_readiness(client: FlaskClient, store: FakeStore) -> None:
    """Alive whatever the store does; ready only with it."""
    store.is_ready = False
    ready = client.get("/_readyz")
    assert client.get("/_healthz").status_code == 200
    assert (ready.status_code, ready.get_json()["error"]["message"]) == (503, "The store does not answer.")
    store.is_ready = True
    assert client.get("/_readyz").status_code == 200
