"""What the guide says of its programs: each notices that a download broke off."""

import http.client
import shutil
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.e2e.conftest import MANY, Served
from tests.support.node import Node


def test_python(mortal: Served, tmp_path: Path) -> None:
    """`copyfileobj` from `urlopen`."""
    with urlopen(mortal.link("Container-many")) as download, (tmp_path / "csv").open("wb") as file:
        mortal.service.workers[0].kill()
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            shutil.copyfileobj(download, file)
    assert (tmp_path / "csv").read_bytes().count(b"\n") < MANY


@pytest.mark.node
def test_node(mortal: Served, node: Node, tmp_path: Path) -> None:
    """`pipeline` from `fetch`."""
    workers = [worker.pid for worker in mortal.service.workers]
    told = {"link": mortal.link("Container-many"), "kill": workers, "file": str(tmp_path / "csv")}
    assert node.run("broken.js", told)["error"]
    assert (tmp_path / "csv").read_bytes().count(b"\n") < MANY
