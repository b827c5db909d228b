"""The measures of benchmarks in a real Elasticsearch, written as Kuzzle writes them, a bulk at a time."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from random import Random
from typing import Any

import msgspec
import requests

from bench import rows
from tests.support import elasticsearch_node, kuzzle
from tests.support.kuzzle import Kuzzle

#: Documents of a bulk.
BULK = 5000


@contextlib.contextmanager
def elasticsearch() -> Iterator[str]:
    """URL of `ELASTICSEARCH_URL`, or of a node of its own."""
    given = os.environ.get("ELASTICSEARCH_URL")
    with contextlib.ExitStack() as stack:
        yield given.rstrip("/") if given else stack.enter_context(elasticsearch_node.node()).url


def engine(name: str, assets: Iterable[str]) -> Kuzzle:
    """With models and assets, and no measure yet."""
    made = Kuzzle()
    for type, mappings in rows.MAPPINGS.items():
        made.measure_model(type, mappings)
    made.asset_model(rows.MODEL.name, {slot.name or "": slot.type or "" for slot in rows.SLOTS})
    made.engine(name)
    for asset in assets:
        made.add(name, "assets", asset, {"model": rows.MODEL.name})
    return made


def write(url: str, engine: str, measures: Iterable[dict[str, Any]]) -> None:
    """In this order; searchable on return."""
    chance = Random(1)
    index = measures_url(url, engine)
    each = iter(measures)
    with requests.Session() as session:
        while lines := [action(chance) + msgspec.json.encode(measure) + b"\n" for measure in islice(each, BULK)]:
            kuzzle.write(session, f"{index}/_bulk", b"".join(lines))
        session.post(f"{index}/_refresh", timeout=600).raise_for_status()


def action(chance: Random) -> bytes:
    return b'{"create":{"_id":"%s"}}\n' % "".join(chance.choices(rows.ID_LETTERS, k=20)).encode()


def measures_url(url: str, engine: str) -> str:
    return kuzzle.index_url(url, f"{engine}.measures")
