"""A real browser on a page of another origin: what a user clicks, and what a page's own script may."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from services.links import Links
from tests.e2e.conftest import MANY, ODD, SECRETS, Served
from tests.support.browser import Browser
from tests.support.node import CLIENTS
from tests.support.site import site

pytestmark = pytest.mark.node

SDK = CLIENTS / "node_modules" / "kuzzle-sdk" / "dist" / "kuzzle.js"


class Pages:
    """A site of pages that hold a link."""

    def __init__(self, folder: Path, origin: str) -> None:
        self.folder = folder
        self.origin = origin

    def add(self, html: str) -> str:
        """Its URL."""
        path = self.folder / f"{len(list(self.folder.iterdir()))}.html"
        path.write_text(f"<!doctype html><meta charset=utf-8>{html}", encoding="utf-8")
        return f"{self.origin}/{path.name}"

    def with_link(self, link: str) -> str:
        return self.add(f'<a href="{link}">Download</a>')


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("site")
    with site(folder) as origin:
        yield Pages(folder, origin)


def test_a_click_saves_the_file(embedded: Served, browser: Browser, pages: Pages) -> None:
    """Whole and named."""
    link = embedded.link()
    found = browser.visit(pages.with_link(link), clicks=["a"])
    assert found == {"failure": None, "name": "asset-Container-c1.csv", "text": requests.get(link, timeout=30).text}


def test_an_odd_name(embedded: Served, browser: Browser, pages: Pages) -> None:
    """Safe on every system, and still readable."""
    found = browser.visit(pages.with_link(embedded.link(ODD["assets"])), clicks=["a"])
    assert (found["failure"], found["name"]) == (None, "asset-Container-a b_c _é_+%25_&#.csv")
    assert found["text"].count("\n") == 3


def test_an_expired_link_shows_a_page(embedded: Served, browser: Browser, pages: Pages) -> None:
    """To read, not to save."""
    link, token = embedded.link().split("?jwt=")
    payload = Links([SECRETS], ttl_seconds=60, clock=time.time).unsign(token)
    expired, _ = Links([SECRETS], ttl_seconds=60, clock=lambda: time.time() - 3600).sign(payload)
    text = browser.visit(pages.with_link(f"{link}?jwt={expired}"), clicks=["a"])["text"]
    assert text.startswith("This link has expired")
    assert "Status 410" in text


def test_a_broken_download_has_failed(mortal: Served, browser: Browser, pages: Pages) -> None:
    """The same download is whole when nothing breaks it; slow, it is still under way when its worker dies."""
    page = pages.with_link(mortal.link("Container-many"))
    whole = browser.visit(page, clicks=["a"], bytesPerSecond=20_000_000)
    workers = [worker.pid for worker in mortal.service.workers]
    broken = browser.visit(page, clicks=["a"], bytesPerSecond=200_000, kill=workers)
    assert (whole["failure"], whole["text"].count("\n")) == (None, MANY + 1)
    assert broken["failure"]
    assert mortal.service.log().count("whole after") == 1


#: What a page's own script does to get a link, and what it can see of the answers.
FETCH = """async () => {
  const prepared = await fetch(URL, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Kuzzle-Volatile": "{}", "X-Kuzzle-Request-Id": "page-1" },
    body: JSON.stringify({ size: 3 }),
  });
  const { result } = await prepared.json();
  const downloaded = await fetch(result.link);
  const seen = [prepared.headers.get("X-Kuzzle-Request-Id"), downloaded.headers.get("Content-Disposition")];
  return { seen, rows: (await downloaded.text()).split("\\n").length - 2, link: result.link };
}"""


def test_a_page_prepares_by_itself(embedded: Served, browser: Browser, pages: Pages) -> None:
    """Over CORS: a preflight, the answer, and the headers that it may read."""
    url = f"{embedded.service.url}/_/device-manager/{embedded.engine}/assets/Container-c1/measures/_export"
    value = browser.visit(pages.add(""), evaluate=f"({FETCH.replace('URL', repr(url))})()")["value"]
    disposition = "attachment; filename=\"asset-Container-c1.csv\"; filename*=UTF-8''asset-Container-c1.csv"
    assert (value["seen"], value["rows"]) == (["page-1", disposition], 3)
    assert browser.visit(pages.with_link(value["link"]), clicks=["a"])["text"].count("\n") == 4


#: Kuzzle's SDK as browsers load it; the connection lives through its pings.
TALK = """async () => {
  const protocol = new KuzzleSDK.PROTOCOL("127.0.0.1", { port: PORT, pingInterval: 200 });
  const kuzzle = new KuzzleSDK.Kuzzle(protocol);
  const events = [];
  for (const name of ["connected", "disconnected", "networkError"]) {
    kuzzle.on(name, () => events.push(name));
  }
  await kuzzle.connect();
  let pongs = 0;
  protocol.client?.addEventListener("message", ({ data }) => (pongs += data === '{"p":2}'));
  while (protocol.client && pongs < 5 && protocol.connected) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const request = { controller: "device-manager/assets", action: "exportMeasures", engineId: ENGINE };
  const { result } = await kuzzle.query({ ...request, _id: "Container-c1", size: 3 });
  const rows = (await (await fetch(result.link)).text()).split("\\n").length - 2;
  const id = await kuzzle.query({ ...request, _id: "nowhere" }).catch((error) => error.id);
  return { rows, id, events };
}"""


@pytest.mark.parametrize("protocol", ["WebSocket", "Http"])
def test_the_sdk_in_a_browser(embedded: Served, browser: Browser, pages: Pages, protocol: str) -> None:
    """As it opens its own WebSocket, and sends its own requests; bundlers give it a `process`, a bare page must."""
    shutil.copy(SDK, pages.folder / "kuzzle.js")
    told = {"PROTOCOL": protocol, "PORT": str(urlsplit(embedded.service.url).port), "ENGINE": repr(embedded.engine)}
    script = TALK
    for name, value in told.items():
        script = script.replace(name, value)
    value = browser.visit(
        pages.add('<script>var process = { env: {} }</script><script src="kuzzle.js"></script>'),
        evaluate=f"({script})()",
    )["value"]
    assert value == {"rows": 3, "id": "services.storage.not_found", "events": ["connected"]}
