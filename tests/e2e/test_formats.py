"""The files that people want, over real gunicorn and both stores, read back by what they have."""

import csv
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import duckdb
import frictionless
import openpyxl
import pandas
import pytest
import python_calamine
import requests

from services.links import Links
from services.signing import SigningKey, made_pem
from tests.e2e.conftest import SECRETS, Served, load
from tests.support import kuzzle, spreadsheet
from tests.support.http_1_0 import HTTP10Connection
from tests.support.service import ROOT, service

JSON = dict[str, Any]

ROWS = 1501


def file(served: Served, id: str = "Container-c1", *, headers: Any = None, **body: Any) -> requests.Response:
    """The download of an export with these arguments, as its bytes are; oldest first."""
    link = served.link(id, json={"sort": {"measuredAt": "asc"}, **body})
    answer = requests.get(link, timeout=60, headers={"Accept-Encoding": "identity", **(headers or {})})
    assert answer.status_code == 200, answer.text
    return answer


def plain_rows(served: Served, **body: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file(served, **body).text, newline="")))


@pytest.mark.parametrize(
    ("body", "media_type", "name"),
    [
        ({}, "text/csv; charset=utf-8; header=present", "asset-Container-c1.csv"),
        ({"header": False}, "text/csv; charset=utf-8; header=absent", "asset-Container-c1.csv"),
        ({"compress": "gzip"}, "application/gzip", "asset-Container-c1.csv.gz"),
        ({"format": "jsonl"}, "application/x-ndjson", "asset-Container-c1.jsonl"),
        ({"format": "documents", "compress": "gzip"}, "application/gzip", "{engine}.measures.ndjson.gz"),
        ({"format": "zip", "fileName": "June.zip"}, "application/zip", "June.zip"),
        (
            {"format": "xlsx", "fileName": "a/b.xlsx"},
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "a_b.xlsx",
        ),
    ],
)
def test_what_a_file_is_called(served: Served, body: JSON, media_type: str, name: str) -> None:
    """At prepare, and by the headers of the download."""
    name = name.format(engine=served.engine)
    result = served.prepare(json=body).json()["result"]
    headers = requests.get(result["link"], timeout=60).headers
    assert (result["fileName"], headers["Content-Type"]) == (name, media_type)
    assert headers["Content-Disposition"] == f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(name)}"


def test_json_lines_and_sheets_hold_what_csv_holds(served: Served) -> None:
    """Read by pandas, openpyxl, calamine and DuckDB: as many rows, and the same sum of a column."""
    header, *rows = plain_rows(served)
    place = header.index("temperatureExt.temperature")
    total = sum(float(row[place]) for row in rows if row[place])
    sheet, lines = file(served, format="xlsx").content, file(served, format="jsonl").content
    assert len(rows) == ROWS
    table = pandas.read_json(io.BytesIO(lines), lines=True)
    assert (len(table), table["temperatureExt.temperature"].sum()) == (ROWS, pytest.approx(total))
    found = openpyxl.load_workbook(io.BytesIO(sheet))["Measures"]
    assert [cell.value for cell in found[1]] == header
    assert found.auto_filter.ref == f"A1:{found.cell(1, len(header)).coordinate[:-1]}{ROWS + 1}"
    assert (found.freeze_panes, found["A1"].font.b) == ("A2", True)
    values = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sheet)).get_sheet_by_index(0).to_python()
    assert sum(float(str(row[place])) for row in values[1:] if row[place] != "") == pytest.approx(total)
    frame = pandas.read_excel(io.BytesIO(sheet), engine="calamine")
    iso = pandas.to_datetime(pandas.Series([row[2] for row in rows])).dt.tz_localize(None)
    assert (frame["Measured At ISO"] == iso).all()


def test_duckdb_reads_lines_and_csv(served: Served, tmp_path: Path) -> None:
    """By its own guess of types."""
    lines, table = tmp_path / "a.jsonl", tmp_path / "a.csv.gz"
    lines.write_bytes(file(served, format="jsonl").content)
    table.write_bytes(file(served, compress="gzip").content)
    query = "SELECT count(*), round(sum(\"temperatureExt.temperature\"), 3) FROM '{}'"
    found = [duckdb.sql(query.format(each)) for each in (lines, table)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].fetchall() == found[1].fetchall()


def test_documents_load_and_export_the_same(served: Served, tmp_path: Path) -> None:
    """All that is missing beside them are the engine, the asset and the models."""
    made = kuzzle.real(served.engine)
    del made.collections[served.engine, "measures"]
    folder = made.into_folder(tmp_path / "documents")
    answer = file(served, format="documents", compress="gzip")
    (folder / f"{served.engine}.measures.ndjson.gz").write_bytes(answer.content)
    environ = {"SQLITE_PATH": str(tmp_path / "db"), "LINK_SECRETS": SECRETS, "WEB_CONCURRENCY": "1"}
    load(folder, environ)
    with service(environ, tmp_path / "log") as running:
        again = Served(running, environ, served.engine)
        assert file(again).content == file(served).content
        assert file(again, format="documents").content == gzip.decompress(answer.content)


@pytest.mark.parametrize("body", [{}, {"format": "jsonl"}, {"format": "documents"}])
def test_a_client_that_takes_gzip_gets_it(served: Served, body: JSON) -> None:
    """As it says: the bytes are the same, and caches are told."""
    plain = file(served, **body)
    packed = file(served, headers={"Accept-Encoding": "br, gzip;q=0.5"}, **body)
    refused = file(served, headers={"Accept-Encoding": "gzip;q=0, *"}, **body)
    assert [answer.headers.get("Content-Encoding") for answer in (plain, packed, refused)] == [None, "gzip", None]
    assert {answer.headers["Vary"] for answer in (plain, packed, refused)} == {"Accept-Encoding, Origin"}
    assert plain.content == packed.content == refused.content


def test_what_is_packed_is_not_packed_again(served: Served) -> None:
    """Its own compression is all there is."""
    for body in ({"compress": "gzip"}, {"format": "xlsx"}, {"format": "zip"}):
        answer = file(served, headers={"Accept-Encoding": "gzip"}, **body)
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(("format", "status"), [("csv", 505), ("jsonl", 505), ("zip", 200), ("xlsx", 200)])
def test_http_1_0_may_have_what_does_not_open_when_it_is_cut(embedded: Served, format: str, status: int) -> None:
    """Any other format would look whole."""
    link = urlsplit(embedded.link(json={"format": format}))
    connection = HTTP10Connection(link.hostname or "", link.port, timeout=60)
    connection.request("GET", f"{link.path}?{link.query}")
    answer = connection.getresponse()
    found = answer.read()
    connection.close()
    assert answer.status == status
    assert status != 200 or zipfile.ZipFile(io.BytesIO(found)).testzip() is None


def test_chosen_columns(served: Served) -> None:
    """Headers and paths, under other names, also with a filter that is decided while reading."""
    names = ["Measured At", "temperatureExt.temperature", "origin.reference", "asset.model"]
    body = {"fields": names, "fieldsName": {"asset.model": "Model", "Measured At": "time"}}
    header, *rows = plain_rows(served, **body)
    every = plain_rows(served)
    assert header == ["time", "temperatureExt.temperature", "origin.reference", "Model"]
    assert [row[:2] for row in rows] == [[row[1], row[8]] for row in every[1:]]
    assert {row[2] for row in rows} == {"d1", "d2", ""}
    assert {row[3] for row in rows} == {"Container"}
    query = {"regexp": {"origin.reference": "d1|p1"}}
    assert plain_rows(served, query=query, **body) == [header, *(row for row in rows if row[2] in ("d1", "p1"))]
    arguments = {"fields": ",".join(names), "fieldsName": json.dumps(body["fieldsName"]), "sort": "measuredAt"}
    link = served.link(params=arguments)
    assert list(csv.reader(io.StringIO(requests.get(link, timeout=60).text))) == [header, *rows]


def test_documents_that_a_filter_finds(served: Served) -> None:
    """Decided by the store, or while reading: the same as the rows of the CSV, in their order."""
    for query in ({"regexp": {"origin.reference": "d1"}}, {"equals": {"type": "temperature"}}, {"missing": "values.x"}):
        lines = [json.loads(line) for line in file(served, format="documents", query=query).iter_lines()]
        _, *rows = plain_rows(served, query=query)
        assert [line["_id"] for line in lines] == [row[0] for row in rows]
        assert [line["_source"]["measuredAt"] for line in lines] == [int(row[1]) for row in rows]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"fields": "temperatureExt.temprature"}, "temperatureExt.temperature"),
        ({"fieldsName": '{"nothing": "x"}'}, "nothing"),
        ({"fieldsName": '{"Measure Id": "Device Id"}'}, "Device Id"),
        ({"fieldsName": "Measure Id"}, "fieldsName"),
        ({"format": "xlsx", "separator": ";"}, "separator"),
        ({"timezone": "Europe/Pari"}, "Europe/Paris"),
    ],
)
def test_mistakes_are_told_at_prepare(served: Served, arguments: dict[str, str], named: str) -> None:
    """With what would be right."""
    answer = served.prepare(params=arguments)
    assert answer.status_code == 400
    assert named in answer.json()["error"]["message"]


def test_options_by_message(served: Served) -> None:
    """`POST /_query`, at the root or in the body."""
    message = {
        "controller": "device-manager/assets", "action": "exportMeasures", "engineId": served.engine,
        "_id": "Container-c1", "preset": "excel-eu", "body": {"fields": ["Measured At ISO"], "size": 1},
    }  # fmt: skip
    result = requests.post(f"{served.service.url}/_query", json=message, timeout=30).json()["result"]
    text = requests.get(result["link"], timeout=30).content.decode()
    assert text.startswith("\ufeffMeasured At ISO\r\n20")


def test_a_link_made_before_there_were_options(served: Served) -> None:
    """Says nothing of them, and downloads what it always did."""
    links = Links([SECRETS], ttl_seconds=120, clock=time.time)
    token, _ = links.sign(
        {
            "engineId": served.engine, "_id": "Container-c1", "kind": "assets", "exportId": "0123456789abcdef",
            "askedBy": "-1", "formulaGuard": True, "lang": "koncorde", "sort": [{"measuredAt": {"order": "asc"}}],
        }
    )  # fmt: skip
    url = f"{served.prepare_url('Container-c1')}/0123456789abcdef?jwt={token}"
    answer = requests.get(url, timeout=60)
    assert (answer.status_code, answer.content) == (200, file(served).content)


def test_what_is_told_before_the_click(served: Served) -> None:
    """About how many bytes, and what to heed."""
    for body in ({}, {"format": "jsonl"}, {"format": "documents"}, {"preset": "excel-eu"}):
        result = served.prepare(json=body).json()["result"]
        size = len(file(served, **body).content)
        assert result["bytesEstimate"] == "about"
        assert 0.7 * size < result["estimatedBytes"] < 1.4 * size
    for body in ({"format": "zip"}, {"format": "xlsx"}, {"compress": "gzip"}):
        size = len(file(served, **body).content)
        assert 0.5 * size < served.prepare(json=body).json()["result"]["estimatedBytes"] < 3 * size


def test_a_package(served: Served, tmp_path: Path) -> None:
    """Is opened by unzip, and checked by sha256sum and frictionless; its CSV is the CSV."""
    whole = tmp_path / "a.zip"
    whole.write_bytes(file(served, format="zip", preset="excel-eu").content)
    run("unzip", "-q", str(whole), "-d", str(tmp_path / "in"), cwd=tmp_path)
    run("sha256sum", "--strict", "-c", "SHA256SUMS", cwd=tmp_path / "in")
    plain = file(served, preset="excel-eu").content
    assert (tmp_path / "in" / "asset-Container-c1.csv").read_bytes() == plain
    assert frictionless.validate(str(tmp_path / "in" / "datapackage.json")).valid
    (resource,) = json.loads((tmp_path / "in" / "datapackage.json").read_text())["resources"]
    assert (resource["rows"], resource["hash"]) == (ROWS, f"sha256:{hashlib.sha256(plain).hexdigest()}")
    assert {field["name"]: field.get("unit") for field in resource["schema"]["fields"]}[
        "temperatureExt.temperature"
    ] == "°C"


def test_a_signed_package(embedded: Served, tmp_path: Path) -> None:
    """OpenSSL and `flask verify` take it by the public key; not another's, and not once it is changed."""
    whole, key, other = tmp_path / "a.zip", tmp_path / "key.pem", tmp_path / "other.pem"
    whole.write_bytes(file(embedded, format="zip").content)
    key.write_bytes(requests.get(f"{embedded.service.url}/_publicKey", timeout=30).content)
    other.write_bytes(SigningKey.from_pem(made_pem()).public.pem)
    zipfile.ZipFile(whole).extractall(tmp_path)
    run(
        "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "datapackage.json",
        "-sigfile", "datapackage.json.sig", cwd=tmp_path,
    )  # fmt: skip
    nowhere = {"SQLITE_PATH": str(tmp_path / "nowhere" / "db"), "LINK_SECRETS": SECRETS}
    assert verified(whole, embedded.environ) == (0, "")
    assert verified(whole, nowhere, "--key", str(key)) == (0, "")
    assert [verified(whole, nowhere)[0] for _ in range(2)] == [2, 2]
    code, told = verified(whole, nowhere, "--key", str(other))
    assert (code, "datapackage.json.sig is of another key" in told) == (1, True)
    changed = bytearray(whole.read_bytes())
    changed[len(changed) // 3] ^= 1
    whole.write_bytes(changed)
    code, told = verified(whole, embedded.environ)
    assert (code, "asset-Container-c1.csv" in told) == (1, True)


def test_no_key_no_signature(on_elasticsearch: Served, tmp_path: Path) -> None:
    """With Elasticsearch none is made: there is no public key, and the package says so; who has a key asks for more."""
    assert requests.get(f"{on_elasticsearch.service.url}/_publicKey", timeout=30).status_code == 404
    whole, key = tmp_path / "a.zip", tmp_path / "key.pem"
    whole.write_bytes(file(on_elasticsearch, format="zip").content)
    key.write_bytes(SigningKey.from_pem(made_pem()).public.pem)
    package = zipfile.ZipFile(whole)
    assert verified(whole, on_elasticsearch.environ) == (0, "")
    code, told = verified(whole, on_elasticsearch.environ, "--key", str(key))
    assert (code, "datapackage.json.sig is missing" in told) == (1, True)
    assert json.loads(package.read("datapackage.json"))["measuresExport"]["signature"] is None
    assert "datapackage.json.sig" not in package.namelist()


def test_a_key_of_one_s_own(embedded: Served, tmp_path: Path) -> None:
    """`SIGNING_KEY_FILE`; the log tells its fingerprint, and what is no key ends the start."""
    key = SigningKey.from_pem(pem := made_pem())
    (tmp_path / "key.pem").write_bytes(pem)
    environ = {**embedded.environ, "WEB_CONCURRENCY": "1", "SIGNING_KEY_FILE": str(tmp_path / "key.pem")}
    with service(environ, tmp_path / "log") as running:
        assert requests.get(f"{running.url}/_publicKey", timeout=30).content == key.public.pem
    assert key.public.fingerprint in (tmp_path / "log").read_text()
    (tmp_path / "key.pem").write_bytes(key.public.pem)
    done = subprocess.run(
        [sys.executable, "-c", "import wsgi"], cwd=ROOT, env={"PATH": "", **environ}, capture_output=True, text=True
    )
    assert (done.returncode, "SIGNING_KEY_FILE" in done.stderr) == (4, True)


@pytest.mark.parametrize("locale", ["fr-FR", "en-US"])
def test_libreoffice_opens_sheets_under_any_locale(embedded: Served, tmp_path: Path, locale: str) -> None:
    """Dates are dates, numbers are numbers."""
    sheet = tmp_path / "a.xlsx"
    sheet.write_bytes(file(embedded, format="xlsx", timezone="Europe/Paris", size=30).content)
    expect_dates_and_numbers(spreadsheet.opened(sheet, tmp_path, locale=locale), plain_rows(embedded, size=30))


def test_libreoffice_opens_excel_eu_under_a_french_locale(embedded: Served, tmp_path: Path) -> None:
    """As a double click would, where the semicolon is chosen."""
    table = tmp_path / "a.csv"
    table.write_bytes(file(embedded, preset="excel-eu", timezone="Europe/Paris", size=30).content)
    expect_dates_and_numbers(spreadsheet.opened(table, tmp_path, locale="fr-FR"), plain_rows(embedded, size=30))


def expect_dates_and_numbers(found: list[list[Any]], plain: list[list[str]]) -> None:
    """Every instant, in Paris, and every temperature."""
    (header, *rows), (own, *expected) = found, plain
    assert [cell[1] for cell in header] == own
    instants = pandas.to_datetime(pandas.Series([row[2] for row in expected])).dt.tz_convert("Europe/Paris")
    assert [row[2][0] for row in rows] == ["date"] * len(expected)
    assert [pandas.Timestamp(row[2][1]) for row in rows] == [each.tz_localize(None) for each in instants]
    assert [row[1] for row in rows] == [("float", row[1]) for row in expected]
    for place in (place for place, name in enumerate(own) if name.endswith(".temperature")):
        cells = [row[place] if place < len(row) else None for row in rows]
        assert [None if cell is None else (cell[0], float(cell[1])) for cell in cells] == [
            ("float", float(row[place])) if row[place] else None for row in expected
        ]


def verified(package: Path, environ: dict[str, str], *options: str) -> tuple[int, str]:
    """The exit code of `flask verify`, and the last line of what it says on its error output, if it is an error."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "verify", str(package), *options]
    done = subprocess.run(command, cwd=ROOT, env={"PATH": "", **environ}, capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    return done.returncode, "".join(told)


def run(*command: str, cwd: Path) -> None:
    program = shutil.which(command[0])
    assert program is not None, f"{command[0]} is not installed"
    done = subprocess.run([program, *command[1:]], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
