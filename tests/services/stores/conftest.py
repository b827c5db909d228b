"""Stores with documents in them, for the contract that they share."""

from collections.abc import Callable

import pytest

from services.stores.port import Store
from tests.services.stores.contract import Stored
from tests.services.stores.world import world
from tests.support import kuzzle
from tests.support.kuzzle import Kuzzle

Place = Callable[[Kuzzle], Store]


@pytest.fixture(scope="module")
def stored(place: Place, unique: Callable[[str], str]) -> Stored:
    """The world of the contract, in the store that `place` of the test module makes."""
    engine = unique("world")
    return Stored(place(world(engine)), engine)


@pytest.fixture(scope="module")
def real(place: Place, unique: Callable[[str], str]) -> Stored:
    """The documents that a real Kuzzle wrote."""
    engine = unique("peer")
    return Stored(place(kuzzle.real(engine)), engine)
