"""What the service keeps for itself: only as it wrote it, and closed to others."""

import os
import secrets
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from services.links import Links
from tests.e2e.conftest import Served, documents, load
from tests.support import kuzzle
from tests.support.service import ROOT, refusal, service

#: As the version before has written it.
KEPT = secrets.token_urlsafe(32)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Nothing but a database, in a folder of its own."""
    (tmp_path / "data").mkdir()
    return {"SQLITE_PATH": str(tmp_path / "data" / "measures.sqlite3"), "WEB_CONCURRENCY": "2"}


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Whoever starts the service may have one."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("content", ["", "\n", "x", KEPT[:-1], KEPT * 2], ids=["empty", "newline", "x", "cut", "twice"])
def test_a_secret_that_is_none(tmp_path: Path, environ: dict[str, str], content: str) -> None:
    """Stops the start: else whoever guesses it signs links to every engine."""
    path = tmp_path / "data" / "link-secret"
    path.touch(0o600)
    path.write_text(content)
    code, log = refusal(environ, tmp_path / "log")
    assert code != 0
    assert log == (
        f"The service cannot start:\n{path} holds no secret that this service has written. Delete it, and a new one is "
        "made: links given out within the last LINK_TTL_SECONDS end. Or set LINK_SECRETS.\n"
    )
    assert path.read_text() == content


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o602])
def test_a_secret_that_others_may_have_seen(tmp_path: Path, environ: dict[str, str], mode: int) -> None:
    """Or changed; a secret that is set has no need of it."""
    path = tmp_path / "data" / "link-secret"
    path.write_text(KEPT)
    path.chmod(mode)
    code, log = refusal(environ, tmp_path / "log")
    assert code != 0
    assert (f"chmod 600 {path}" in log, "Traceback" in log) == (True, False)
    with service({**environ, "LINK_SECRETS": "s" * 32}, tmp_path / "log") as running:
        assert requests.get(f"{running.url}/_readyz", timeout=30).status_code == 200


def test_a_secret_of_the_version_before(tmp_path: Path, environ: dict[str, str]) -> None:
    """Goes on signing; and nobody else's does."""
    path = tmp_path / "data" / "link-secret"
    path.touch(0o600)
    path.write_text(KEPT)
    load(documents(kuzzle.REAL_ENGINE).into_folder(tmp_path / "documents"), environ)
    with service(environ, tmp_path / "log") as running:
        served = Served(running, environ, kuzzle.REAL_ENGINE)
        link = served.link()
        head, _, token = link.rpartition("?jwt=")
        payload = Links([KEPT], ttl_seconds=60, clock=time.time).unsign(token)
        assert requests.get(link, timeout=30).status_code == 200
        for guessed in ("", "\n", "x"):
            forged, _ = Links([guessed], ttl_seconds=60, clock=time.time).sign(payload)
            assert requests.get(f"{head}?jwt={forged}", timeout=30).status_code == 403


@pytest.mark.usefixtures("open_umask")
def test_what_the_service_makes_is_its_owner_s(tmp_path: Path, environ: dict[str, str]) -> None:
    """Whatever the umask: database, what SQLite puts beside it, secret, keys and their lock."""
    keys = str(tmp_path / "data" / "keys.json")
    environ = {**environ, "API_KEYS_FILE": keys, "AUTH": "api-keys"}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "make-key", "ci", "--engine", "*"]
    subprocess.run(command, cwd=ROOT, env={"PATH": "", **environ}, check=True, capture_output=True)
    with service(environ, tmp_path / "log") as running:
        assert requests.get(f"{running.url}/_readyz", timeout=30).status_code == 200
        found = modes(tmp_path / "data")
    assert set(found) >= {"measures.sqlite3", "link-secret", "keys.json", "keys.json.lock"}
    assert set(found.values()) == {0o600}


def test_a_database_of_the_version_before(tmp_path: Path, environ: dict[str, str]) -> None:
    """Is tightened, and said so."""
    load(documents(kuzzle.REAL_ENGINE).into_folder(tmp_path / "documents"), environ)
    path = tmp_path / "data" / "measures.sqlite3"
    path.chmod(0o644)
    with service(environ, tmp_path / "log") as running:
        assert requests.get(Served(running, environ, kuzzle.REAL_ENGINE).link(), timeout=30).status_code == 200
        assert f"{path} was open to other users; now it is readable by its owner only" in running.log()
    assert modes(tmp_path / "data")["measures.sqlite3"] == 0o600


@pytest.mark.parametrize("mode", [0o666, 0o620])
def test_keys_that_others_may_write(tmp_path: Path, environ: dict[str, str], mode: int) -> None:
    """They could give themselves one."""
    path = tmp_path / "keys.json"
    path.write_text("[]")
    path.chmod(mode)
    code, log = refusal({**environ, "AUTH": "api-keys", "API_KEYS_FILE": str(path)}, tmp_path / "log")
    assert code != 0
    assert log == (
        "The service cannot start:\nAPI_KEYS_FILE can be written by other users. If none has changed it: "
        f"chmod go-w {path}.\n"
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"AUTH": ","}, "AUTH names nothing"),
        ({"AUTH": " , "}, "AUTH names nothing"),
        ({"AUTH": "kuzzle-jwt", "KUZZLE_JWT_SECRET": "x"}, "KUZZLE_JWT_SECRET must have at least 16 characters"),
        ({"LINK_SECRETS": ","}, "LINK_SECRETS names nothing"),
        ({"CORS_ORIGINS": "https://app.example/path"}, "CORS_ORIGINS must be"),
        ({"SQLITE_PATH": "/"}, "SQLITE_PATH must name a file"),
        ({"SQLITE_PATH": "/proc/nowhere/measures.sqlite3"}, "The embedded store cannot be made"),
    ],
)
def test_settings_that_would_let_somebody_in_or_nobody(
    tmp_path: Path, environ: dict[str, str], settings: dict[str, str], said: str
) -> None:
    """A sentence each, and no traceback."""
    code, log = refusal({**environ, **settings}, tmp_path / "log")
    assert code != 0
    assert (f"The service cannot start:\n{said}" in log, "Traceback" in log) == (True, False)


@pytest.mark.parametrize("engine", ["", "bars,victim", "ba*"])
def test_keys_that_open_nothing(tmp_path: Path, environ: dict[str, str], engine: str) -> None:
    """Are not made; and one written by hand is refused at start."""
    keys = tmp_path / "keys.json"
    environ = {**environ, "AUTH": "api-keys", "API_KEYS_FILE": str(keys)}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "make-key", "ci", "--engine", engine]
    done = subprocess.run(command, cwd=ROOT, env={"PATH": "", **environ}, capture_output=True, text=True, check=False)
    sentence = f'the engines of "ci" must each be the id of one engine, or "*"; not "{engine}".'
    assert (done.returncode, done.stdout, keys.exists()) == (1, "", False)
    assert done.stderr.endswith(f"Error: No key was made: {sentence}\n")
    keys.write_text(f'[{{"name": "ci", "sha256": "{"0" * 64}", "engines": ["{engine}"]}}]')
    code, log = refusal(environ, tmp_path / "log")
    assert (code != 0, log) == (True, f"The service cannot start:\nAPI_KEYS_FILE is wrong: {sentence}\n")
