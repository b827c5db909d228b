"""The tables of the embedded store, and connections to them.

`keys` gives numbers to what rows repeat: an engine `["demo"]`, a target `["demo","assets","Container-c1"]`, a slot
with its type, model and groups as stored `["temperatureExt","temperature","Container",["north"]]`; rows and indexes
hold the numbers. `measures.seq` is the order of insertion: a measure that is loaded again gets a new one, as
Elasticsearch gives it a new `_seq_no`.

An index a direction: `at DESC, seq` is neither end of the index on `at, seq`. With the slot in them, counting,
skipping and looking for a type never touch a document; `*_slots` finds the slots that occur without counting rows.
Those that begin with `engine` are for fleets.

`doc` is the JSON of `_source`: one column serves filters and rows. It is written anew at `load`: no key twice, no
escapes that are not needed (SQLite compares keys as raw text), lone surrogates as U+FFFD. Keys that hold dots stay:
the filters know of them, and a cell that holds JSON has its keys as stored.
"""

import contextlib
import logging
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from services import lenient_json
from services.errors import StoreUnavailable
from services.stores import lenient
from services.stores.sqlite.keys import AddedKeys, asset_slot, device_slot

log = logging.getLogger(__name__)

#: The mode of the database: its owner reads and writes it.
PRIVATE = 0o600

#: Kept as `user_version`: a file with another one is not touched.
VERSION = 2

TABLES = """
CREATE TABLE keys (
    key INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE documents (
    engine TEXT NOT NULL,
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (engine, collection, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE measures (
    seq INTEGER PRIMARY KEY,
    engine INTEGER NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    asset INTEGER,
    asset_slot INTEGER NOT NULL,
    device INTEGER,
    device_slot INTEGER NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (engine, id)
) STRICT;
CREATE INDEX asset_up ON measures (asset, at, seq, asset_slot) WHERE asset IS NOT NULL;
CREATE INDEX asset_down ON measures (asset, at DESC, seq, asset_slot) WHERE asset IS NOT NULL;
CREATE INDEX asset_slots ON measures (asset, asset_slot, at) WHERE asset IS NOT NULL;
CREATE INDEX device_up ON measures (device, at, seq, device_slot) WHERE device IS NOT NULL;
CREATE INDEX device_down ON measures (device, at DESC, seq, device_slot) WHERE device IS NOT NULL;
CREATE INDEX device_slots ON measures (device, device_slot, at) WHERE device IS NOT NULL;
"""

FLEET_INDEXES = """
CREATE INDEX engine_up ON measures (engine, at, seq, asset, asset_slot, device, device_slot);
CREATE INDEX engine_down ON measures (engine, at DESC, seq, asset, asset_slot, device, device_slot);
CREATE INDEX engine_asset_slots ON measures (engine, asset_slot, at) WHERE asset IS NOT NULL;
CREATE INDEX engine_device_slots ON measures (engine, device_slot, at) WHERE device IS NOT NULL;
"""

#: The version before, of which measures are indexed anew, so many at a time.
FIRST_VERSION, BATCH_ROWS = 1, 1000

UNINDEXED = "SELECT seq, doc FROM measures WHERE seq > ? ORDER BY seq LIMIT ?"

#: Seconds. A reader that waited would hold up its whole worker; WAL lets it read on beside a writer.
READER_WAITS = 0.1
#: A writer may wait for another: nobody is served by it.
WRITER_WAITS = 30.0

#: Bytes of pages that a connection keeps; there is one a download.
READER_CACHE = 256 * 1024
WRITER_CACHE = 64 * 1024 * 1024


@contextlib.contextmanager
def unavailable() -> Iterator[None]:
    """Turn what SQLite refuses into a `StoreUnavailable` with its reason."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreUnavailable(f"The embedded store cannot be read: {error}.") from error


def reader(path: str) -> sqlite3.Connection:
    """Return a connection of its own, for any thread, one at a time: none outlives a fork, none is shared."""
    uri = f"file:{quote(str(Path(path).absolute()))}?mode=ro"
    connection = sqlite3.connect(
        uri, uri=True, timeout=READER_WAITS, isolation_level=None, check_same_thread=False, cached_statements=16
    )
    connection.execute(f"PRAGMA cache_size = -{READER_CACHE // 1024}")
    return connection


def writer(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=WRITER_WAITS, isolation_level=None)
    connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE // 1024}")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def ensure(path: str) -> None:
    """Make the file and its tables if they are missing; several processes may ask at once.

    Raises `StoreUnavailable` when that cannot be, or when the file is something else.
    """
    try:
        Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
        make_private(path)
        with unavailable(), contextlib.closing(writer(path)) as connection:
            if version(connection) != VERSION:
                write_ahead(connection)
                make_tables(connection, path)
    except OSError as error:
        raise StoreUnavailable(f"The embedded store cannot be made: {error}.") from error


def make_private(path: str) -> None:
    """Make the database its owner's alone, whatever the umask; SQLite gives its other files its
    mode.

    Those that an earlier version has made are tightened, unless they are another user's.
    """
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE))
    for file in (path, f"{path}-wal", f"{path}-shm"):
        with contextlib.suppress(OSError):  # missing, or on a file system without modes
            found = os.stat(file)
            mode = stat.S_IMODE(found.st_mode)
            if mode & ~PRIVATE and found.st_uid == os.geteuid():
                os.chmod(file, mode & PRIVATE)
                log.info("%s was open to other users; now it is readable by its owner only", file)


def version(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def write_ahead(connection: sqlite3.Connection) -> None:
    """Turn WAL on. That wants the file for itself and does not wait for it, whatever the timeout."""
    end = time.monotonic() + WRITER_WAITS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def make_tables(connection: sqlite3.Connection, path: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    found = version(connection)
    if found == VERSION:  # another process was faster
        connection.execute("ROLLBACK")
        return
    if found == FIRST_VERSION:
        log.info("%s was made by an earlier version: its measures are indexed for fleets", path)
        index_slots(connection)
    else:
        check_empty(connection, path)
        make(connection, TABLES)
    make(connection, FLEET_INDEXES)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def make(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";"):
        connection.execute(statement)


def check_empty(connection: sqlite3.Connection, path: str) -> None:
    """Raise `StoreUnavailable` where something else keeps tables."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables:
        raise StoreUnavailable(f"{path} is no database of this version of the service.")


def index_slots(connection: sqlite3.Connection) -> None:
    """Give the measures of the first version, whose slots named neither models nor groups, those of this one."""
    added = AddedKeys(connection)
    last = 0
    while rows := connection.execute(UNINDEXED, (last, BATCH_ROWS)).fetchall():
        last = rows[-1][0]
        sources = [(lenient.held(lenient_json.loads(doc.encode())), seq) for seq, doc in rows]
        slots = [(added[asset_slot(source)], added[device_slot(source)], seq) for source, seq in sources]
        connection.executemany("UPDATE measures SET asset_slot = ?, device_slot = ? WHERE seq = ?", slots)
