"""Load files into the embedded store: `<index>.<collection>.ndjson[.gz]`, a document a line.

All of a call is one transaction: nothing is half loaded, and readers go on meanwhile.
"""

import contextlib
import gzip
import json
import math
import os
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn, cast

import msgspec

from services import lenient_json
from services.instants import instant
from services.stores.sqlite import schema
from services.stores.sqlite.keys import AddedKeys, asset_slot, device_slot, text

#: Collections that an export reads; `devices` also exist in the admin index, where they harm nobody.
COLLECTIONS = ("config", "models", "assets", "devices", "measures")

FILE_NAME = re.compile(rf"(?P<index>.+)\.(?P<collection>{'|'.join(COLLECTIONS)})\.ndjson(\.gz)?")

#: Rows written at a time, and bytes of their documents.
BATCH_ROWS = 1000
BATCH_BYTES = 16 * 1024 * 1024

#: Bytes of a line. Reading one takes some ten times as many; a model of 100,000 slots has 6 MB, a measure few kB.
LONGEST_LINE = 16 * 1024 * 1024

#: Levels of arrays and objects in a line. Readers of JSON recurse; mappings of Elasticsearch have 20 by default.
DEEPEST = 200

#: Of a line: what opens and closes levels, and texts, in which neither does.
BRACKETS = re.compile(rb'[\[\]{}]|"(?:[^"\\]|\\.)*"')

decode = msgspec.json.Decoder().decode

MEASURE = """
INSERT OR REPLACE INTO measures (engine, id, at, asset, asset_slot, device, device_slot, doc)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
DOCUMENT = "INSERT OR REPLACE INTO documents (engine, collection, id, doc) VALUES (?, ?, ?, ?)"

JSON = dict[str, Any]
Row = tuple[Any, ...]

#: Called with the bytes read since the last call.
Progress = Callable[[int], None]


class LoadError(Exception):
    """Nothing was loaded; the message names file and line."""


class BadLine(Exception):
    """A line is no document; the message is the reason."""


@dataclass(frozen=True)
class File:
    path: Path
    index: str
    collection: str


@dataclass(frozen=True)
class FolderSurvey:
    """Tells what of a folder would be loaded, in order, and what not."""

    files: tuple[File, ...]
    ignored: tuple[Path, ...]

    @property
    def size(self) -> int:
        """The bytes to read."""
        return sum(file.path.stat().st_size for file in self.files)


def survey(folder: Path) -> FolderSurvey:
    """Return what a folder holds. Raises `LoadError` when there is nothing to load."""
    if not folder.is_dir():
        raise LoadError(f"{folder} is no folder.")
    files, ignored = [], []
    for path in listed(folder):
        named = FILE_NAME.fullmatch(path.name)
        if named is None or not path.is_file() or shown(path) != path.name:
            ignored.append(path)
        else:
            files.append(File(path, named["index"], named["collection"]))
    if not files:
        raise LoadError(f"{folder} holds no file named <index>.<collection>.ndjson or .ndjson.gz.")
    return FolderSurvey(tuple(files), tuple(ignored))


def listed(folder: Path) -> list[Path]:
    """Return what is in a folder, in order of name. Raises `LoadError`."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise LoadError(f"{folder} cannot be read: {error.strerror}.") from error


def shown(path: Path) -> str:
    """Return a name in which bytes that are no Unicode are marked."""
    return os.fsencode(path.name).decode(errors="replace")


def load(path: str, folder: Path, progress: Progress = lambda _: None) -> Mapping[str, int]:
    """Add or replace the documents of a folder's files; return their number by name of file.

    Raises `LoadError`; `StoreUnavailable` when `path` cannot be a database.
    """
    files = survey(folder).files
    schema.ensure(path)
    with contextlib.closing(schema.writer(path)) as connection:
        try:
            with transaction(connection):
                loader = Loader(connection)
                return {file.path.name: loader.load(file, progress) for file in files}
        except sqlite3.Error as error:
            raise LoadError(f"{path} cannot be written: {error}.") from error


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all or nothing. Whoever else writes is waited for."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


class Loader:
    """Loads files within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._keys = AddedKeys(connection)

    def load(self, file: File, progress: Progress) -> int:
        """Load a file, and return how many documents it has. Raises `LoadError`."""
        statement = MEASURE if file.collection == "measures" else DOCUMENT
        count = 0
        for rows in batches(self._rows(file, progress)):
            self._connection.executemany(statement, rows)
            count += len(rows)
        return count

    def _rows(self, file: File, progress: Progress) -> Iterator[Row]:
        row = self._measure if file.collection == "measures" else document
        for number, line in lines(file.path, progress):
            try:
                yield row(file, *parsed(line))
            except BadLine as error:
                raise LoadError(f"{file.path.name}, line {number}: {error}") from error

    def _measure(self, file: File, id: str, source: JSON, doc: str) -> Row:
        at = instant(source.get("measuredAt"))
        if at is None:
            raise BadLine(f'the measure "{id}" has no "measuredAt" that can be read.')
        keys = self._keys
        asset, device = text(source, "asset", "_id"), text(source, "origin", "_id")
        if text(source, "origin", "type") != "device":
            device = None
        return (
            keys[(file.index,)],
            id,
            at,
            None if asset is None else keys[file.index, "assets", asset],
            keys[asset_slot(source)],
            None if device is None else keys[file.index, "devices", device],
            keys[device_slot(source)],
            doc,
        )


def document(file: File, id: str, source: JSON, doc: str) -> Row:
    return file.index, file.collection, id, doc


def batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Yield rows in batches; the last value of a row is its document."""
    batch: list[Row] = []
    held = 0
    for row in rows:
        batch.append(row)
        held += len(row[-1])
        if len(batch) >= BATCH_ROWS or held >= BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def lines(path: Path, progress: Progress) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers. Raises `LoadError`."""
    number = told = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(bounded(uncompressed(file, path)), 1):
                if len(line) > LONGEST_LINE:
                    raise LoadError(
                        f"{path.name}, line {number}: the line is longer than {LONGEST_LINE:,} bytes; "
                        "a file holds one document a line."
                    )
                if line.strip():
                    yield number, line
                if number % BATCH_ROWS == 0:
                    progress(file.tell() - told)
                    told = file.tell()
            progress(path.stat().st_size - told)
    except (OSError, EOFError, zlib.error) as error:
        raise LoadError(f"{path.name}, after line {number}: cannot be read: {error}.") from error


def bounded(file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines; of one that is too long a part, which is too long as well."""
    return iter(lambda: file.readline(LONGEST_LINE + 1), b"")


def uncompressed(file: IO[bytes], path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file


def parsed(line: bytes) -> tuple[str, JSON, str]:
    """Return `_id`, `_source`, and the text of `_source` as it is stored. Raises `BadLine`."""
    entry = parsed_line(line)
    if not isinstance(entry, dict):
        raise BadLine("no JSON object.")
    id, source = entry.get("_id"), entry.get("_source")
    if not isinstance(id, str) or not id:
        raise BadLine('"_id" must be a text.')
    if not isinstance(source, dict):
        raise BadLine('"_source" must be an object.')
    return id, source, msgspec.json.encode(source).decode()


def parsed_line(line: bytes) -> Any:
    """Return a line, decoded. Numbers that Python cannot hold stay as they are written."""
    if line.count(b"[") + line.count(b"{") > DEEPEST:
        check_depth(line)
    try:
        return decode(line)
    except ValueError:
        return read_odd(line)


def read_odd(line: bytes) -> Any:
    try:
        return lenient_json.mended(json.loads(line, parse_float=real, parse_int=integer, parse_constant=constant))
    except UnicodeDecodeError as error:
        raise BadLine(f"no JSON: it is no UTF-8: {error}.") from error
    except ValueError as error:
        raise BadLine(f"no JSON: {error}.") from error


def real(digits: str) -> float | msgspec.Raw:
    value = float(digits)
    return value if math.isfinite(value) else msgspec.Raw(digits.encode())


def integer(digits: str) -> int | msgspec.Raw:
    return int(digits) if len(digits) <= lenient_json.INTEGER_DIGITS else msgspec.Raw(digits.encode())


def constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def check_depth(line: bytes) -> None:
    depth = 0
    for token in BRACKETS.findall(line):
        depth += (token in b"[{") - (token in b"]}")
        if depth > DEEPEST:
            raise BadLine(f"nested over {DEEPEST} levels deep.")
