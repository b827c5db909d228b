"""A download of a benchmark: prepared, read as fast as it comes, and timed."""

import contextlib
import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from bench import rows
from tests.support.service import Service

JSON = dict[str, Any]


@dataclass(frozen=True)
class Download:
    """Seconds until the first byte of the body and of the whole, seconds of the service's CPU, rows and bytes."""

    first: float
    whole: float
    cpu: float
    rows: int
    bytes: int

    @property
    def rate(self) -> float:
        """Thousands of rows a second."""
        return self.rows / self.whole / 1000

    def __str__(self) -> str:
        return (
            f"{self.rate:8.0f} krows/s, first byte after {self.first * 1000:.0f} ms "
            f"({self.first / self.whole:.1%} of the whole), {self.cpu / self.rows * 1e6:.1f} us of CPU a row"
        )


def prepare(running: Service, engine: str, asset: str | None, **body: Any) -> JSON:
    """Return the `result` of a request for a link. `asset`: `None`: of many."""
    whose = "" if asset is None else f"/{rows.KIND}/{quote(asset)}"
    path = f"/_/device-manager/{engine}{whose}/measures/_export"
    answer = requests.post(running.url + path, json=body, timeout=60)
    answer.raise_for_status()
    result: JSON = answer.json()["result"]
    return result


def download(
    running: Service, engine: str, asset: str | None, *, headers: Mapping[str, str] | None = None, **body: Any
) -> Download:
    """Return the times of one download. Raises `AssertionError` when rows are missing, where they can be counted."""
    result = prepare(running, engine, asset, **body)
    link = urlsplit(result["link"])
    connection = http.client.HTTPConnection(link.hostname or "", link.port, timeout=600)
    cpu, began = cpu_seconds(running), time.perf_counter()
    with contextlib.closing(connection):
        connection.request("GET", f"{link.path}?{link.query}", headers=dict(headers or {}))
        file = connection.getresponse()
        lines = size = 0
        first = 0.0
        while block := file.read1(256 * 1024):
            first = first or time.perf_counter() - began
            lines += block.count(b"\n")
            size += len(block)
    whole = time.perf_counter() - began
    expected = result["estimatedRows"] + (body.get("format", "csv") == "csv")
    if is_packed(body, headers):
        lines = expected
    if lines > expected or (result["estimate"] == "exact" and lines < expected):
        raise AssertionError(f"{lines} lines of {expected}")
    rows_found = lines - (body.get("format", "csv") == "csv")
    return Download(first, whole, cpu_seconds(running) - cpu, rows_found, size)


def is_packed(body: Mapping[str, Any], headers: Mapping[str, str] | None) -> bool:
    return bool(headers) or body.get("compress") == "gzip" or body.get("format") in ("xlsx", "zip")


def cpu_seconds(running: Service) -> float:
    return sum(sum(worker.cpu_times()[:2]) for worker in running.workers)
