"""`flask make-key`."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from freezegun import freeze_time

from routes import cli
from services.access.keys import read_keys
from services.signing import OwnKey


def make_key(path: Path | None, *arguments: str) -> Result:
    app = Flask(__name__)
    cli.register(
        app, sqlite_path="", api_keys_file=None if path is None else str(path), key=OwnKey(None, database=None)
    )
    return app.test_cli_runner().invoke(args=["make-key", *arguments])


def test_a_key_is_printed_once(tmp_path: Path) -> None:
    """Alone on standard output, so that a script can take it; what else is said goes elsewhere."""
    path = tmp_path / "keys.json"
    result = make_key(path, "ci", "--engine", "demo", "--engine", "e2", "--kind", "assets")
    assert (result.exit_code, result.stdout[:8], result.stdout.count("\n")) == (0, "kapikey-", 1)
    assert result.stderr == "Key of 'ci' for demo, e2. Keep it: it is stored nowhere else.\n"
    assert result.stdout.strip() not in path.read_text()
    (key,) = read_keys(path)
    assert (key.name, sorted(key.engines), sorted(key.kinds), key.expires_ms) == (
        "ci",
        ["demo", "e2"],
        ["assets"],
        None,
    )


@freeze_time("2024-06-10T00:00:00Z")
def test_a_key_that_expires(tmp_path: Path) -> None:
    """At the first moment of the day that is named."""
    assert make_key(tmp_path / "keys.json", "ci", "--engine", "*", "--expires", "2024-06-11").exit_code == 0
    (entry,) = json.loads((tmp_path / "keys.json").read_text())
    assert (entry["engines"], entry["expiresAt"]) == (["*"], "2024-06-11T00:00:00.000Z")


@freeze_time("2024-06-10T00:00:00Z")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ci"], "Missing option '--engine'"),
        (["--engine", "demo"], "Missing argument 'NAME'"),
        (["", "--engine", "demo"], "No key was made: each key needs a name, of printable characters."),
        (["ci", "--engine", "demo", "--kind", "cats"], "'cats' is not one of 'assets', 'devices'"),
        (["ci", "--engine", ""], 'must each be the id of one engine, or "*"; not "".'),
        (["ci", "--engine", "bars,victim"], 'must each be the id of one engine, or "*"; not "bars,victim".'),
        (["ci", "--engine", "demo", "--engine", "ba*"], 'must each be the id of one engine, or "*"; not "ba*".'),
        (["ci", "--engine", "demo", "--expires", "soon"], '"soon" is no ISO 8601 date'),
        (["ci", "--engine", "demo", "--expires", "2024-06-10"], "2024-06-10 has passed"),
        (["taken", "--engine", "demo"], 'No key was made: a key named "taken" is there already.'),
    ],
)
def test_no_key_is_made(tmp_path: Path, arguments: list[str], said: str) -> None:
    """With the reason."""
    path = tmp_path / "keys.json"
    make_key(path, "taken", "--engine", "demo")
    before = path.read_bytes()
    result = make_key(path, *arguments)
    assert (result.exit_code != 0, result.stdout, path.read_bytes()) == (True, "", before)
    assert said in result.stderr


def test_a_file_that_cannot_be_written_or_read(tmp_path: Path) -> None:
    """Unset, in no folder, broken."""
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    said = [make_key(path, "ci", "--engine", "demo").stderr for path in (None, tmp_path / "no" / "keys.json", broken)]
    assert said[0] == "Error: API_KEYS_FILE is not set: it says where keys are kept.\n"
    assert said[1].startswith("Error: No key was made: [Errno 2] No such file or directory")
    assert said[2].startswith("Error: No key was made: API_KEYS_FILE is wrong: ")
