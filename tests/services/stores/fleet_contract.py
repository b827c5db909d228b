"""What every store promises of fleets: their rows are those of their assets (devices), in one order."""

import csv
import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from services.columns import columns
from services.errors import InvalidArgument, NotFound, UnknownEngine
from services.instants import instant
from services.measures import Collapse, ExportRequest, Fleet, Kind, Slot, SortKey
from services.options import Options
from services.stores.port import Count
from tests.services.stores.contract import FIXED, NEWEST_FIRST, OLDEST_FIRST, Stored
from tests.services.stores.world import NOON, other, world
from tests.support.kuzzle import JSON

#: Decided while reading on Elasticsearch: which rows are there is known only then.
ODD = {"not": {"regexp": {"_id": "[stg][0-9]*[13579]"}}}

TEMPERATURES = {"equals": {"type": "temperature"}}


def request(stored: Stored, kind: Kind = "assets", *, query: Any = None, **options: Any) -> ExportRequest:
    """`ids`, `models`, `groups` and what `Stored.request` takes."""
    chosen = {name: options.pop(name) for name in ("ids", "models", "groups") if name in options}
    one = stored.request("Container-ties", kind=kind, query=query, **options)
    return ExportRequest(
        **{name: getattr(one, name) for name in ExportRequest.__dataclass_fields__}
        | {"target": Fleet(stored.engine, kind, **chosen)}
    )


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def ids(text: str) -> list[str]:
    return [row["Measure Id"] for row in rows(text)]


def measures(stored: Stored) -> Mapping[str, JSON]:
    return world(stored.engine).collections[stored.engine, "measures"].documents


def expected(stored: Stored, kind: Kind, *, newest_first: bool = False) -> list[str]:
    """Ids of all measures that have an asset (are of a device), in order of time and then of insertion."""
    found = [(instant(source["measuredAt"]) or 0, id) for id, source in measures(stored).items() if owner(source, kind)]
    return [id for _, id in sorted(found, key=lambda each: -each[0] if newest_first else each[0])]


def owner(source: JSON, kind: Kind) -> Any:
    if kind == "assets":
        return (source.get("asset") or {}).get("_id")
    origin = source.get("origin") or {}
    return origin.get("_id") if origin.get("type") == "device" else None


def filled(row: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if value}


def owners(stored: Stored, kind: Kind) -> set[str]:
    """Ids of the assets (devices) that have measures and are listed."""
    listed = world(stored.engine).collections[stored.engine, kind].documents
    return {owner(source, kind) for source in measures(stored).values()} & listed.keys()


class FleetContract:
    @pytest.mark.parametrize("kind", ["assets", "devices"])
    @pytest.mark.parametrize("sort", [OLDEST_FIRST, NEWEST_FIRST])
    def test_a_fleet_is_the_sum_of_its_parts(self, stored: Stored, kind: Kind, sort: tuple[SortKey, ...]) -> None:
        """Every row in one order, ties in order of insertion; every cell under the header that it has alone."""
        asked = request(stored, kind, sort=sort)
        found = rows(stored.export(asked))
        assert [row["Measure Id"] for row in found] == expected(stored, kind, newest_first=sort == NEWEST_FIRST)
        assert stored.store.check(asked) == Count(len(found), True)
        together = {row["Measure Id"]: filled(row) for row in found}
        for id in owners(stored, kind):
            for row in rows(stored.csv(id, kind=kind, sort=sort)):
                assert together[row["Measure Id"]] == filled(row)

    def test_some_ids(self, stored: Stored) -> None:
        """Only theirs, and the columns of their models: model by model by name, then what occurs beside them."""
        chosen = ("Container-ties", "Bare-unmodelled", "Container-empty")
        text = stored.export(request(stored, ids=chosen))
        parts = {id: stored.ids(id) for id in chosen}
        assert sorted(ids(text)) == sorted(chain.from_iterable(parts.values()))
        assert [id for id in ids(text) if id in parts["Container-ties"]] == parts["Container-ties"]
        assert text.splitlines()[0] == (
            f"{FIXED},battery.battery,battery.temperature,temperatureExt.temperature,temperatureInt.temperature,"
            "position.position,position.accuracy,position.altitude,temperatureWeather.temperature,"
            "accel.acceleration.x,accel.acceleration.y,accel.acceleration.z,accel.accuracy,zeta.battery,zeta.movement"
        )

    @pytest.mark.parametrize("chosen", [("Container-ties",), ("Container-ties", "Container-empty")])
    def test_one_of_them(self, stored: Stored, chosen: tuple[str, ...]) -> None:
        """Byte for byte the export of the one that has measures."""
        assert stored.export(request(stored, ids=chosen)) == stored.csv("Container-ties")

    @pytest.mark.parametrize(
        ("chosen", "found"),
        [
            ({"models": ("Bare",)}, {"Bare"}),
            ({"models": ("Bare", "Odd")}, {"Bare", "Odd"}),
            ({"models": ("Odd",), "ids": ("Container-ties", "Odd-values")}, {"Odd"}),
            ({"models": ("Odd",), "ids": ("Container-ties",)}, set()),
        ],
    )
    def test_models(self, stored: Stored, chosen: dict[str, Any], found: set[str]) -> None:
        """As the measures say them; with ids, both hold."""
        text = stored.export(request(stored, **chosen))
        wanted = [
            id
            for id in expected(stored, "assets")
            if measures(stored)[id]["asset"].get("model") in found
            and ("ids" not in chosen or owner(measures(stored)[id], "assets") in chosen["ids"])
        ]
        assert ids(text) == wanted

    @pytest.mark.parametrize(
        ("groups", "found"),
        [(("north",), "g0 g1"), (("so,uth",), "g1 g2 g3"), (("north", "so,uth"), "g0 g1 g2 g3"), (("nobody",), "")],
    )
    def test_groups(self, stored: Stored, groups: tuple[str, ...], found: str) -> None:
        """As the measures say them; one that nobody knows gives the header row alone."""
        asked = request(stored, groups=groups)
        assert ids(stored.export(asked)) == found.split()
        assert stored.store.check(asked).rows == len(found.split())

    def test_a_slot_by_the_model_of_its_own_asset(self, stored: Stored) -> None:
        """The only slot of the type there; a model that nobody knows has none, and the type names it."""
        found = {row["Measure Id"]: row for row in rows(stored.export(request(stored, groups=("north", "so,uth"))))}
        assert [found[id]["battery.battery"] for id in ("g0", "g1", "g2", "g3")] == ["0", "1", "2", "3"]
        sparse = rows(stored.export(request(stored, ids=("Container-sparse", "Bare-moved"))))
        assert {row["Measure Id"]: filled(row) for row in sparse}["s3"]["position.accuracy"] == "4"

    @pytest.mark.parametrize(
        ("options", "part"),
        [
            ({"start_ms": NOON + 1, "end_ms": NOON + 5}, None),
            ({"type": "temperature"}, None),
            ({"query": TEMPERATURES}, None),
            ({"query": {"range": {"values.temperature": {"gt": 4}}}}, None),
            ({"offset": 7, "size": 11}, slice(7, 18)),
            ({"offset": 40}, slice(40, None)),
        ],
    )
    def test_arguments(self, stored: Stored, options: dict[str, Any], part: slice | None) -> None:
        """Range, type, filter, `from` and `size` mean of a fleet what they mean of each."""
        found = ids(stored.export(request(stored, **options)))
        if part is not None:
            assert found == expected(stored, "assets")[part]
            return
        alone = [id for each in owners(stored, "assets") for id in ids(stored.csv(each, **options))]
        deleted = {id for id in found if measures(stored)[id]["asset"]["_id"] == "Gone-deleted"}
        assert sorted(found) == sorted({*alone, *deleted})

    def test_an_order_of_ones_own(self, stored: Stored) -> None:
        """By any field that measures are sorted by."""
        sort = (SortKey("asset._id"), SortKey("measuredAt", "desc"))
        found = rows(stored.export(request(stored, sort=sort, type="temperature")))
        keys = [(row["Asset Id"], -float(row["Measured At"])) for row in found]
        assert keys == sorted(keys)

    def test_chosen_columns(self, stored: Stored) -> None:
        """`fields` names columns of the whole fleet."""
        options = Options(fields=("Asset Id", "battery.battery", "asset.model"))
        text = stored.export(request(stored, ids=("Bare-moved", "Container-both"), options=options))
        assert text.splitlines() == [
            "Asset Id,battery.battery,asset.model",
            "Bare-moved,0,Bare", "Container-both,1,Container", "Bare-moved,3,Bare", "Bare-moved,4,Bare",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("kind", "chosen", "missing"),
        [
            ("assets", {"ids": ("Container-ties", "Container-none", "Bare-none")}, "Container-none"),
            ("devices", {"ids": ("DummyTemp-d7", "x" * 600)}, "x" * 600),
            ("assets", {"models": ("Container", "Unknown")}, "model-asset-Unknown"),
            ("assets", {"models": ("Theirs",)}, "model-asset-Theirs"),
            ("devices", {"models": ("Container",)}, "model-device-Container"),
        ],
    )
    def test_what_does_not_exist(self, stored: Stored, kind: Kind, chosen: dict[str, Any], missing: str) -> None:
        """The first that is missing is named."""
        with pytest.raises(NotFound) as raised:
            stored.store.models(Fleet(stored.engine, kind, **chosen))
        assert missing in raised.value.message

    @pytest.mark.parametrize("engine", ["no-engine", "UPPER", "a,b", "*", "", "a/b", "_all"])
    def test_an_engine_that_does_not_exist(self, stored: Stored, engine: str) -> None:
        """Whatever it is called, no index is asked for it."""
        with pytest.raises(UnknownEngine):
            stored.store.models(Fleet(engine, "assets"))

    def test_the_models_of_an_engine(self, stored: Stored) -> None:
        """All of its group and of the commons, by name."""

        def names(engine: str, kind: Kind = "assets") -> list[str]:
            return [model.name for model in stored.store.models(Fleet(engine, kind))]

        assert names(stored.engine) == ["Bare", "Container", "Noted", "Odd"]
        assert names(other(stored.engine)) == ["Bare", "Container", "Noted", "Odd", "Theirs"]
        assert names(stored.engine, "devices") == ["DummyTemp"]

    def test_a_sort_that_no_store_has(self, stored: Stored) -> None:
        """Refused at prepare, by name."""
        with pytest.raises(InvalidArgument, match="sort"):
            stored.store.check(request(stored, sort=(SortKey("_id"),)))

    @pytest.mark.parametrize("kind", ["assets", "devices"])
    @pytest.mark.parametrize("collapse", ["asset", "device", "slot"])
    @pytest.mark.parametrize(
        "options", [{}, {"end_ms": NOON + 2}, {"type": "temperature"}, {"query": ODD}, {"query": TEMPERATURES}]
    )
    def test_the_newest_of_each(self, stored: Stored, kind: Kind, collapse: Collapse, options: dict[str, Any]) -> None:
        """By id, then slot as resolved, by code points; of two at one instant the last inserted."""
        asked = request(stored, kind, collapse=collapse, sort=NEWEST_FIRST, **options)
        found = ids(stored.export(asked))
        assert found == newest(stored, kind, collapse, ids(stored.export(replace(asked, collapse=None))))
        count = stored.store.check(asked)
        assert len(found) <= count.rows

    def test_the_newest_of_some(self, stored: Stored) -> None:
        """Of chosen ids and groups only."""
        asked = request(stored, collapse="asset", sort=NEWEST_FIRST, ids=("Container-ties", "Bare-moved"))
        assert ids(stored.export(asked)) == ["g4", "t08"]
        asked = request(stored, collapse="asset", sort=NEWEST_FIRST, groups=("north", "so,uth"))
        assert ids(stored.export(asked)) == ["g3", "g1", "g2"]

    def test_the_newest_of_slots_as_resolved(self, stored: Stored) -> None:
        """A measure without a slot stands in that of its model."""
        asked = request(stored, collapse="slot", sort=NEWEST_FIRST, ids=("Container-sparse", "Container-empty"))
        assert ids(stored.export(asked)) == ["s1", "s4", "s3", "s2", "s7", "s0"]

    @pytest.mark.parametrize("kind", ["assets", "devices"])
    @pytest.mark.parametrize(
        "options",
        [
            {"sort": NEWEST_FIRST},
            {"sort": OLDEST_FIRST},
            {"sort": (SortKey("type"), SortKey("measuredAt"))},
            {"query": ODD},
            {"type": "temperature", "start_ms": NOON + 1},
        ],
    )
    def test_a_file_for_each(self, stored: Stored, kind: Kind, options: dict[str, Any]) -> None:
        """Each what its own export is; none for who has no row."""
        own = {
            id: text for id in owners(stored, kind) if (text := stored.csv(id, kind=kind, **options)).count("\n") > 1
        }
        asked = request(stored, kind, options=Options(format="zip", layout="split"), **options)
        files = files_of(stored.export_bytes(asked))
        for id, text in own.items():
            name = f"{id.partition('-')[0]}/{id}.csv"
            assert text == files[name] if is_plain(name) else text in files.values()
        together = stored.export(replace(asked, options=Options()))
        assert len(files) == len({row["Asset Id" if kind == "assets" else "Device Id"] for row in rows(together)})
        assert sum(len(rows(text)) for text in files.values()) == len(rows(together))

    @pytest.mark.parametrize("sort", [OLDEST_FIRST, NEWEST_FIRST])
    @pytest.mark.parametrize(
        "options",
        [
            {"layout": "wide"},
            {"interval": "1h"},
            {"interval": "1d", "timezone": "Europe/Berlin", "aggregate": ("min", "last")},
        ],
    )
    def test_rows_of_instants_and_intervals(
        self, stored: Stored, sort: tuple[SortKey, ...], options: dict[str, Any]
    ) -> None:
        """Those of each asset, in order of time and then of id; and with layout split, byte for byte."""
        chosen = ("Bare-unmodelled", "Container-central", "Container-sparse", "Container-ties")
        own = {id: stored.csv(id, sort=sort, options=Options(**options)) for id in chosen}
        found = rows(stored.export(request(stored, ids=chosen, sort=sort, options=Options(**options))))
        for id, text in own.items():
            of_id = [filled(row) for row in found if row["Asset Id"] == id]
            tells = {"Asset Id": id, "Asset Model": id.partition("-")[0]}
            assert of_id == [filled(row) | tells for row in rows(text)]
        direction = 1 if sort == OLDEST_FIRST else -1
        places = [(direction * int(row["Measured At"]), row["Asset Id"]) for row in found]
        assert places == sorted(places)
        if options.get("interval"):
            split = Options(**options, layout="split", format="zip")
            files = files_of(stored.export_bytes(request(stored, ids=chosen, sort=sort, options=split)))
            assert list(files.values()) == list(own.values())

    def test_many_rows_of_each(self, stored: Stored) -> None:
        """Of some ids, in order of id by code points."""
        asked = request(
            stored,
            ids=("Container-ties", "Bare-moved", "Container-empty", "Odd-values"),
            options=Options(format="zip", layout="split"),
        )
        names = list(files_of(stored.export_bytes(asked)))
        assert names == ["Bare/Bare-moved.csv", "Container/Container-ties.csv", "Odd/Odd-values.csv"]


def files_of(package: bytes) -> dict[str, str]:
    """The CSVs of a package, in order."""
    with zipfile.ZipFile(io.BytesIO(package)) as found:
        return {name: found.read(name).decode() for name in found.namelist() if name.endswith(".csv")}


def is_plain(name: str) -> bool:
    """Whether a path can be written everywhere as it is."""
    return name.count("/") == 1 and not set(name) & set('"*;:😀') and not name.endswith(" .csv")


def newest(stored: Stored, kind: Kind, collapse: Collapse, all_ids: list[str]) -> list[str]:
    """The last of each, of ids that come newest first with ties in order of insertion, plainly."""
    by: Kind = {"asset": "assets", "device": "devices"}.get(collapse, kind)  # type: ignore[assignment]
    order = {id: place for place, id in enumerate(measures(stored))}
    table = columns(kind, stored.store.models(Fleet(stored.engine, kind)), [], {})
    last: dict[tuple[str, str], str] = {}
    for id in sorted(all_ids, key=lambda id: (instant(measures(stored)[id]["measuredAt"]) or 0, order[id])):
        source = measures(stored)[id]
        holder = source.get("asset" if by == "assets" else "origin") or {}
        own = source.get("asset" if kind == "assets" else "origin") or {}
        slot = Slot(own.get("measureName"), source.get("type"), own.get("model" if kind == "assets" else "deviceModel"))
        if "_id" in holder:
            last[holder["_id"], str(table.slots.resolve(slot).name) if collapse == "slot" else ""] = id
    return [last[key] for key in sorted(last)]
