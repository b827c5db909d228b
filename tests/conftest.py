"""What tests of any level share: a real Elasticsearch, names of their own on it; and which of them need a server."""

import contextlib
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from subprocess import Popen
from typing import NoReturn

import pytest

from tests.support import browser as browsers
from tests.support import elasticsearch_node
from tests.support import node as node_js
from tests.support.browser import Browser
from tests.support.elasticsearch_node import Node, Unavailable

pytest.register_assert_rewrite("tests.services.stores.contract", "tests.services.stores.fleet_contract")

#: Fixtures that start what is no part of the project.
SERVERS = frozenset(("elasticsearch_url", "own_node", "start_node", "node", "browser"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if needs_server(item):
            item.add_marker("server")


def needs_server(item: pytest.Item) -> bool:
    """Whether a test asks for such a fixture, or its module starts the service or another process."""
    module = getattr(item, "module", None)
    starts = [name for name, value in vars(module).items() if is_start(value)] if module else []
    return bool(SERVERS.intersection(getattr(item, "fixturenames", ())) or starts or "e2e" in item.path.parts)


def is_start(value: object) -> bool:
    return value is subprocess or value is Popen or getattr(value, "__module__", "") == "tests.support.service"


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """A real Elasticsearch, shared by all tests: `ELASTICSEARCH_URL`, or a node started for this run."""
    given = os.environ.get("ELASTICSEARCH_URL")
    with contextlib.ExitStack() as stack:
        yield given.rstrip("/") if given else start(stack).url


@pytest.fixture
def own_node() -> Iterator[Node]:
    """An Elasticsearch that the test may freeze and kill."""
    with contextlib.ExitStack() as stack:
        yield start(stack)


@pytest.fixture(scope="module")
def start_node() -> Iterator[Callable[[], Node]]:
    """Starts one for the tests of a module, which may freeze it and thaw it again."""
    with contextlib.ExitStack() as stack:
        yield lambda: start(stack)


def start(stack: contextlib.ExitStack) -> Node:
    """Skips where no Elasticsearch can be had; with `CI` set that is a failure."""
    try:
        return stack.enter_context(elasticsearch_node.node())
    except Unavailable as reason:
        absent(str(reason))


@pytest.fixture(scope="session")
def node() -> node_js.Node:
    """Node.js with Kuzzle's SDK and a driver for browsers."""
    try:
        return node_js.node()
    except node_js.Unavailable as reason:
        absent(str(reason))


@pytest.fixture(scope="session")
def browser(node: node_js.Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A real Chromium."""
    with contextlib.ExitStack() as stack:
        try:
            yield stack.enter_context(browsers.browser(tmp_path_factory.mktemp("browser") / "log"))
        except node_js.Unavailable as reason:
            absent(str(reason))


def absent(reason: str) -> NoReturn:
    """A failure with `CI` set, where everything must be there; else the test is skipped."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def unique() -> Callable[[str], str]:
    """Names that no other test run has: `unique("demo")` is `demo-3f9a0c12`."""
    return lambda name: f"{name}-{secrets.token_hex(4)}"
