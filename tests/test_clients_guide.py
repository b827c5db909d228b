"""The client guide tells the truth: each of its examples is run, as it stands but for the address of the service."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from demo import data
from tests.e2e.conftest import load
from tests.support.browser import Browser
from tests.support.node import CLIENTS, Node
from tests.support.service import ROOT, service
from tests.support.site import site

GUIDE = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")

#: Language and text of each example.
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)

#: Where the guide says that the service is.
ADDRESS = "127.0.0.1:7512"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where it is: a service on the demo data, as `make run` starts it."""
    folder = tmp_path_factory.mktemp("guide")
    (folder / "documents").mkdir()
    environ = {"SQLITE_PATH": str(folder / "measures.sqlite3")}
    data.write(folder / "documents")
    load(folder / "documents", environ)
    with service(environ, folder / "log") as running:
        yield urlsplit(running.url).netloc


def examples(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def here(example: str, address: str) -> str:
    """The SDK takes host and port apart."""
    return example.replace(ADDRESS, address).replace("port: 7512", f"port: {address.rpartition(':')[2]}")


def run(command: list[str], folder: Path) -> str:
    """What it prints. Fails with its errors."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_in_node(example: str, folder: Path) -> str:
    """Before version 22 Node.js has a WebSocket of its own only where it is asked for."""
    script = folder / "example.js"
    script.write_text(example, encoding="utf-8")
    (folder / "node_modules").symlink_to(CLIENTS / "node_modules")
    major = int(run(["node", "--version"], folder).lstrip("v").partition(".")[0])
    return run(["node", *(["--experimental-websocket"] if major < 22 else []), str(script)], folder)


def rows(folder: Path) -> dict[str, int]:
    """How many are in each file there."""
    return {path.name: path.read_text(encoding="utf-8").count("\n") - 1 for path in folder.glob("*.csv")}


def test_every_example_is_run() -> None:
    """A new one needs a test below."""
    assert [name for name, _ in BLOCKS] == ["sh", "python", "python", "js", "js", "html", "js"]


def test_curl(address: str, tmp_path: Path) -> None:
    (example,) = examples("sh")
    run(["bash", "-euo", "pipefail", "-c", here(example, address)], tmp_path)
    assert rows(tmp_path)["asset-Container-c1.csv"] > 1000


def test_python(address: str, tmp_path: Path) -> None:
    example, _ = examples("python")
    run([sys.executable, "-c", here(example, address)], tmp_path)
    assert 0 < rows(tmp_path)["asset-Container-c1.csv"] < 10_000


def test_the_bytes_first(address: str, tmp_path: Path) -> None:
    """For readers that want a length: as many rows as the file that was saved has."""
    example = "\n".join(examples("python"))
    printed = run([sys.executable, "-c", here(example, address)], tmp_path)
    assert printed == f"{rows(tmp_path)['asset-Container-c1.csv']} rows\n"


def test_a_download_has_no_length(address: str) -> None:
    """Which is why some readers want the bytes."""
    prepared = requests.post(f"http://{address}/_/device-manager/demo/assets/Container-c1/measures/_export", timeout=30)
    headers = requests.get(prepared.json()["result"]["link"], timeout=60).headers
    assert (headers.get("Content-Length"), headers["Accept-Ranges"]) == (None, "none")


@pytest.mark.node
def test_the_sdk_over_http(address: str, node: Node, tmp_path: Path) -> None:
    run_in_node(here(examples("js")[0], address), tmp_path)
    assert rows(tmp_path)["asset-Container-c1.csv"] > 1000


@pytest.mark.node
def test_the_sdk_over_websocket(address: str, node: Node, tmp_path: Path) -> None:
    first, second = run_in_node(here(examples("js")[1], address), tmp_path).splitlines()
    number, _, link = first.partition(" rows: ")
    assert requests.get(link, timeout=30).text.count("\n") == int(number) + 1
    assert (int(number) > 1000, second) == (True, "services.storage.not_found")


@pytest.mark.node
def test_a_websocket(address: str, node: Node, tmp_path: Path) -> None:
    room, status, link = run_in_node(here(examples("js")[2], address), tmp_path).split()
    assert (room, status) == ("my-1", "200")
    assert requests.get(link, timeout=30).text.count("\n") == 11


@pytest.mark.node
def test_the_page(address: str, browser: Browser, tmp_path: Path) -> None:
    """On an origin that is not the service's."""
    (example,) = examples("html")
    (tmp_path / "page.html").write_text(here(example, address), encoding="utf-8")
    with site(tmp_path) as origin:
        found = browser.visit(f"{origin}/page.html", clicks=["button", "a"])
    assert (found["failure"], found["name"]) == (None, "asset-Container-c1.csv")
    assert found["text"].count("\n") > 1000


def test_every_link_leads_somewhere() -> None:
    """Files of the project by relative path, and headings of the guide."""
    titles = re.findall(r"^#+ (.*)$", GUIDE, re.MULTILINE)
    headings = {"#" + re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    targets = re.findall(r"\]\((?!https?:)([^)]+)\)", GUIDE)
    assert targets
    assert [each for each in targets if each not in headings and not (ROOT / "docs" / each).exists()] == []
