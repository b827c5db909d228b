"""The file and its tables, made at start by whoever comes first."""

import contextlib
import multiprocessing
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.errors import StoreUnavailable
from services.measures import Target
from services.scheduling.cpu_turn import CpuTurns
from services.stores.sqlite import SqliteStore, load, schema
from tests.services.stores.contract import Stored
from tests.services.stores.fleet_contract import request as fleet
from tests.services.stores.world import world


def journal_mode(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


@pytest.mark.parametrize("exists", [False, True])
def test_a_missing_or_empty_file_becomes_a_database(tmp_path: Path, exists: bool) -> None:
    """In WAL mode, in a folder that is made too; it is ready and knows no engine."""
    path = tmp_path / "a folder" / "100% é?.sqlite3"
    if exists:
        path.parent.mkdir()
        path.touch()
    store = SqliteStore(str(path), CpuTurns())
    store.ready()
    assert journal_mode(path) == "wal"
    assert store.mappings({"temperature"}) == {}


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


NAMES = ("measures.sqlite3", "measures.sqlite3-shm", "measures.sqlite3-wal")


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_the_database_is_its_owner_s(tmp_path: Path) -> None:
    """With all that SQLite puts beside it, whatever the umask."""
    path = tmp_path / "measures.sqlite3"
    schema.ensure(str(path))
    with contextlib.closing(schema.writer(str(path))) as writer:
        writer.execute("INSERT INTO keys (name) VALUES ('a')")
        assert modes(tmp_path) == dict.fromkeys(NAMES, 0o600)


@pytest.mark.usefixtures("open_umask")
def test_a_database_of_an_earlier_version_is_tightened(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Once, told in the log; it goes on working, and so do those who have it open."""
    path = tmp_path / "measures.sqlite3"
    schema.ensure(str(path))
    path.chmod(0o644)
    with contextlib.closing(schema.writer(str(path))) as writer, caplog.at_level("INFO"):
        writer.execute("INSERT INTO keys (name) VALUES ('a')")
        assert modes(tmp_path) == dict.fromkeys(NAMES, 0o644)
        SqliteStore(str(path), CpuTurns()).ready()
        SqliteStore(str(path), CpuTurns()).ready()
        assert modes(tmp_path) == dict.fromkeys(NAMES, 0o600)
        writer.execute("INSERT INTO keys (name) VALUES ('b')")
        assert sorted(record.message for record in caplog.records) == [
            f"{tmp_path / name} was open to other users; now it is readable by its owner only" for name in NAMES
        ]
    with contextlib.closing(schema.reader(str(path))) as reader:
        assert reader.execute("SELECT count(*) FROM keys").fetchone() == (2,)


def test_a_database_of_another_user_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns it decides."""
    path = tmp_path / "measures.sqlite3"
    schema.ensure(str(path))
    path.chmod(0o644)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    SqliteStore(str(path), CpuTurns()).ready()
    assert modes(tmp_path)["measures.sqlite3"] == 0o644


def start(path: str, semaphore: "multiprocessing.synchronize.Barrier") -> None:
    semaphore.wait()
    SqliteStore(path, CpuTurns()).ready()


@pytest.mark.slow
def test_many_processes_may_start_at_once(tmp_path: Path) -> None:
    """None fails, whoever makes the tables."""
    context = multiprocessing.get_context("spawn")
    semaphore = context.Barrier(6)
    path = str(tmp_path / "measures.sqlite3")
    workers = [context.Process(target=start, args=(path, semaphore)) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 6


def test_another_database_is_not_touched(tmp_path: Path) -> None:
    """The service does not start on it."""
    path = tmp_path / "theirs.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    with pytest.raises(StoreUnavailable, match="no database of this version"):
        SqliteStore(str(path), CpuTurns())
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """The reason is told."""
    path = tmp_path / "text"
    path.write_text("not a database " * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        SqliteStore(str(path), CpuTurns())


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The reason is told."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        SqliteStore(str(tmp_path / "file" / "measures.sqlite3"), CpuTurns())


def test_a_database_that_is_gone(tmp_path: Path) -> None:
    """Not ready, with the reason; it is not made anew behind the back of the service."""
    path = tmp_path / "measures.sqlite3"
    store = SqliteStore(str(path), CpuTurns())
    path.unlink()
    with pytest.raises(StoreUnavailable, match="unable to open"):
        store.ready()
    with pytest.raises(StoreUnavailable):
        store.model(Target("e", "assets", "A-1"))
    assert not path.exists()


def test_readers_cannot_write(tmp_path: Path) -> None:
    """Whatever statement reached them."""
    path = str(tmp_path / "measures.sqlite3")
    schema.ensure(path)
    with contextlib.closing(schema.reader(path)) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM measures")


def test_a_database_of_the_first_version(tmp_path: Path) -> None:
    """Its slots named neither models nor groups: they are named, and it answers as one that is loaded anew."""
    path = str(tmp_path / "measures.sqlite3")
    load(path, world("old").into_folder(tmp_path / "documents"))
    stored = Stored(SqliteStore(path, CpuTurns()), "old")
    asked = [
        fleet(stored, models=("Bare",)),
        fleet(stored, "devices", models=("DummyTemp",)),
        fleet(stored, groups=("north",)),
        stored.request("Container-sorts", type="temperature"),
    ]
    before = [stored.export(request) for request in asked]
    with contextlib.closing(schema.writer(path)) as writer:
        for index in ("engine_up", "engine_down", "engine_asset_slots", "engine_device_slots"):
            writer.execute(f"DROP INDEX {index}")
        for column in ("asset_slot", "device_slot"):
            writer.execute(f"INSERT OR IGNORE INTO keys (name) SELECT {OLD_NAME.format(column=column)} FROM measures")
            writer.execute(
                f"UPDATE measures SET {column} = (SELECT key FROM keys WHERE name = {OLD_NAME.format(column=column)})"
            )
        writer.execute("PRAGMA user_version = 1")
    stored = Stored(SqliteStore(path, CpuTurns()), "old")
    assert [stored.export(request) for request in asked] == before


#: Of the slot of a measure, its first two parts, as the first version wrote them.
OLD_NAME = """(
    SELECT '[' || json_quote(each.name ->> 0) || ', ' || json_quote(each.name ->> 1) || ']'
    FROM keys AS each WHERE each.key = measures.{column}
)"""
