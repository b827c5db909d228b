"""What the tests run in Node.js: scripts beside `tests/clients/package.json`, with the packages pinned there.

The packages are installed by `npm ci` once for each state of the lockfile.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

CLIENTS = Path(__file__).parents[1] / "clients"
BUILD = Path(__file__).parents[2] / "build"

#: Seconds for the registry, and for a script.
INSTALL_SECONDS = 300
SCRIPT_SECONDS = 60


class Unavailable(Exception):
    """Node.js or its packages cannot be had here, with the reason."""


class Node:
    """Runs scripts of `tests/clients`."""

    def run(self, script: str, told: Any = None, *, environ: dict[str, str] | None = None) -> Any:
        """JSON on its standard input, JSON from its output. Fails with what it prints on the other."""
        done = subprocess.run(
            ["node", script],
            cwd=CLIENTS, env={**os.environ, **(environ or {})}, input=json.dumps(told), capture_output=True, text=True,
            timeout=SCRIPT_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout)


def node() -> Node:
    """Raises `Unavailable`."""
    missing = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    if missing:
        raise Unavailable(f"{' and '.join(missing)} not found")
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "clients.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        install()
    return Node()


def install() -> None:
    """Raises `Unavailable` with npm's own words."""
    digest = hashlib.sha256((CLIENTS / "package-lock.json").read_bytes()).hexdigest()
    done = CLIENTS / "node_modules" / f".installed-{digest[:16]}"
    if done.exists():
        return
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        found = subprocess.run(
            command, cwd=CLIENTS, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"npm ci: {error}") from error
    if found.returncode:
        raise Unavailable(f"npm ci failed: {(found.stdout + found.stderr).strip()[-2000:]}")
    done.touch()
