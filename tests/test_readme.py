"""README tells the truth: every setting and route is in it, and every command in it runs."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from app import create_app
from config import from_env
from services.scheduling.cpu_turn import CpuTurns
from tests.fakes import FakeStore
from tests.support import kuzzle
from tests.support.service import KEPT, ROOT, answers, end, free_port
from tests.support.waiting import wait_until

README = (ROOT / "README.md").read_text(encoding="utf-8")

#: Shell commands, a block each.
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def settings() -> list[str]:
    """What `config.py` asks the environment for: the first argument of each call of its reader."""
    calls = (node for node in ast.walk(ast.parse((ROOT / "config.py").read_text())) if isinstance(node, ast.Call))
    return [
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "reader"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    ]


def routes() -> list[str]:
    """`POST /path`, with `:name` for parameters, as README writes them."""
    app = create_app(from_env({"LINK_SECRETS": "s" * 32}), FakeStore(), CpuTurns())
    return [
        f"{verb} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for verb in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


@pytest.mark.parametrize("setting", settings())
def test_every_setting_is_named(setting: str) -> None:
    assert f"`{setting}`" in README


def test_there_are_settings() -> None:
    """The reading of config.py has not gone blind."""
    assert {"PORT", "ELASTICSEARCH_URL", "LINK_SECRETS", "AUTH"} <= set(settings())


@pytest.mark.parametrize("route", routes())
def test_every_route_is_named(route: str) -> None:
    """Both kinds of target, and any name for a parameter."""
    pattern = re.sub(r"<any\\\(assets,\\ devices\\\):kind>", "(assets|devices)", re.escape(route))
    pattern = re.sub(r"<(\w+:)?\w+>", r":\\w+", pattern)
    assert re.search(f"`{pattern}[?`]", README)


def test_every_link_leads_somewhere() -> None:
    """Files of the project, by relative path."""
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """What `make run` starts, on a free port with data of its own: where it listens, and what it prints."""
    folder = tmp_path_factory.mktemp("demo")
    port, output = free_port(), folder / "output"
    environ = environment(PORT=str(port), SQLITE_PATH=str(folder / "measures.sqlite3"))
    with output.open("wb") as file:
        started = subprocess.Popen(
            [sys.executable, "-m", "demo"],
            cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    try:
        wait_until(lambda: "?jwt=" in output.read_text() or started.poll() is not None, seconds=120)
        yield f"http://127.0.0.1:{port}", output
    finally:
        end(started)


def environment(**settings: str) -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ} | settings


def shell(script: str, folder: Path, **settings: str) -> str:
    """What the commands print, run in `folder`. Fails with theirs."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder, env=environment(**settings), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks(of: str) -> list[str]:
    found = [block for block in BLOCKS if of in block]
    assert found
    return found


def test_every_command_is_run_by_a_test() -> None:
    """A new kind of command in README needs one below."""
    known = ("make ", "curl ", "flask --app wsgi load", "gunicorn ")
    assert [block for block in BLOCKS if not any(word in block for word in known)] == []


@pytest.mark.parametrize("command", re.findall(r"\bmake \w+", README))
def test_make_knows_its_verbs(command: str) -> None:
    shell(f"{command} --dry-run", ROOT)


def test_the_printed_link_downloads(demo: tuple[str, Path]) -> None:
    """`make run` prints a link that is ready, and the pair of commands that makes one."""
    url, output = demo
    printed = output.read_text()
    link = next(word for word in printed.split() if word.startswith(url) and "?jwt=" in word)
    answer = requests.get(link, timeout=60)
    assert (answer.status_code, answer.text.partition(",")[0]) == (200, "Measure Id")
    assert answer.text.count("\n") > 1000
    assert "curl" in printed


@pytest.mark.parametrize("block", blocks("curl "))
def test_curl_commands(block: str, demo: tuple[str, Path], tmp_path: Path) -> None:
    """On the demo data: an envelope with a link to rows, or a file."""
    url, _ = demo
    printed = shell(block.replace("http://127.0.0.1:7512", url), tmp_path)
    files = [path.read_text() for path in tmp_path.iterdir()]
    links = re.findall(r'"link": ?"([^"]+)"', printed)
    texts = files + [requests.get(link, timeout=60).text for link in links]
    assert len(texts) == 1
    assert texts[0].startswith(("Measure Id,", "\ufeffMeasured At ISO;"))
    assert texts[0].count("\n") > 1


def test_load(tmp_path: Path) -> None:
    """Into the embedded database."""
    for block in blocks("flask --app wsgi load"):
        script = block.replace("FOLDER", str(kuzzle.REAL)).replace(".venv/bin/flask", f"{sys.executable} -m flask")
        shell(script, ROOT, SQLITE_PATH=str(tmp_path / "measures.sqlite3"))
    assert (tmp_path / "measures.sqlite3").stat().st_size > 500_000


@pytest.mark.elasticsearch
@pytest.mark.parametrize("block", blocks("gunicorn "))
def test_deployment(block: str, elasticsearch_url: str, tmp_path: Path) -> None:
    """The command of a replica, as it stands but for the addresses."""
    port = free_port()
    script = block.replace("http://localhost:9200", elasticsearch_url)
    script = script.replace(".venv/bin/gunicorn", f"{sys.executable} -m gunicorn")
    with (tmp_path / "log").open("wb") as log:
        started = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=ROOT, env=environment(PORT=str(port)), stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/_healthz") or started.poll() is not None)
        assert requests.get(f"http://127.0.0.1:{port}/_readyz", timeout=30).status_code == 200
    finally:
        end(started)
