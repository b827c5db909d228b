"""The secret beside the data: what is taken for one, and how it is made."""

import multiprocessing
import os
import re
import stat
from pathlib import Path

import pytest

from services.kept_file import SecretUnusable
from services.kept_secret import beside, kept_secret, problems

GOOD = "a-Z_0" * 8 + "xyz"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return beside(str(tmp_path / "data" / "measures.sqlite3"))


def put(path: Path, content: bytes, mode: int = 0o600) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def test_a_secret_is_made_once(path: Path) -> None:
    """Beside the data, readable by its owner only whatever the umask, and nothing is left of its making."""
    before = os.umask(0)
    try:
        made = kept_secret(path)
    finally:
        os.umask(before)
    assert re.fullmatch("[A-Za-z0-9_-]{43}", made)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (made, 0o600)
    assert (kept_secret(path), os.listdir(path.parent)) == (made, ["link-secret"])
    assert problems(path) == []


@pytest.mark.parametrize("content", [GOOD, f"{GOOD}\n"])
def test_a_secret_of_an_earlier_version(path: Path, content: str) -> None:
    """Is taken; an editor may have ended the line."""
    put(path, content.encode())
    assert (kept_secret(path), problems(path)) == (GOOD, [])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b" ",
        b"x",
        b"secret",
        GOOD[:-1].encode(),
        GOOD.encode() + b"x",
        GOOD.encode() + b"\n\n",
        b"\n" + GOOD.encode(),
        GOOD.encode() + b" ",
        b" " + GOOD.encode(),
        GOOD.encode() + b"\r\n",
        bytes(43),
        b"=" * 43,
        b"\xff" * 43,
        GOOD.encode() * 2,
        b"x" * 100_000,
        GOOD.encode() + b"\n" + GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
    ],
)
def test_anything_else_is_no_secret(path: Path, content: bytes) -> None:
    """Not a disk that was full once, nor what somebody thought of. The file stays as it is."""
    put(path, content)
    with pytest.raises(SecretUnusable) as caught:
        kept_secret(path)
    (said,) = problems(path)
    assert said == str(caught.value)
    assert said.startswith(f"{path} holds no secret that this service has written. Delete it")
    assert path.read_bytes() == content


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602, 0o620, 0o666, 0o777, 0o610])
def test_a_secret_that_is_open_to_others(path: Path, mode: int) -> None:
    """Whoever reads it signs links."""
    put(path, GOOD.encode(), mode)
    with pytest.raises(SecretUnusable, match=f"chmod 600 {path}"):
        kept_secret(path)
    path.chmod(0o400)
    assert kept_secret(path) == GOOD


def test_a_secret_of_another_user(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As anybody may put one into /tmp; but who owns the folder can do what they like there."""
    put(path, GOOD.encode())
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    assert kept_secret(path) == GOOD
    real = Path.stat

    def folder_of_root(self: Path, **options: bool) -> os.stat_result:
        found = list(real(self, **options))
        found[stat.ST_UID] += 2 * (self == path.parent)
        return os.stat_result(found)

    monkeypatch.setattr(Path, "stat", folder_of_root)
    with pytest.raises(SecretUnusable, match="is another user's"):
        kept_secret(path)


def test_what_is_no_file(path: Path) -> None:
    """A folder, a pipe that nobody writes to, a link to nothing."""
    path.mkdir(parents=True)
    with pytest.raises(SecretUnusable, match=f"^{path}, which keeps the secret of links, "):
        kept_secret(path)
    path.rmdir()
    os.mkfifo(path, 0o600)
    with pytest.raises(SecretUnusable, match="is no file"):
        kept_secret(path)
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(SecretUnusable, match="cannot be had: No such file"):
        kept_secret(path)


def test_a_link_to_a_secret(path: Path, tmp_path: Path) -> None:
    """Is followed, and what it leads to is judged."""
    put(path, b"")
    path.unlink()
    put(tmp_path / "kept", GOOD.encode())
    path.symlink_to(tmp_path / "kept")
    assert kept_secret(path) == GOOD
    (tmp_path / "kept").chmod(0o644)
    with pytest.raises(SecretUnusable, match="open to other users"):
        kept_secret(path)


@pytest.mark.parametrize("step", ["fsync", "link"])
def test_a_secret_that_cannot_be_made(path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """The disk is full: said, and nothing stays, least of all a part."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(SecretUnusable, match=f"^{path}, .* cannot be had: No space left on device"):
        kept_secret(path)
    assert os.listdir(path.parent) == []


def ask(path: Path, found: "multiprocessing.queues.Queue[str]") -> None:
    found.put(kept_secret(path))


@pytest.mark.slow
def test_all_processes_have_the_same(path: Path) -> None:
    """Whoever comes first."""
    context = multiprocessing.get_context("spawn")
    found: multiprocessing.queues.Queue[str] = context.Queue()
    workers = [context.Process(target=ask, args=(path, found)) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert len({found.get(timeout=30) for _ in workers}) == 1
    for worker in workers:
        worker.join()
