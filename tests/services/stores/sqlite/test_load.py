"""Loading files: strict, whole or not at all."""

import gzip
import importlib
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.measures import Slot, Target
from services.stores.port import Count
from services.stores.sqlite import FolderSurvey, LoadError, load, schema, survey
from services.stores.sqlite.load import DEEPEST, File, batches, shown
from tests.services.stores.sqlite.conftest import NOON, Database, measure, measure_model, request
from tests.support.service import ROOT

#: The package gives its name to the function.
load_module = importlib.import_module("services.stores.sqlite.load")


def line(id: Any = "m1", **source: Any) -> bytes:
    return json.dumps({"_id": id, "_source": measure("", **source)[1]}).encode() + b"\n"


GOOD = line("m0")
MEASURE = b'{"_id":"a","_source":{"measuredAt":1,"values":%b}}\n'


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        (b"{", 1, "no JSON"),
        (b"[1]\n", 1, "no JSON object"),
        (b"null\n", 1, "no JSON object"),
        (GOOD + b"junk\n", 2, "no JSON"),
        (GOOD + b"\n \n" + GOOD + b"\xff\n", 5, "no JSON"),
        (GOOD + b'{"_id": "a"}\n', 2, '"_source" must be an object'),
        (b'{"_id": "a", "_source": []}\n', 1, '"_source" must be an object'),
        (b'{"_source": {}}\n', 1, '"_id" must be a text'),
        (line(5), 1, '"_id" must be a text'),
        (line(""), 1, '"_id" must be a text'),
        (line(None), 1, '"_id" must be a text'),
        (line(at=None), 1, 'the measure "m1" has no "measuredAt"'),
        (line(at="yesterday"), 1, 'the measure "m1" has no "measuredAt"'),
        (line(at=True), 1, 'the measure "m1" has no "measuredAt"'),
        (line(at={}), 1, 'the measure "m1" has no "measuredAt"'),
        (line(at=10**30), 1, 'the measure "m1" has no "measuredAt"'),
        (MEASURE % b"NaN", 1, "NaN is no number"),
        (MEASURE % b"-Infinity", 1, "-Infinity is no number"),
        (MEASURE % b'"\x01"', 1, "no JSON"),
        (GOOD * 1500 + b"{}\n" + GOOD, 1501, '"_id" must be a text'),
        (MEASURE % (b"[" * DEEPEST + b"]" * DEEPEST), 1, "nested over 200 levels"),
        (b"[" * 100_000 + b"\n", 1, "nested over 200 levels"),
    ],
)
def test_a_bad_line_loads_nothing(database: Database, text: bytes, number: int, reason: str) -> None:
    """Not the lines before it, not the files before it; the error names file and line."""
    database.load(measures=[measure("before")])
    database.file("e.devices.ndjson", '{"_id": "D-9", "_source": {}}\n')
    folder = database.file("e.measures.ndjson", text)
    with pytest.raises(LoadError, match=rf"^e\.measures\.ndjson, line {number}: .*{reason}"):
        load(database.path, folder)
    assert database.ids() == ["before"]
    reader = schema.reader(database.path)
    assert reader.execute("SELECT id FROM documents").fetchall() == []
    assert reader.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    reader.close()


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        (b'{"b": 1, "a": [1, 2 ]}', '{"b":1,"a":[1,2]}'),
        (b'"\\u00e9\\ud83d\\ude00\\n"', '"é😀\\n"'),
        (b"123456789012345678901234567890", "123456789012345678901234567890"),
        (b"1" * 5000, "1" * 5000),
        (b"[1e400,-1e400]", "[1e400,-1e400]"),
        (b"[1.50,2E3,0.1]", "[1.5,2000.0,0.1]"),
        (b'"\\ud800"', '"\ufffd"'),
        (b'{"\\udfff":1}', '{"\ufffd":1}'),
        (b'{"a.b":1,"a":{"b":2}}', '{"a.b":1,"a":{"b":2}}'),
        (b'{"a":1,"a":2}', '{"a":2}'),
        (b'"\\u0000"', '"\\u0000"'),
        (b'"[[[[' + b"{" * 300 + b'"', '"[[[[' + "{" * 300 + '"'),
        (b"[" * 198 + b"]" * 198, "[" * 198 + "]" * 198),
    ],
)
def test_what_is_kept_of_a_document(database: Database, values: bytes, stored: str) -> None:
    """All that it says, without escapes and spaces; a key once."""
    load(database.path, database.file("e.measures.ndjson", MEASURE % values))
    reader = schema.reader(database.path)
    assert reader.execute("SELECT doc FROM measures").fetchall() == [(f'{{"measuredAt":1,"values":{stored}}}',)]
    reader.close()


def test_every_kind_of_file(database: Database) -> None:
    """Compressed or not, with elasticdump's other keys, CR before LF, no end of the last line, or nothing at all."""
    database.file(
        "e.measures.ndjson", b'{"_index":"x","_type":"_doc","_score":1,' + line("plain")[1:].replace(b"\n", b"\r\n")
    )
    database.file("e.measures.ndjson.gz", line("packed") + line("last").rstrip())
    database.file("e.assets.ndjson", b"")
    folder = database.file("e.devices.ndjson.gz", b"\n")
    assert load(database.path, folder) == {
        "e.assets.ndjson": 0,
        "e.devices.ndjson.gz": 0,
        "e.measures.ndjson": 1,
        "e.measures.ndjson.gz": 2,
    }
    assert database.ids() == ["plain", "packed", "last"]


def test_survey(database: Database) -> None:
    """In order of name; an index may hold dots; what is no collection of ours is ignored."""
    for name in ("b.c.measures.ndjson", "a.models.ndjson.gz", "a.assets-history.ndjson", "a.measures.mapping.json",
                 "measures.ndjson", ".ndjson", "a.measures.ndjson.bak"):  # fmt: skip
        folder = database.file(name, "")
    (folder / "a.config.ndjson").mkdir()
    found = survey(folder)
    ignored = (".ndjson", "a.assets-history.ndjson", "a.config.ndjson", "a.measures.mapping.json",
               "a.measures.ndjson.bak", "measures.ndjson")  # fmt: skip
    assert found == FolderSurvey(
        (File(folder / "a.models.ndjson.gz", "a", "models"), File(folder / "b.c.measures.ndjson", "b.c", "measures")),
        tuple(folder / name for name in ignored),
    )
    assert found.size == (folder / "a.models.ndjson.gz").stat().st_size


@pytest.mark.parametrize("names", [[], ["README.md"]])
def test_nothing_to_load(database: Database, names: list[str]) -> None:
    """An error: a wrong folder should not look like success."""
    folder = database.folder / "files"
    folder.mkdir()
    for name in names:
        (folder / name).touch()
    with pytest.raises(LoadError, match="holds no file"):
        load(database.path, folder)
    with pytest.raises(LoadError, match="is no folder"):
        load(database.path, folder / "nowhere")
    assert not Path(database.path).exists()


@pytest.mark.parametrize("cut", [-1, -20, 30])
def test_a_broken_archive_loads_nothing(database: Database, cut: int) -> None:
    """Cut off anywhere, it is an error with its name."""
    folder = database.file("e.measures.ndjson.gz", GOOD)
    path = folder / "e.measures.ndjson.gz"
    path.write_bytes(gzip.compress(b"".join(line(f"m{number}") for number in range(3000)))[:cut])
    with pytest.raises(LoadError, match=r"^e\.measures\.ndjson\.gz, after line \d+: cannot be read"):
        load(database.path, folder)
    assert database.ids() == []


@pytest.mark.parametrize("name", ["e.measures.ndjson", "e.measures.ndjson.gz"])
def test_a_line_that_is_too_long(database: Database, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Is an error with file and line, and never held whole; one that is as long as may be is loaded."""
    monkeypatch.setattr(load_module, "LONGEST_LINE", len(GOOD))
    assert load(database.path, database.file(name, GOOD + GOOD + b"\n" + GOOD)) == {name: 3}
    folder = database.file(name, GOOD + b"\n" + GOOD.rstrip() + b"  \n" + GOOD)
    with pytest.raises(LoadError, match=rf"^{name}, line 3: the line is longer than {len(GOOD)} bytes"):
        load(database.path, folder)


def huge(folder: Path, name: str) -> None:
    """A gigabyte of zeros, in one line."""
    folder.mkdir()
    path = folder / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(bytes(16 * 1024 * 1024)) * 64)
    else:
        path.touch()
        os.truncate(path, 1024**3)


@pytest.mark.parametrize("name", ["e.measures.ndjson", "e.devices.ndjson.gz"])
def test_a_line_of_a_gigabyte(tmp_path: Path, name: str) -> None:
    """By the command, which has less memory than that."""
    huge(tmp_path / "folder", name)
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "load", str(tmp_path / "folder")]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": "", "SQLITE_PATH": str(tmp_path / "measures.sqlite3")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1024**3, 1024**3)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.endswith(
        f"Error: {name}, line 1: the line is longer than 16,777,216 bytes; a file holds one document a line. "
        "Nothing was loaded.\n"
    )


def test_few_long_documents_are_held_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand of the longest would fill the memory."""
    monkeypatch.setattr(load_module, "BATCH_BYTES", 100)
    rows = [(number, "x" * length) for number, length in enumerate([99, 1, 100, 40, 60, 5])]
    assert [[number for number, _ in batch] for batch in batches(iter(rows))] == [[0, 1], [2], [3, 4], [5]]
    assert list(batches(iter([]))) == []


def test_a_name_that_is_no_unicode(database: Database) -> None:
    """Is no index's, and can be shown."""
    folder = database.file("e.measures.ndjson", GOOD)
    path = folder / os.fsdecode(b"caf\xe9.measures.ndjson")
    path.touch()
    assert survey(folder).ignored == (path,)
    assert shown(path) == "caf\ufffd.measures.ndjson"


def test_what_is_no_archive(database: Database) -> None:
    """Whatever its name says."""
    folder = database.file("e.measures.ndjson.gz", GOOD)
    (folder / "e.measures.ndjson.gz").write_bytes(GOOD)
    with pytest.raises(LoadError, match=r"^e\.measures\.ndjson\.gz, after line 0: cannot be read: Not a gzipped"):
        load(database.path, folder)


def test_progress_adds_up_to_the_size(database: Database) -> None:
    """In bytes as they lie on the disk, compressed ones too, step by step."""
    database.file("e.measures.ndjson", b"".join(line(f"a{number}") for number in range(2500)))
    folder = database.file("e.measures.ndjson.gz", b"".join(line(f"b{number}") for number in range(2500)))
    steps: list[int] = []
    load(database.path, folder, steps.append)
    assert sum(steps) == survey(folder).size
    assert len(steps) == 6
    assert min(steps) >= 0


def test_documents_are_added_or_replaced(database: Database) -> None:
    """By index, collection and id; nothing is removed."""
    config = ("engine-device-manager--e", {"engine": {"group": "commons"}})
    model = ("model-asset-A", {"type": "asset", "engineGroup": "commons", "asset": {"model": "A", "measures": []}})
    database.load(config=[config], models=[model], assets=[("A-1", {"model": "B"})])
    slots = [{"name": "inside", "type": "temperature"}, {"name": "untyped"}, {"type": "nameless"}, 5]
    replaced = {**model[1], "asset": {"model": "A", "measures": slots}}
    database.load(assets=[("A-1", {"model": "A"})], models=[(model[0], replaced), measure_model("t", {"x": {}})])
    found = database.store.model(Target("e", "assets", "A-1"))
    assert (found.name, found.slots) == ("A", (Slot("inside", "temperature"), Slot("untyped", None)))
    assert database.store.mappings({"t", "temperature"}) == {"t": {"x": {}}}


def test_another_loader_is_waited_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once do not mix; here the other one takes longer than this one waits."""
    schema.ensure(database.path)
    monkeypatch.setattr(schema, "WRITER_WAITS", 0.05)
    other = schema.writer(database.path)
    other.execute("BEGIN IMMEDIATE")
    folder = database.file("e.measures.ndjson", GOOD)
    with pytest.raises(LoadError, match="cannot be written: database is locked"):
        load(database.path, folder)
    other.execute("ROLLBACK")
    other.close()
    assert load(database.path, folder) == {"e.measures.ndjson": 1}


@pytest.mark.parametrize(
    ("source", "slot"),
    [
        ({}, Slot("inside", "temperature")),
        ({"type": None}, Slot("inside", None)),
        ({"asset": {"_id": "A-1", "measureName": None}}, Slot(None, "temperature")),
        ({"asset": {"_id": "A-1"}, "type": 1.0}, Slot(None, "1.0")),
        ({"asset": [{"_id": ["A-1"], "measureName": True}], "type": []}, Slot("true", None)),
        ({"asset": None, "asset._id": "A-1", "asset.measureName": "dotted"}, Slot("dotted", "temperature")),
        ({"asset": {"_id": "A-1", "measureName": 'a"\\\u2028é😀'}}, Slot('a"\\\u2028é😀', "temperature")),
    ],
)
def test_slots_as_stored(database: Database, source: dict[str, Any], slot: Slot) -> None:
    """Counted by name and type, either of which may lack."""
    database.load(measures=[measure("a", NOON, **source)])
    reading = database.store.open(request())
    assert (reading.count, reading.slots) == (Count(1, True), {slot})
    reading.close()
