"""The package that proves itself: what is in it, and that its description holds for whatever is in the file."""

import hashlib
import io
import json
import random
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import frictionless
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.columns import columns
from services.filters.koncorde.parse import parse
from services.formats import Maker
from services.formats.layout import layout
from services.measures import ExportRequest, Model, Slot, SortKey, Target
from services.options import Options
from services.signing import SigningKey, made_pem
from services.stores import lenient
from services.verification import verify
from services.version import VERSION
from tests.services.formats.csv.test_csv import documents, measure, models, occurring

AT = 1_718_000_000_000
KEY = SigningKey.from_pem(made_pem())

FLOAT = {"type": "float"}
MAPPINGS: dict[str, dict[str, Any]] = {
    "temperature": {"temperature": FLOAT},
    "acceleration": {"acceleration": {"properties": {"x": FLOAT, "y": {"type": "integer"}}}, "note": {"type": "text"}},
    "position": {"position": {"type": "geo_point"}, "moves": {"type": "boolean"}, "more": {"type": "object"}},
    "deep": {"a": {"properties": {"b": {"properties": {"c": FLOAT}}, "d.e": FLOAT}}, "a.f": {"type": "date"}},
}
UNITS = {"temperature": {"temperature": "°C"}, "acceleration": {"acceleration": "m/s2"}}


def package(
    page: list[dict[str, Any]], model: Model, options: Options, key: SigningKey | None = KEY, **asked: Any
) -> bytes:
    """The whole package of these documents."""
    request = ExportRequest(
        export_id="x1", target=Target("e", "assets", "é a"), options=options, asked_by="bob", **asked
    )
    table = columns("assets", model, occurring(page, "assets"), MAPPINGS)
    made = Maker(key=lambda: key, clock=lambda: AT / 1000)
    format = made.writer(request, layout(table, options), units=lambda types: UNITS)
    measures = [lenient.measure(each["_id"], each["_source"], json.dumps(each["_source"]).encode()) for each in page]
    return format.begin() + format.page(measures, lambda: None) + format.end()


def described(text: bytes) -> Any:
    return json.loads(zipfile.ZipFile(io.BytesIO(text)).read("datapackage.json"))


def fields(text: bytes) -> dict[str, Any]:
    return {field.pop("name"): field for field in described(text)["resources"][0]["schema"]["fields"]}


def invalid(text: bytes) -> list[Any]:
    """What frictionless finds wrong, but for rows of which nothing is known, and slots without a name."""
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(io.BytesIO(text)).extractall(folder)
        report = frictionless.validate(str(Path(folder, "datapackage.json")))
        return [found for found in report.flatten(["type", "message"]) if found[0] not in ("blank-row", "blank-label")]


MODEL = Model("M", (Slot("in", "temperature"), Slot("move", "acceleration"), Slot("at", "position")))

PAGE = [
    {**measure({"temperature": 21.5}), "_id": "m1"},
    {**measure({"acceleration": {"x": 1, "y": 2.0}, "note": "n"}, "move", "acceleration"), "_id": "m2"},
    {**measure({"position": {"lat": 1.5, "lon": 2}, "moves": True, "more": {}}, "at", "position"), "_id": "m3"},
]


def test_what_a_package_holds() -> None:
    """The file itself, what describes it, checksums, and a signature of the description."""
    text = package(PAGE, MODEL, Options(format="zip"))
    members = zipfile.ZipFile(io.BytesIO(text))
    assert members.namelist() == ["asset-é a.csv", "datapackage.json", "SHA256SUMS", "datapackage.json.sig"]
    data, description = members.read("asset-é a.csv"), members.read("datapackage.json")
    sums = [hashlib.sha256(each).hexdigest() for each in (data, description)]
    assert members.read("SHA256SUMS").decode() == f"{sums[0]}  asset-é a.csv\n{sums[1]}  datapackage.json\n"
    assert KEY.public.holds(description, members.read("datapackage.json.sig"))
    (resource,) = described(text)["resources"]
    assert (resource["path"], resource["bytes"], resource["rows"]) == ("asset-é a.csv", len(data), 3)
    assert resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_what_was_asked_for_is_told() -> None:
    """All of it, whoever reads the package later."""
    options = Options(format="zip", separator=";", timezone="Europe/Paris")
    text = package(
        PAGE, MODEL, options, start_ms=AT, type="temperature", filter=parse({"exists": "values.temperature"}),
        sort=(SortKey("measuredAt"),), size=5,
    )  # fmt: skip
    assert described(text)["measuresExport"] == {
        "engineId": "e", "kind": "assets", "_id": "é a",
        "startAt": "2024-06-10T06:13:20.000Z", "endAt": None, "type": "temperature",
        "lang": "koncorde", "query": {"exists": "values.temperature"},
        "sort": [{"measuredAt": {"order": "asc"}}], "from": 0, "size": 5,
        "options": {"format": "zip", "separator": ";", "timezone": "Europe/Paris"},
        "snapshotAt": "2024-06-10T06:13:20.000Z", "exportId": "x1", "askedBy": "bob", "version": VERSION,
        "signature": {"algorithm": "Ed25519", "key": KEY.public.fingerprint},
    }  # fmt: skip


def test_nobody_signs_without_a_key() -> None:
    """And the description says so."""
    text = package(PAGE, MODEL, Options(format="zip"), key=None)
    assert described(text)["measuresExport"]["signature"] is None
    assert "datapackage.json.sig" not in zipfile.ZipFile(io.BytesIO(text)).namelist()


def test_the_types_of_columns() -> None:
    """As the models declare them, with units."""
    found = fields(package(PAGE, MODEL, Options(format="zip", decimal=",", separator=";")))
    assert list(found.items())[1:3] == [
        ("Measured At", {"type": "integer"}),
        ("Measured At ISO", {"type": "datetime", "format": "%Y-%m-%dT%H:%M:%S.%f%z"}),
    ]
    assert list(found.items())[8:] == [
        ("in.temperature", {"type": "number", "decimalChar": ",", "unit": "°C"}),
        ("move.acceleration.x", {"type": "number", "decimalChar": ",", "unit": "m/s2"}),
        ("move.acceleration.y", {"type": "integer", "unit": "m/s2"}),
        ("move.note", {"type": "string"}),
        ("at.position", {"type": "geopoint", "format": "object"}),
        ("at.moves", {"type": "boolean"}),
        ("at.more", {"type": "object"}),
    ]


@pytest.mark.parametrize(
    ("slot", "type", "values", "found"),
    [
        ("in", "temperature", {"temperature": "21.5 °C"}, {"in.temperature": "string"}),
        ("in", "temperature", {"temperature": [1]}, {"in.temperature": "string"}),
        ("move", "acceleration", {"acceleration": {"y": 2.5}}, {"move.acceleration.y": "number"}),
        ("move", "acceleration", {"acceleration": {"y": True}}, {"move.acceleration.y": "boolean"}),
        ("at", "position", {"position": {"lat": 91, "lon": 0}}, {"at.position": "string"}),
        ("at", "position", {"position": [2, 1]}, {"at.position": "string"}),
        ("at", "position", {"moves": "yes"}, {"at.moves": "string"}),
        ("at", "position", {"more": [{}]}, {"at.more": "string"}),
        ("s", "unheard", {"a": 1}, {"s": "object"}),
        ("s", "unheard", 5, {"s": "integer"}),
        ("s", "unheard", 5.5, {"s": "number"}),
        ("s", "unheard", 1e21, {"s": "number"}),
    ],
)
def test_values_that_are_not_as_declared(slot: str, type: str, values: Any, found: dict[str, str]) -> None:
    """The narrowest type that all values fit: frictionless would find any other."""
    page = [{**measure(values, slot, type), "_id": "odd"}]
    text = package(page, MODEL, Options(format="zip"))
    own = fields(text)
    assert {name: own[name]["type"] for name in found} == found
    assert invalid(text) == []


def test_a_flipped_bit_anywhere_is_named(tmp_path: Path) -> None:
    """In a package as the service writes it, of several pages: the member, or the directory."""
    whole, file, chance = package_of_pages(20), tmp_path / "a.zip", random.Random(1)
    directory = whole.index(b"PK\x01\x02")
    for at in range(len(whole)):
        bit = chance.randrange(8)
        changed = bytearray(whole)
        changed[at] ^= 1 << bit
        file.write_bytes(changed)
        problem = verify(file, KEY.public).problem
        assert problem is not None, at
        if at < directory:
            assert any(name in problem for name in ("set-a.csv", "datapackage", "SHA256SUMS", "archive")), problem


def package_of_pages(pages: int) -> bytes:
    """A package whose CSV was written page by page."""
    options = Options(format="zip", fields=("Measure Id", "in.temperature"))
    request = ExportRequest(export_id="x1", target=Target("e", "assets", "a"), options=options)
    table = columns("assets", Model("M", (Slot("in", "temperature"),)), [], MAPPINGS)
    format = Maker(key=lambda: KEY, clock=time.time).writer(request, layout(table, options))
    text = format.begin()
    for page in range(pages):
        text += format.page([lenient.measure(f"m{page}", measure({"temperature": page / 7})["_source"])], lambda: None)
    return text + format.end()


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(
    st.lists(documents, min_size=1, max_size=4),
    models,
    st.sampled_from(
        [
            Options(format="zip"),
            Options(format="zip", bom=True, date_format="local", newline="crlf", separator=";", decimal=","),
            Options(format="zip", timezone="Asia/Kathmandu", empty="NA", separator="\t"),
            Options(format="zip", fields=("Measured At ISO", "values", "asset", "type"), header=False),
        ]
    ),
)
def test_frictionless_finds_nothing_wrong(page: list[dict[str, Any]], model: Model, options: Options) -> None:
    """Whatever measures hold, and however the file is written; and it verifies."""
    text = package(page, model, options)
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(text)
        file.flush()
        verdict = verify(Path(file.name), KEY.public)
    assert (verdict.problem, verdict.is_proven) == (None, True)
    assert invalid(text) == []
