"""A real LibreOffice, without a screen: what it makes of a file under a locale."""

import contextlib
import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

#: What a double click asks with, but for the separator and that dates are looked for: in its dialogue these are chosen.
#: Separator, quote, UTF-8, first line; language 0: of the locale.
CSV_FILTER = "Text - txt - csv (StarCalc):{separator},34,76,1,,0,false,true"

SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/L10N"><prop oor:name="ooSetupSystemLocale" oor:op="fuse"><value>{locale}</value>
</prop></item></oor:items>
"""

OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"

#: Seconds that it may take to start, and to convert.
SECONDS = 120


def opened(file: Path, folder: Path, *, locale: str, separator: str = ";") -> list[list[Any]]:
    """Return the cells of the first sheet, by row: `(kind, value)`, `None` for an empty one."""
    program = shutil.which("soffice")
    if program is None and not os.environ.get("CI"):
        pytest.skip("LibreOffice is not installed")
    assert program is not None, "LibreOffice is not installed"
    profile = folder / f"profile-{locale}" / "user"
    with contextlib.suppress(FileExistsError):
        profile.mkdir(parents=True)
        (profile / "registrymodifications.xcu").write_text(SETTINGS.format(locale=locale))
    options = [f"--infilter={CSV_FILTER.format(separator=ord(separator))}"] if file.suffix == ".csv" else []
    subprocess.run(
        [program, f"-env:UserInstallation={profile.parent.as_uri()}", "--headless", *options, "--convert-to", "fods",
         "--outdir", str(folder), str(file)],
        check=True, capture_output=True, timeout=SECONDS,
    )  # fmt: skip
    document = ElementTree.parse(folder / f"{file.stem}.fods")
    sheet = next(document.iter(f"{TABLE}table"))
    return [[cell for each in row.iter(f"{TABLE}table-cell") for cell in cells(each)] for row in rows(sheet)]


def rows(sheet: ElementTree.Element) -> list[ElementTree.Element]:
    """Return the rows that hold something."""
    return [row for row in sheet.iter(f"{TABLE}table-row") if any(True for _ in row.iter(f"{TEXT}p"))]


def cells(cell: ElementTree.Element) -> list[Any]:
    """Return a cell as often as it stands there; those without end that fill up a row once."""
    kind = cell.get(f"{OFFICE}value-type")
    values = {"float": f"{OFFICE}value", "date": f"{OFFICE}date-value", "boolean": f"{OFFICE}boolean-value"}
    text = "".join(part for paragraph in cell.iter(f"{TEXT}p") for part in paragraph.itertext())
    found = None if kind is None else (kind, cell.get(values[kind]) if kind in values else text)
    times = int(cell.get(f"{TABLE}number-columns-repeated", "1"))
    return [found] * (times if times < 1000 else 0)
