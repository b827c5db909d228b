"""`flask load`, as a user types it."""

from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from routes import cli
from services.signing import OwnKey
from tests.support import kuzzle


def run(database: Path, folder: Path) -> Result:
    app = Flask(__name__)
    cli.register(app, sqlite_path=str(database), api_keys_file=None, key=OwnKey(None, database=None))
    return app.test_cli_runner().invoke(args=["load", str(folder)])


def test_load(tmp_path: Path) -> None:
    """Says what it ignores and what it loads; a second time replaces."""
    database = tmp_path / "var" / "measures.sqlite3"
    expected = (
        "Ignored: README.md\n"
        "Ignored: device-manager.config.mapping.json\n"
        "Ignored: device-manager.models.mapping.json\n"
        "Ignored: engine-peer.assets.mapping.json\n"
        "Ignored: engine-peer.devices.mapping.json\n"
        "Ignored: engine-peer.measures.mapping.json\n"
        "Loading\n"
        "device-manager.config.ndjson: 2 documents\n"
        "device-manager.models.ndjson: 8 documents\n"
        "engine-peer.assets.ndjson: 1 documents\n"
        "engine-peer.devices.ndjson: 2 documents\n"
        "engine-peer.measures.ndjson: 2000 documents\n"
    )
    for _ in range(2):
        done = run(database, kuzzle.REAL)
        assert (done.exit_code, done.output) == (0, expected)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("e.measures.ndjson", "{}\n", 'Error: e.measures.ndjson, line 1: "_id" must be a text. Nothing was loaded.\n'),
        ("README.md", "", "holds no file named <index>.<collection>.ndjson or .ndjson.gz. Nothing was loaded.\n"),
    ],
)
def test_errors(tmp_path: Path, name: str, text: str, message: str) -> None:
    """A sentence, and an exit code."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / name).write_text(text)
    done = run(tmp_path / "measures.sqlite3", folder)
    assert (done.exit_code, done.output.endswith(message)) == (1, True)


def test_a_database_that_cannot_be(tmp_path: Path) -> None:
    """The same."""
    (tmp_path / "measures.sqlite3").write_text("something else, and long enough to be taken for a database")
    done = run(tmp_path / "measures.sqlite3", kuzzle.REAL)
    assert (done.exit_code, done.output.splitlines()[-1]) == (
        1,
        "Error: The embedded store cannot be read: file is not a database. Nothing was loaded.",
    )
