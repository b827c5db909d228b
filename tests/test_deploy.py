"""The container holds what the service needs. No image is built here: its files and its command are tried."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config import from_env
from tests.support.service import KEPT, ROOT, answers, end, free_port
from tests.support.waiting import wait_until

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")


#: The sources and the target of each `COPY` line.
COPIES = [line.split() for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE)]


def image(folder: Path) -> Path:
    """What its `COPY` lines put there."""
    folder.mkdir()
    for *sources, target in COPIES:
        for source in sources:
            if source.endswith("/"):
                shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, folder / target)
    return folder


ELASTICSEARCH = {"ELASTICSEARCH_URL": "http://127.0.0.1:9", "AUTH": "anonymous", "LINK_SECRETS": "s" * 32}


@pytest.mark.parametrize("settings", [{"SQLITE_PATH": "measures.sqlite3"}, ELASTICSEARCH])
def test_the_command_serves_from_the_files_that_are_copied(tmp_path: Path, settings: dict[str, str]) -> None:
    """On either store."""
    (command,) = re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)
    url = f"http://127.0.0.1:{free_port()}"
    environ = {name: os.environ[name] for name in KEPT if name in os.environ}
    environ |= {**settings, "PORT": url.rpartition(":")[2]}
    log = tmp_path / "log"
    with log.open("wb") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", *json.loads(command)],
            cwd=image(tmp_path / "image"), env=environ, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        wait_until(lambda: answers(f"{url}/_healthz") or started.poll() is not None)
        assert started.poll() is None, log.read_text()
    finally:
        end(started)


def test_docker_is_sent_what_is_copied_and_nothing_else() -> None:
    """No data, no secret, no environment of the machine."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    assert sorted(sent) == sorted(source for *sources, _ in COPIES for source in sources)
    assert [line for line in ignored if line and line[0] not in "#!"] == ["*", "**/__pycache__"]


def test_its_settings_are_settings() -> None:
    """Of the image and of the composition."""
    of_image = dict(pair.split("=", 1) for pair in re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE)[0].split())
    of_composition = dict(re.findall(r"^ {6}([A-Z_]+): (.*)$", COMPOSE, re.MULTILINE))
    given = of_composition | {"ELASTICSEARCH_URL": "http://elasticsearch:9200", "KUZZLE_URL": "http://kuzzle:7512"}
    found = from_env({**of_image, **given, "LINK_SECRETS": "s" * 32, "PUBLIC_URL": ""})
    assert (found.host, found.port, found.auth) == ("0.0.0.0", 7512, ("kuzzle",))
    assert (found.elasticsearch_urls, found.kuzzle_url) == (("http://elasticsearch:9200",), "http://kuzzle:7512")
