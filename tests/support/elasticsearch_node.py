"""A real Elasticsearch for the tests.

`ELASTICSEARCH_URL` if set; else a node of its own from Maven artefacts (Java 17 and Maven), else from Docker.
Jars and data are kept below `build/elasticsearch`, so that a second start takes seconds.

By hand, until interrupted: `python -m tests.support.elasticsearch_node --port 19200`.
"""

import argparse
import contextlib
import fcntl
import hashlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TextIO

SOURCES = Path(__file__).with_name("elasticsearch")
BUILD = Path(__file__).parents[2] / "build" / "elasticsearch"
IMAGE = "docker.elastic.co/elasticsearch/elasticsearch:8.19.0"

#: Seconds that a node may take to answer, and Maven to fetch its jars.
START_SECONDS = 120
MAVEN_SECONDS = 600


class Unavailable(Exception):
    """No Elasticsearch can be started here, with the reason."""


class Node(Protocol):
    """A running Elasticsearch of the test's own."""

    @property
    def url(self) -> str: ...

    @property
    def log(self) -> Path:
        """What it has printed; of Docker's, only that it started."""

    def freeze(self) -> None:
        """It answers no more, and keeps its connections."""

    def thaw(self) -> None:
        """Undo `freeze`."""

    def kill(self) -> None:
        """At once, without goodbye."""


@contextlib.contextmanager
def node(port: int = 0, *, heap: str = "1g") -> Iterator[Node]:
    """Starts a node on `port` (0: any free one), and ends it.

    Raises `Unavailable` when neither Java with Maven nor Docker is here.
    """
    missing = [tool for tool in ("java", "javac", "mvn") if shutil.which(tool) is None]
    if not missing:
        with java_node(port, heap=heap) as started:
            yield started
    elif docker_works():
        with docker_node(port, heap=heap) as started:
            yield started
    else:
        raise Unavailable(
            f"no Elasticsearch: ELASTICSEARCH_URL is not set, {', '.join(missing)} not found (a JDK 17 and Maven "
            "start one), and Docker does not answer"
        )


class JavaNode:
    """A node in a JVM of this process; `pid` is the JVM's."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
        self._process = process
        self.url = url
        self.log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Works on a frozen one too."""
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def java_node(port: int = 0, *, heap: str = "1g") -> Iterator[JavaNode]:
    """The JVM ends with the context, and with this process however that ends: its standard input closes then."""
    home = prepared()
    own, claim = own_folder()
    log = own / "log"
    command = ["java", f"-Xmx{heap}", "-cp", f"{home}/classes:{home}/lib/*", "ElasticsearchNode"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, str(home), str(own), str(port) if port else "0-0"],
            stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        url = wait_for(lambda: java_url(process, own), log)
        yield JavaNode(process, url, log)
    finally:
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()
        shutil.rmtree(own, ignore_errors=True)
        claim.close()


def java_url(process: "subprocess.Popen[bytes]", own: Path) -> str | None:
    """Where the node listens, once it does. Raises `RuntimeError` when it has ended."""
    if process.poll() is not None:
        raise RuntimeError(f"Elasticsearch ended with exit code {process.returncode}")
    ports = own / "logs" / "http.ports"
    return f"http://{ports.read_text().split()[0]}" if ports.exists() else None


def prepared() -> Path:
    """The home of all nodes: jars, compiled class, configuration. Made once for each state of its sources."""
    home = BUILD / f"home-{fingerprint()}"
    with alone():
        if not home.exists():
            unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=BUILD))
            try:
                prepare(unfinished)
                unfinished.rename(home)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
    return home


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One process at a time: two test runs may start together."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def own_folder() -> tuple[Path, TextIO]:
    """A new folder for data and logs, and the file that claims it while this process lives."""
    with alone():
        sweep()
        own = Path(tempfile.mkdtemp(prefix="node-", dir=BUILD))
        (own / "logs").mkdir()
        claim = (own / "claim").open("w")
        fcntl.flock(claim, fcntl.LOCK_EX)
        return own, claim


def sweep() -> None:
    """Remove the folders of runs that were killed."""
    for claim in BUILD.glob("node-*/claim"):
        with contextlib.suppress(OSError), claim.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(claim.parent, ignore_errors=True)


def fingerprint() -> str:
    """Of the sources: a changed version or program is another home."""
    digest = hashlib.sha256()
    for path in sorted(path for path in SOURCES.rglob("*") if path.is_file()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def prepare(home: Path) -> None:
    """Raises `Unavailable` with Maven's own words when the jars cannot be had."""
    lib, module = home / "lib", home / "modules" / "transport-netty4"
    run([
        "mvn", "-q", "-B", "-ntp", "-f", str(SOURCES / "pom.xml"),
        "dependency:copy-dependencies", f"-DoutputDirectory={lib}",
    ])  # fmt: skip
    for folder in (module, home / "plugins"):
        folder.mkdir(parents=True)
    for jar in [*lib.glob("transport-netty4-*.jar"), *lib.glob("netty-*.jar")]:
        jar.rename(module / jar.name)
    shutil.copy(SOURCES / "plugin-descriptor.properties", module)
    shutil.copytree(SOURCES / "config", home / "config")
    run(["javac", "-cp", f"{lib}/*", "-d", str(home / "classes"), str(SOURCES / "ElasticsearchNode.java")])


def run(command: list[str]) -> str:
    """What it prints. Raises `Unavailable` when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MAVEN_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]}: {error}") from error
    if done.returncode:
        raise Unavailable(f"{command[0]} failed: {(done.stdout + done.stderr).strip()[-2000:]}")
    return done.stdout


def wait_for(find_url: Callable[[], str | None], log: Path) -> str:
    """The URL once Elasticsearch answers there. Raises `RuntimeError` with the end of its log."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            url = find_url()
        except RuntimeError as error:
            raise RuntimeError(f"{error}: {log.read_text(errors='replace')[-3000:]}") from error
        if url and answers(url):
            return url
        time.sleep(0.05)
    raise RuntimeError(f"Elasticsearch did not answer in {START_SECONDS} s: {log.read_text(errors='replace')[-3000:]}")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_cluster/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def docker_works() -> bool:
    try:
        run(["docker", "info"])
    except Unavailable:
        return False
    return True


class DockerNode:
    def __init__(self, container: str, url: str, log: Path) -> None:
        self._container = container
        self.url = url
        self.log = log

    def freeze(self) -> None:
        run(["docker", "pause", self._container])

    def thaw(self) -> None:
        run(["docker", "unpause", self._container])

    def kill(self) -> None:
        run(["docker", "kill", self._container])


@contextlib.contextmanager
def docker_node(port: int = 0, *, heap: str = "1g") -> Iterator[DockerNode]:
    """The container is removed with the context."""
    BUILD.mkdir(parents=True, exist_ok=True)
    container = run([
        "docker", "run", "--detach", "--publish", f"127.0.0.1:{port}:9200",
        "--env", "discovery.type=single-node", "--env", "xpack.security.enabled=false",
        "--env", "cluster.routing.allocation.disk.threshold_enabled=false", "--env", f"ES_JAVA_OPTS=-Xmx{heap}",
        IMAGE,
    ]).strip()  # fmt: skip
    try:
        with tempfile.NamedTemporaryFile(dir=BUILD) as log:
            url = wait_for(lambda: f"http://{run(['docker', 'port', container, '9200']).split()[0]}", Path(log.name))
            yield DockerNode(container, url, Path(log.name))
    finally:
        run(["docker", "rm", "--force", "--volumes", container])


def main() -> None:
    parser = argparse.ArgumentParser(description="Run an Elasticsearch node until interrupted.")
    parser.add_argument("--port", type=int, default=9200)
    parser.add_argument("--heap", default="1g")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with node(options.port, heap=options.heap) as started:
        print(started.url, flush=True)
        ended.wait()


if __name__ == "__main__":
    try:
        main()
    except Unavailable as reason:
        sys.exit(str(reason))
