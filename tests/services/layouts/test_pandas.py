"""Rows of instants and intervals are what pandas makes of the long file: by `pivot`, by `resample`."""

import io
import tempfile
from pathlib import Path
from typing import Any

import pandas
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.instants import iso
from services.measures import SortKey
from services.options import Options
from services.scheduling.cpu_turn import CpuTurns
from services.stores.sqlite import SqliteStore, load
from tests.services.stores.contract import Stored
from tests.services.stores.world import measure
from tests.support.kuzzle import Kuzzle

#: Nights in which clocks change, and an ordinary day: UTC, in ms.
NIGHTS = {
    "Europe/Berlin": ("2024-03-30T20:00:00Z", "2024-10-26T20:00:00Z"),
    "America/New_York": ("2024-03-10T03:00:00Z", "2024-11-03T03:00:00Z"),
    "Australia/Lord_Howe": ("2024-04-06T12:00:00Z", "2024-10-05T12:00:00Z"),
    "Asia/Kathmandu": ("2024-06-10T00:00:00Z", "2023-12-31T12:00:00Z"),
    "UTC": ("2024-02-28T20:00:00Z", "2023-12-31T20:00:00Z"),
}

#: Intervals that pandas knows, by its own words.
RULES = {"15m": "15min", "1h": "1h", "1d": "1D", "1w": "W-MON", "1M": "MS", "1y": "YS"}

SLOTS = ("temperatureExt", "temperatureInt", "temperatureWeather")
COLUMNS = [f"{slot}.temperature" for slot in SLOTS]

#: Slot, milliseconds after the beginning of a night, value.
MEASURES = st.lists(
    st.tuples(
        st.sampled_from(SLOTS),
        st.sampled_from((0, 1, 60_000, 3_599_999)).flatmap(
            lambda ms: st.integers(0, 40).map(lambda hour: hour * 1_800_000 + ms)
        ),
        st.floats(-1e6, 1e6, width=32) | st.integers(-50, 50),
    ),
    min_size=1,
    max_size=40,
)


def stored(measures: list[tuple[str, int, float]], begin: int) -> Stored:
    """The measures of one asset, in this order, in a store that is read like any other."""
    kuzzle = Kuzzle()
    kuzzle.measure_model("temperature", {"temperature": {"type": "float"}})
    kuzzle.asset_model("Container", dict.fromkeys(SLOTS, "temperature"))
    kuzzle.engine("e")
    asset = kuzzle.asset("e", "Container", "one")
    for number, (slot, at, value) in enumerate(measures):
        stamp: Any = begin + at if number % 3 else iso(begin + at)
        measure(kuzzle, "e", f"m{number:03}", asset, slot, "temperature", stamp, {"temperature": value})
    folder = Path(tempfile.mkdtemp())
    load(str(folder / "measures.sqlite3"), kuzzle.into_folder(folder / "documents"))
    return Stored(SqliteStore(str(folder / "measures.sqlite3"), CpuTurns()), "e")


def frame(text: str) -> pandas.DataFrame:
    return pandas.read_csv(io.StringIO(text))


def long(found: Stored) -> pandas.DataFrame:
    """The long file, oldest first, with instants in ms, and one column of slots and one of values."""
    table = frame(found.csv("Container-one"))
    melted = table.melt(["Measure Id", "Measured At ISO"], COLUMNS, "column", "value").dropna(subset="value")
    melted["at"] = pandas.to_datetime(melted["Measured At ISO"], utc=True, format="ISO8601")
    order = {id: place for place, id in enumerate(table["Measure Id"])}
    return melted.sort_values("Measure Id", key=lambda ids: ids.map(order))


def wide(found: Stored, order: str, **options: Any) -> pandas.DataFrame:
    sort = (SortKey("measuredAt", "desc" if order == "desc" else "asc"),)
    table = frame(found.csv("Container-one", sort=sort, options=Options(**options)))
    return table.sort_values("Measured At", kind="stable").reset_index(drop=True)


@pytest.mark.parametrize("order", ["asc", "desc"])
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(measures=MEASURES)
def test_instants(order: str, measures: list[tuple[str, int, float]]) -> None:
    """The k-th of a slot in the k-th row."""
    found = stored(measures, 1_718_000_000_000)
    melted = long(found)
    melted["k"] = melted.groupby(["at", "column"]).cumcount()
    pivot = melted.pivot(index=["at", "k"], columns="column", values="value").reindex(columns=COLUMNS)
    table = wide(found, order, layout="wide")
    at = (pivot.index.get_level_values("at") - pandas.Timestamp(0, tz="UTC")) // pandas.Timedelta("1ms")
    assert table["Measured At"].tolist() == at.tolist()
    pandas.testing.assert_frame_equal(
        table[COLUMNS].astype(float), pivot.reset_index(drop=True).astype(float), check_names=False, check_exact=True
    )


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("zone", NIGHTS)
@settings(max_examples=6, deadline=None, derandomize=True, database=None)
@given(measures=MEASURES, interval=st.sampled_from(list(RULES)), night=st.integers(0, 1))
def test_intervals(zone: str, order: str, measures: list[tuple[str, int, float]], interval: str, night: int) -> None:
    """Means, sums, extremes, counts, first and last."""
    assume((zone, interval) != ("Australia/Lord_Howe", "1h"))  # pandas goes on by 60 minutes where clocks go back by 30
    begin = int(pandas.Timestamp(NIGHTS[zone][night]).timestamp() * 1000)
    found = stored(measures, begin)
    melted = long(found)
    melted["at"] = melted["at"].dt.tz_convert(zone)
    names = {
        "avg": "mean",
        "min": "min",
        "max": "max",
        "sum": "sum",
        "count": "count",
        "first": "first",
        "last": "last",
    }
    by_week = {"closed": "left", "label": "left"} if interval == "1w" else {}
    groups = melted.set_index("at").groupby("column")["value"]
    expected = groups.resample(RULES[interval], **by_week).agg(list(names.values()))
    expected = expected[expected["count"] > 0]
    table = wide(found, order, layout="wide", interval=interval, timezone=zone, aggregate=tuple(names))
    for column in COLUMNS:
        if column not in expected.index.get_level_values(0):
            assert table[[f"{column} {name}" for name in names]].isna().all(axis=None)
            continue
        of_column = expected.loc[column]
        rows = table[table[f"{column} count"].notna()]
        starts = (of_column.index.tz_convert("UTC") - pandas.Timestamp(0, tz="UTC")) // pandas.Timedelta("1ms")
        assert rows["Measured At"].tolist() == starts.tolist()
        for ours, theirs in names.items():
            assert rows[f"{column} {ours}"].tolist() == pytest.approx(of_column[theirs].tolist(), rel=1e-12, abs=1e-9)
