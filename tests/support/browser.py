"""A real browser, headless, with a new empty profile for each visit; driven by `tests/clients/browser.js`."""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.node import CLIENTS, Unavailable

#: The names that Chromium has on one system or another.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Browser:
    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log

    def visit(self, url: str, **what: Any) -> Any:
        """What came of it: `value` of `evaluate`; `text` of a page; `name`, `text` and `failure` of a download."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"url": url, **what}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._log.read_text()[-4000:]
        found = json.loads(line)
        assert "error" not in found, found["error"]
        return found


@contextlib.contextmanager
def browser(log: Path) -> Iterator[Browser]:
    """Raises `Unavailable` where there is none."""
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        raise Unavailable(f"none of {', '.join(NAMES)} found")
    with log.open("w") as errors:
        process = subprocess.Popen(
            ["node", "browser.js", executable],
            cwd=CLIENTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
    try:
        yield Browser(process, log)
    finally:
        process.communicate(timeout=30)
