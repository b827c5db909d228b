"""The guides to files and to fleets tell the truth: each example is asked for, and the file is as it stands there."""

import csv
import gzip
import io
import re
import zipfile
from collections.abc import Iterator
from urllib.parse import quote

import openpyxl
import pytest
import requests

from demo import data
from services.options import FORMATS, NAMES, PRESETS
from tests.e2e.conftest import load
from tests.support.service import ROOT, service

#: Where each guide prepares its exports.
GUIDES = {"formats": "demo/assets/Container-c1/measures/_export", "fleet": "demo/measures/_export"}


def examples(guide: str) -> list[tuple[str, str, str]]:
    """Where an export is prepared, what is asked for, and the file."""
    text = (ROOT / "docs" / f"{guide}.md").read_text(encoding="utf-8")
    found = re.findall(r"^```example\n(.*?)\n---\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [(GUIDES[guide], asked, file) for asked, file in found]


EXAMPLES = [example for guide in GUIDES for example in examples(guide)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where exports of the demo are prepared, but for their own part."""
    folder = tmp_path_factory.mktemp("formats")
    (folder / "documents").mkdir()
    environ = {"SQLITE_PATH": str(folder / "measures.sqlite3"), "WEB_CONCURRENCY": "1"}
    data.write(folder / "documents")
    load(folder / "documents", environ)
    with service(environ, folder / "log") as running:
        yield f"{running.url}/_/device-manager"


def shown(url: str, asked: str) -> str:
    """The file, as the guide shows it: its name, and what is in it."""
    result = requests.post(f"{url}?{quote(asked, safe='=&')}", timeout=30).json()["result"]
    answer = requests.get(result["link"], timeout=30)
    assert answer.status_code == 200, answer.text
    return f"{result['fileName']}\n\n{text_of(result['fileName'], answer.content)}"


def text_of(name: str, content: bytes) -> str:
    """What is in a file: text with its marks spelled out, the rows of a sheet, the names in an archive."""
    if name.endswith(".gz"):
        content = gzip.decompress(content)
    if name.endswith(".xlsx"):
        sheet = openpyxl.load_workbook(io.BytesIO(content))["Measures"]
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(sheet.iter_rows(values_only=True))
        return text.getvalue()
    if name.endswith(".zip"):
        return "".join(f"{member}\n" for member in zipfile.ZipFile(io.BytesIO(content)).namelist())
    return content.decode().replace("\ufeff", "<BOM>").replace("\r\n", "<CR>\n").replace("\t", "<TAB>")


@pytest.mark.parametrize(("where", "asked", "file"), EXAMPLES)
def test_examples(url: str, where: str, asked: str, file: str) -> None:
    """Byte for byte, but that marks which cannot be seen are spelled out."""
    assert shown(f"{url}/{where}", asked) == file


def test_every_argument_has_an_example() -> None:
    """And every format and preset."""
    asked = "&".join(example for _, example, _ in EXAMPLES)
    named = {part.partition("=")[0] for part in asked.split("&")}
    assert named >= {*NAMES.values(), "preset", "by", "ids", "models", "collapse"}
    assert all(f"format={format}" in asked for format in FORMATS if format != "csv")
    assert all(f"preset={preset}" in asked for preset in PRESETS)
