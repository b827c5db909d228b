"""Fleets: many assets or devices in one file, over real gunicorn, on both stores."""

import csv
import io
import json
import zipfile
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import quote

import pytest
import requests

from services.measures import Kind
from services.verification import verify
from tests.e2e.conftest import ODD, Served
from tests.support.readers import PLAIN

HEADERS = "attachment; filename=\"measures-{0}.csv\"; filename*=UTF-8''measures-{0}.csv"
REAL = ["Container-c1", ODD["assets"]]


def prepare(served: Served, engine: str | None = None, **options: Any) -> requests.Response:
    """`options` are those of `requests.post`."""
    url = f"{served.service.url}/_/device-manager/{engine or served.engine}/measures/_export"
    return requests.post(url, timeout=30, **options)


def result(served: Served, **body: Any) -> dict[str, Any]:
    answer = prepare(served, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["result"]
    return found


def get(link: str) -> requests.Response:
    return requests.get(link, timeout=60, headers=PLAIN)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def fleet(served: Served, **body: Any) -> list[dict[str, str]]:
    return rows(get(result(served, **body)["link"]).text)


@pytest.mark.parametrize(("kind", "ids"), [("assets", REAL), ("devices", ["DummyTemp-d2", ODD["devices"]])])
def test_a_fleet_is_the_sum_of_its_parts(served: Served, kind: Kind, ids: list[str]) -> None:
    """Newest first; counted exactly, and called after its engine."""
    told = result(served, by=kind, ids=ids)
    answer = get(told["link"])
    found = rows(answer.text)
    parts = [row for id in ids for row in rows(get(served.link(id, kind=kind)).text)]
    assert [{name: cell for name, cell in row.items() if cell} for row in found] == sorted(
        ({name: cell for name, cell in row.items() if cell} for row in parts), key=lambda row: -int(row["Measured At"])
    )
    assert (told["estimatedRows"], told["estimate"]) == (len(found), "exact")
    assert answer.headers["Content-Disposition"] == HEADERS.format(served.engine)


def test_all_assets_and_all_devices(served: Served) -> None:
    """Without a choice."""
    everything = [row["Asset Id"] for row in fleet(served)]
    assert len(everything) == 60_000 + 1501 + 2
    assert set(everything) == {"Container-c1", "Container-many", ODD["assets"]}
    assert {row["Device Id"] for row in fleet(served, by="devices")} >= {"DummyTemp-d2", "DummyTempPosition-d1"}


@pytest.mark.parametrize("written", [json.dumps(REAL), "Container-c1,Container-c1"])
def test_lists_in_a_query_string(served: Served, written: str) -> None:
    """JSON, or parted by commas as the SDK joins them; twice is once."""
    answer = prepare(served, params={"ids": written, "size": "3"})
    assert answer.json()["result"]["estimatedRows"] == 3
    named = {row["Asset Id"] for row in rows(get(answer.json()["result"]["link"]).text)}
    assert named <= set(REAL)


@pytest.mark.parametrize(("format", "magic"), [("xlsx", b"PK"), ("zip", b"PK"), ("jsonl", b"{"), ("documents", b"{")])
def test_other_formats(served: Served, format: str, magic: bytes) -> None:
    """Every option of a file."""
    told = result(served, ids=REAL, format=format, size=10)
    assert get(told["link"]).content.startswith(magic)


@pytest.mark.parametrize("collapse", ["asset", "device", "slot"])
def test_the_newest_of_each(served: Served, collapse: str) -> None:
    """Of all rows, found plainly."""
    whole = fleet(served, ids=REAL, sort={"measuredAt": "asc"})
    told = result(served, ids=REAL, collapse=collapse)
    newest: dict[tuple[str, str], str] = {}
    for row in whole:
        slot = next((name for name, cell in list(row.items())[8:] if cell), "").partition(".")[0]
        id = row["Device Id" if collapse == "device" else "Asset Id"]
        newest[id, slot if collapse == "slot" else ""] = row["Measured At"]
    found = rows(get(told["link"]).text)
    assert [row["Measured At"] for row in found] == [newest[key] for key in sorted(newest)]
    assert told["estimate"] == "at most"


def test_a_file_for_each(served: Served, tmp_path: Path) -> None:
    """Byte for byte its own download, in a package that proves itself."""
    told = result(served, ids=REAL, format="zip", layout="split", preset="excel", timezone="Europe/Paris")
    package = tmp_path / told["fileName"]
    package.write_bytes(get(told["link"]).content)
    verdict = verify(package, None)
    assert verdict.problem is None
    with zipfile.ZipFile(package) as found:
        names = [name for name in found.namelist() if name.endswith(".csv")]
        assert len(names) == 2
        assert names[1] == "Container/Container-c1.csv"
        for id, name in zip(sorted(REAL), names, strict=True):
            link = served.link(id, json={"preset": "excel", "timezone": "Europe/Paris"})
            assert found.read(name) == get(link).content


@pytest.mark.parametrize(
    ("body", "status", "argument"),
    [
        ({"ids": []}, 400, "ids"),
        ({"ids": [""] * 1001}, 400, "ids"),
        ({"ids": [1]}, 400, "ids[0]"),
        ({"ids": {"a": 1}}, 400, "ids"),
        ({"models": ""}, 400, "models"),
        ({"groups": ["g"], "by": "devices"}, 400, "groups"),
        ({"by": "sensors"}, 400, "by"),
        ({"by": None}, 400, "by"),
        ({"collapse": "all"}, 400, "collapse"),
        ({"collapse": "slot", "sort": {"type": "asc"}}, 400, "sort"),
        ({"collapse": "slot", "from": 1}, 400, "from"),
        ({"collapse": "slot", "size": 1}, 400, "size"),
        ({"collapse": "slot", "layout": "split", "format": "zip"}, 400, "layout"),
        ({"layout": "split"}, 400, "layout"),
        ({"layout": "split", "format": "zip", "from": 1}, 400, "from"),
        ({"layout": "split", "format": "zip", "fields": ["battery.battery"]}, 400, "fields"),
        ({"_id": "Container-c1"}, 400, "_id"),
        ({"kind": "assets"}, 400, "kind"),
        ({"ids": ["Container-c1", "nobody", "none"]}, 404, None),
        ({"models": ["Container", "nobody"]}, 404, None),
        ({"ids": [f"Container-{'x' * 80}{number}" for number in range(500)]}, 404, None),
        ({"groups": ["".join(map(chr, range(33, 9000)))]}, 413, "groups"),
    ],
)
def test_what_is_refused(served: Served, body: dict[str, Any], status: int, argument: str | None) -> None:
    """At prepare, by the argument."""
    answer = prepare(served, json=body)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert argument is None or error["props"]["argument"] == argument


def test_too_many_ids_for_a_link(served: Served) -> None:
    """As many as fit are borne; the argument that does not fit is named."""
    answer = prepare(served, json={"ids": ["Container-c1"], "groups": [token_hex(8) for _ in range(1000)]})
    assert (answer.status_code, answer.json()["error"]["props"]["argument"]) == (413, "groups")


@pytest.mark.parametrize("name", ["*", "Container-*", '" OR "1"="1', "'; DROP TABLE measures; --", "{}", "a,b", "_all"])
def test_names_are_values_and_nothing_else(served: Served, name: str) -> None:
    """No index, no pattern, no query is made of them."""
    assert prepare(served, json={"ids": [name]}).status_code == 404
    assert prepare(served, json={"models": [name]}).status_code == 404
    assert fleet(served, groups=[name]) == []
    engine = quote(name, safe="")
    assert prepare(served, engine, json={}).status_code == 412


def test_tokens_open_their_own_links_only(served: Served) -> None:
    """Neither an asset's a fleet's, nor the other way round, nor another engine's."""
    one, many = served.link(), result(served, ids=["Container-c1"])["link"]
    paths = [link.partition("?")[0] for link in (one, many)]
    tokens = [link.rpartition("?jwt=")[2] for link in (one, many)]
    other = many.replace(f"/{served.engine}/", "/another-engine/")
    found = [requests.get(f"{path}?jwt={token}", timeout=30).status_code for path in paths for token in tokens]
    assert found == [200, 403, 403, 200]
    assert requests.get(other, timeout=30).status_code == 403


def test_a_message(served: Served) -> None:
    """`POST /_query`."""
    message = {"controller": "device-manager/measures", "action": "export", "engineId": served.engine, "ids": REAL}
    answer = requests.post(f"{served.service.url}/_query", json={**message, "body": {"size": 5}}, timeout=30).json()
    assert (answer["status"], answer["action"]) == (200, "export")
    assert len(rows(get(answer["result"]["link"]).text)) == 5


def test_it_is_listed(served: Served) -> None:
    """For the SDK, POST first."""
    listed = requests.get(f"{served.service.url}/_publicApi", timeout=30).json()["result"]
    routes = listed["device-manager/measures"]["export"]["http"]
    assert [(route["verb"], route["url"]) for route in routes] == [
        ("POST", "/_/device-manager/:engineId/measures/_export"),
        ("GET", "/_/device-manager/:engineId/measures/_export/:exportId"),
    ]
