"""The embedded store keeps the promises of every store."""

from collections.abc import Callable

import pytest

from services.scheduling.cpu_turn import CpuTurns
from services.stores.port import Store
from services.stores.sqlite import SqliteStore, load
from tests.services.stores.contract import StoreContract
from tests.services.stores.fleet_contract import FleetContract
from tests.support.kuzzle import Kuzzle

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Kuzzle], Store]:
    """Documents into a database of their own, the way users load them."""

    def placed(documents: Kuzzle) -> Store:
        folder = tmp_path_factory.mktemp("store")
        path = str(folder / "measures.sqlite3")
        load(path, documents.into_folder(folder / "documents"))
        return SqliteStore(path, CpuTurns())

    return placed


class TestSqliteStore(StoreContract, FleetContract):
    """On documents loaded from files."""
