"""Start the service on demo data and print a link that downloads, once it answers (`python -m demo`).

It ends as gunicorn ends, with its exit code. The first SIGINT or SIGTERM lets downloads finish, the
second does not.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from types import FrameType

import msgspec

from config import Settings, SettingsError, from_env
from demo import data
from services.errors import NotFound, ServiceError, UnknownEngine
from services.hosts import bracketed, unusable
from services.measures import Target
from services.scheduling.cpu_turn import CpuTurns
from services.stores.sqlite import LoadError, SqliteStore, load

ROOT = Path(__file__).parents[1]

ASSET = "Container-c1"

#: Seconds.
START_SECONDS = 60
ASK_SECONDS = 30


#: Commands that make a link and download it.
PAIR = r"""LINK=$(curl -s -X POST '{url}' \
  | sed -n 's/.*"link": *"\([^"]*\)".*/\1/p')
curl -f -o measures.csv "$LINK"
"""


class CannotStart(Exception):
    """The message says why, and what to do."""


class NoAnswer(Exception):
    """The reason, or what was answered instead."""


class Result(msgspec.Struct):
    link: str


class Envelope(msgspec.Struct):
    """What of an answer is needed."""

    result: Result


def main() -> int:
    try:
        settings = from_env(os.environ)
        check_port(settings)
        fill(settings)
    except (SettingsError, CannotStart) as error:
        print(f"The service cannot start:\n{error}", file=sys.stderr)
        return 1
    return serve(settings)


def check_port(settings: Settings) -> None:
    """gunicorn would try for seconds, and then say less."""
    problem = unusable(settings.host)
    if problem is not None:
        raise CannotStart(f"HOST {problem}.")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise CannotStart(
                f"Port {settings.port} of {settings.host} cannot be had ({error.strerror}). "
                f"Stop what listens there, or choose another: PORT={settings.port + 1} make run"
            ) from error


def fill(settings: Settings) -> None:
    """The demo data, unless the embedded store has them already."""
    if not settings.embedded:
        return
    try:
        if not has_demo(settings):
            tell("Making demo data (once) ...")
            make_data(settings)
    except (ServiceError, LoadError) as error:
        raise CannotStart(str(error)) from error


def has_demo(settings: Settings) -> bool:
    store = SqliteStore(settings.sqlite_path, CpuTurns(), admin_index=settings.admin_index)
    try:
        store.model(Target(data.ENGINE, "assets", ASSET))
    except (UnknownEngine, NotFound):
        return False
    return True


def make_data(settings: Settings) -> None:
    """Raises `LoadError`."""
    with tempfile.TemporaryDirectory() as folder:
        data.write(Path(folder), admin_index=settings.admin_index)
        counts = load(settings.sqlite_path, Path(folder))
    tell(f"{counts[f'{data.ENGINE}.measures.ndjson']:,} measures in {settings.sqlite_path}")


def serve(settings: Settings) -> int:
    """gunicorn's exit code."""
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    # A process group of its own: Ctrl-C reaches gunicorn by us only, as the signal that lets downloads finish.
    gunicorn = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603  all ours
    stops = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stops
        stops += 1
        gunicorn.send_signal(signal.SIGTERM if stops == 1 else signal.SIGINT)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    if wait_until_healthy(settings, gunicorn):
        tell(greeting(settings))
    code = gunicorn.wait()
    return code if code >= 0 else 128 - code


def host(settings: Settings) -> str:
    """Where this machine reaches it."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104


def base_url(settings: Settings) -> str:
    return f"http://{bracketed(host(settings))}:{settings.port}"


def wait_until_healthy(settings: Settings, gunicorn: "subprocess.Popen[bytes]") -> bool:
    end = time.monotonic() + START_SECONDS
    while gunicorn.poll() is None and time.monotonic() < end:
        try:
            ask(settings, "GET", "/_healthz")
            return True
        except NoAnswer:
            time.sleep(0.05)
    return False


def ask(settings: Settings, verb: str, path: str) -> bytes:
    """Straight, whatever proxy the environment names. Raises `NoAnswer`."""
    connection = http.client.HTTPConnection(host(settings), settings.port, timeout=ASK_SECONDS)
    try:
        connection.request(verb, path)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(str(error)) from error
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise NoAnswer(f"{answer.status} {text.decode(errors='replace')}")
    return text


def greeting(settings: Settings) -> str:
    url = base_url(settings)
    if not settings.embedded:
        return f"\nThe service answers at {url}, on Elasticsearch: the demo data are only in the embedded store.\n"
    path = f"/_/device-manager/{data.ENGINE}/assets/{ASSET}/measures/_export"
    pair = PAIR.format(url=url + path)
    try:
        link = msgspec.json.decode(ask(settings, "POST", path), type=Envelope).result.link
    except (NoAnswer, msgspec.MsgspecError) as error:
        return f"\nThe service answers at {url}, but gave no link: {error}\nWith one, this downloads:\n\n{pair}"
    keep(settings, link)
    return (
        f"\nEvery measure of {ASSET}, for {settings.link_ttl_seconds} seconds from now:\n\n{link}\n\n"
        f"Another link, and its download:\n\n{pair}\nCtrl-C stops the service.\n"
    )


def keep(settings: Settings, link: str) -> None:
    """Also in a file, beside the data."""
    (Path(settings.sqlite_path).parent / "link.txt").write_text(f"{link}\n")


def tell(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
