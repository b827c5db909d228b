"""`python -m demo`, as `make run` starts it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.readers import PLAIN
from tests.support.service import KEPT, ROOT, end, free_port
from tests.support.waiting import wait_until

HEADER = (
    "Measure Id,Measured At,Measured At ISO,Measure Type,Device Id,Device Model,Asset Id,Asset Model,"
    "temperatureExt.temperature,temperatureInt.temperature,position.position,position.accuracy,position.altitude,"
    "temperatureWeather.temperature"
)


class Demo:
    """The started program; `folder`: where its data and what it prints are; `kept`: what is in its file of links."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.kept = ""

    @property
    def output(self) -> str:
        return (self.folder / "output").read_text()

    @property
    def link(self) -> str:
        """As printed."""
        printed = re.search(r"^http\S+jwt=\S+$", self.output, re.MULTILINE)
        assert printed
        return printed[0]

    def new_link(self) -> str:
        """The printed one expires."""
        return str(requests.post(self.link.rpartition("/")[0], timeout=60).json()["result"]["link"])

    def wait_until_ready(self) -> None:
        wait_until(lambda: "Ctrl-C" in self.output or self.process.poll() is not None, seconds=90)
        assert self.process.poll() is None, self.output
        self.kept = (self.folder / "link.txt").read_text() if (self.folder / "link.txt").exists() else ""

    def wait(self) -> int:
        return self.process.wait(timeout=30)


@contextlib.contextmanager
def demo(folder: Path, **settings: str) -> Iterator[Demo]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    environ = {**kept, "PORT": str(free_port()), "SQLITE_PATH": str(folder / "measures.sqlite3"), **settings}
    with (folder / "output").open("wb") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", "demo"],
            cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        yield Demo(started, folder)
    finally:
        end(started)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demo(tmp_path_factory.mktemp("demo")) as running:
        running.wait_until_ready()
        yield running


def test_the_link_downloads(started: Demo) -> None:
    """The printed one, which is also in a file: every measure of the asset."""
    assert started.kept == f"{started.link}\n"
    lines = requests.get(started.link, timeout=60).text.splitlines()
    assert (lines[0], len(lines)) == (HEADER, 1 + 20_160)


def test_the_commands_download(started: Demo) -> None:
    """Pasted as they are printed, without Python."""
    commands = re.search(r"LINK=.*?measures\.csv.*?\n", started.output, re.DOTALL)
    assert commands
    subprocess.run(["sh", "-eu", "-c", commands[0]], cwd=started.folder, check=True, timeout=60, capture_output=True)
    assert (started.folder / "measures.csv").read_text().count("\n") == 1 + 20_160


def test_the_data_are_made_once(started: Demo) -> None:
    """A second start on the same database is quick, and leaves it as it is."""
    assert "Making demo data" in started.output
    folder = started.folder / "again"
    folder.mkdir()
    database = started.folder / "measures.sqlite3"
    before = database.stat().st_mtime_ns
    with demo(folder, SQLITE_PATH=str(database)) as again:
        again.wait_until_ready()
        assert "Making demo data" not in again.output
    assert database.stat().st_mtime_ns == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_gracefully(started: Demo, tmp_path: Path, number: signal.Signals) -> None:
    """A download that runs is finished; nothing is left behind."""
    with demo(tmp_path, SQLITE_PATH=str(started.folder / "measures.sqlite3")) as running:
        running.wait_until_ready()
        family = psutil.Process(running.process.pid).children(recursive=True)
        with requests.get(running.link, stream=True, headers=PLAIN, timeout=60) as answer:
            blocks = answer.iter_content(1024)
            read = len(next(blocks))
            running.process.send_signal(number)
            wait_until(lambda: "Handling signal: term" in running.output)
            read += sum(len(block) for block in blocks)
        assert running.wait() == 0
        assert read == len(requests.get(started.new_link(), timeout=60).content)
        assert [process for process in family if process.is_running()] == []


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """Told at once, with what to do; no data are made for it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        began = time.monotonic()
        with demo(tmp_path, PORT=str(port)) as running:
            assert running.wait() == 1
        assert time.monotonic() - began < 10
    assert running.output == (
        f"The service cannot start:\nPort {port} of 127.0.0.1 cannot be had (Address already in use). "
        f"Stop what listens there, or choose another: PORT={port + 1} make run\n"
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "output"]


def test_wrong_settings(tmp_path: Path) -> None:
    """Told in full."""
    with demo(tmp_path, PORT="x", LINK_TTL_SECONDS="0") as running:
        assert running.wait() == 1
    assert re.fullmatch(r"The service cannot start:\nPORT .*\nLINK_TTL_SECONDS .*\n", running.output)


def test_a_database_that_is_none(tmp_path: Path) -> None:
    """Told, and left alone."""
    (tmp_path / "measures.sqlite3").write_text("something else " * 100)
    with demo(tmp_path) as running:
        assert running.wait() == 1
    assert running.output == ("The service cannot start:\nThe embedded store cannot be read: file is not a database.\n")
