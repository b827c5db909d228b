"""What every store promises, tested on the CSV that comes of it: the same documents, requests and bytes for all.

A test module inherits `StoreContract` and defines the fixture `place`: documents -> a store that holds them.
"""

from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from services import exports
from services.errors import InvalidArgument, NotFound, UnknownEngine
from services.filters.koncorde.nodes import All
from services.formats import Maker
from services.measures import ExportRequest, Kind, Model, Slot, SortKey, Target
from services.options import AGGREGATES, Options
from services.scheduling.cpu_turn import CpuTurns
from services.stores.port import SAMPLE_BYTES, Count, Store
from tests.services.stores import oracle
from tests.services.stores.world import INSTANTS, NOON, ODD_REFERENCES, TEXTS, TIES, VALUES, other
from tests.support import kuzzle

FIXED = "Measure Id,Measured At,Measured At ISO,Measure Type,Device Id,Device Model,Asset Id,Asset Model"
CONTAINER = (
    f"{FIXED},temperatureExt.temperature,temperatureInt.temperature,"
    "position.position,position.accuracy,position.altitude,temperatureWeather.temperature"
)
DUMMY_TEMP = (
    f"{FIXED},temperature.temperature,accelerationSensor.acceleration.x,accelerationSensor.acceleration.y,"
    "accelerationSensor.acceleration.z,accelerationSensor.accuracy,battery.battery"
)

OLDEST_FIRST = (SortKey("measuredAt"),)
NEWEST_FIRST = (SortKey("measuredAt", "desc"),)


@dataclass(frozen=True)
class Stored:
    """A store, and the engine in it that the tests ask of."""

    store: Store
    engine: str

    def request(self, id: str, *, kind: Kind = "assets", query: Any = None, **options: Any) -> ExportRequest:
        """`query`: a Koncorde filter as JSON; `options`: those of `ExportRequest`, oldest first unless told."""
        from services.filters.koncorde.parse import parse

        filter = All() if query is None else parse(query)
        options = {"sort": OLDEST_FIRST, "export_id": "x1", **options}
        return ExportRequest(target=Target(self.engine, kind, id), filter=filter, **options)

    def csv(self, id: str, **options: Any) -> str:
        return self.export(self.request(id, **options))

    def ids(self, id: str, **options: Any) -> list[str]:
        """For measures whose cells hold no line ends."""
        return [line.partition(",")[0] for line in self.csv(id, **options).splitlines()[1:]]

    def export(self, request: ExportRequest) -> str:
        return self.export_bytes(request).decode()

    def export_bytes(self, request: ExportRequest) -> bytes:
        return b"".join(exports.download(request, self.store, CpuTurns(), Maker()))


def csv(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def of_seconds(*seconds: int) -> list[str]:
    """Ids of `Container-ties`, each second's in order of insertion."""
    return [id for second in seconds for id, at in TIES if at == second]


class StoreContract:
    def test_it_is_ready(self, stored: Stored) -> None:
        """A store that can be read says so by not raising."""
        stored.store.ready()

    def test_every_slot_of_the_model(self, stored: Stored) -> None:
        """Newest first: a column for each leaf of each slot, a cell only where the measure is of that slot."""
        assert stored.csv("Container-central", sort=NEWEST_FIRST) == csv(
            CONTAINER,
            "c4,1718000060001,2024-06-10T06:14:20.001Z,temperature,weather,,Container-central,Container,,,,,,-0.5",
            "c3,1718000060000,2024-06-10T06:14:20.000Z,temperature,DummyTemp-d1,DummyTemp,Container-central,Container,"
            ",20,,,,",
            "c1,1718000000000,2024-06-10T06:13:20.000Z,temperature,DummyTemp-d1,DummyTemp,Container-central,Container,"
            "21.5,,,,,",
            "c2,1718000000000,2024-06-10T06:13:20.000Z,position,DummyTemp-d1,DummyTemp,Container-central,Container,"
            ',,"{""lat"":48.85,""lon"":2}",12,,',
        )

    def test_a_device(self, stored: Stored) -> None:
        """The measures that the device itself sent, linked to an asset or not, in the slots of its own model."""
        assert stored.csv("DummyTemp-d7", kind="devices") == csv(
            DUMMY_TEMP,
            "d1,1718000000000,2024-06-10T06:13:20.000Z,temperature,DummyTemp-d7,DummyTemp,Container-linked,Container,"
            "1.5,,,,,",
            "d2,1718000000001,2024-06-10T06:13:20.001Z,acceleration,DummyTemp-d7,DummyTemp,,,,1,-0.25,,0.5,",
            "d3,1718000000002,2024-06-10T06:13:20.002Z,battery,DummyTemp-d7,DummyTemp,,,,,,,,83",
        )

    def test_an_asset_without_measures(self, stored: Stored) -> None:
        """The header row alone."""
        assert stored.csv("Container-empty") == csv(CONTAINER)

    def test_measures_that_lack_things(self, stored: Stored) -> None:
        """Without type, slot or origin: the only slot of the type, else one named after the type, else `measure`."""
        assert stored.csv("Container-sparse") == csv(
            f"{CONTAINER},measure,mystery,temperature.temperature",
            "s0,1718000000000,2024-06-10T06:13:20.000Z,,,,Container-sparse,Container,,1,,,,,,,",
            's1,1718000000001,2024-06-10T06:13:20.001Z,,,,Container-sparse,Container,,,,,,,"{""temperature"":2}",,',
            "s2,1718000000002,2024-06-10T06:13:20.002Z,temperature,,,Container-sparse,Container,,,,,,,,,3",
            "s3,1718000000003,2024-06-10T06:13:20.003Z,position,,,Container-sparse,Container,,,,4,,,,,",
            "s4,1718000000004,2024-06-10T06:13:20.004Z,mystery,,,Container-sparse,Container,"
            ',,,,,,,"{""temperature"":5}",',
            "s5,1718000000005,2024-06-10T06:13:20.005Z,temperature,,,Container-sparse,Container,,,,,,,,,",
            "s6,1718000000006,2024-06-10T06:13:20.006Z,temperature,,,Container-sparse,Container,,,,,,,,,",
            "s7,1718000000007,2024-06-10T06:13:20.007Z,temperature,,,Container-sparse,Container,,,,,,,,,",
        )

    def test_slots_beside_the_model(self, stored: Stored) -> None:
        """By name after the model's, with the columns of each type that they hold."""
        asset = ",,,Bare-unmodelled,Bare,"
        assert stored.csv("Bare-unmodelled") == csv(
            f"{FIXED},battery.battery,battery.temperature,accel.acceleration.x,accel.acceleration.y,"
            "accel.acceleration.z,accel.accuracy,zeta.battery,zeta.movement",
            f"u0,1718000000000,2024-06-10T06:13:20.000Z,movement{asset},,,,,,,true",
            f"u1,1718000000001,2024-06-10T06:13:20.001Z,battery{asset}7,,,,,,,",
            f"u2,1718000000002,2024-06-10T06:13:20.002Z,temperature{asset},8.5,,,,,,",
            f"u3,1718000000003,2024-06-10T06:13:20.003Z,acceleration{asset},,,,9,1,,",
            f"u4,1718000000004,2024-06-10T06:13:20.004Z,battery{asset},,,,,,10,",
        )

    def test_columns_do_not_depend_on_what_is_asked_of_the_rows(self, stored: Stored) -> None:
        """`query`, `from` and `size` leave the header as it is; the range and the type decide it."""
        whole = stored.csv("Bare-unmodelled").splitlines()[0]
        assert stored.csv("Bare-unmodelled", size=0) == csv(whole)
        assert stored.csv("Bare-unmodelled", offset=5) == csv(whole)
        assert stored.csv("Bare-unmodelled", query={"exists": "nowhere"}) == csv(whole)
        assert stored.csv("Bare-unmodelled", type="movement", size=0) == csv(f"{FIXED},battery.battery,zeta.movement")
        assert stored.csv("Bare-unmodelled", end_ms=NOON, size=0) == csv(f"{FIXED},battery.battery,zeta.movement")

    def test_every_kind_of_value(self, stored: Stored) -> None:
        """Booleans, integers of any size, exponents, objects and arrays."""
        assert stored.csv("Odd-values") == csv(
            f"{FIXED},odd.any",
            *(
                f"v{number:02},{NOON + number},2024-06-10T06:13:20.{number:03}Z,odd,,,Odd-values,Odd,{cell}"
                for number, (_, cell) in enumerate(VALUES)
            ),
        )

    def test_every_kind_of_text(self, stored: Stored) -> None:
        """Quotes, line ends and what a spreadsheet would run."""
        assert stored.csv("Noted-texts") == csv(
            f"{FIXED},note.text",
            *(
                f"x{number:02},{NOON + number},2024-06-10T06:13:20.{number:03}Z,note,,,Noted-texts,Noted,{cell}"
                for number, (_, cell) in enumerate(TEXTS)
            ),
        )

    def test_every_kind_of_instant(self, stored: Stored) -> None:
        """As stored, and in UTC: before 1970 and after 2100, as text, as a fraction; in order of time."""
        rows = [f"i{number:02},{cells},battery,,,Bare-instants,Bare,1" for number, (_, cells) in enumerate(INSTANTS)]
        assert stored.csv("Bare-instants") == csv(f"{FIXED},battery.battery", *rows)

    @pytest.mark.parametrize(
        ("start_ms", "end_ms", "first", "last"),
        [
            (None, -1, 0, 3),
            (-1, -1, 3, 3),
            (0, 0, 4, 4),
            (1, 10_000, 5, 5),
            (NOON, NOON, 9, 10),
            (NOON, NOON + 1, 9, 11),
            (4_102_444_800_000, None, 12, 13),
            (None, None, 0, 13),
        ],
    )
    def test_a_range_of_any_century(
        self, stored: Stored, start_ms: int | None, end_ms: int | None, first: int, last: int
    ) -> None:
        """Both ends inclusive, whatever way the instant is stored."""
        found = stored.ids("Bare-instants", start_ms=start_ms, end_ms=end_ms)
        assert found == [f"i{number:02}" for number in range(first, last + 1)]

    def test_ties_come_in_order_of_insertion(self, stored: Stored) -> None:
        """In both directions: two downloads of the same data are the same bytes."""
        assert stored.ids("Container-ties", sort=OLDEST_FIRST) == of_seconds(0, 1, 2)
        assert stored.ids("Container-ties", sort=NEWEST_FIRST) == of_seconds(2, 1, 0)

    @pytest.mark.parametrize("sort", [OLDEST_FIRST, NEWEST_FIRST, (SortKey("type"), SortKey("measuredAt", "desc"))])
    @pytest.mark.parametrize(
        ("offset", "size"),
        [(0, None), (0, 0), (0, 1), (0, 5), (3, 4), (3, None), (11, 5), (12, None), (12, 3), (99, 1), (2**53, 2**53)],
    )
    def test_from_and_size(self, stored: Stored, sort: tuple[SortKey, ...], offset: int, size: int | None) -> None:
        """A part of the whole, in its order; the count is that of the whole."""
        whole = stored.ids("Container-ties", sort=sort)
        request = stored.request("Container-ties", sort=sort, offset=offset, size=size)
        part = whole[offset:] if size is None else whole[offset : offset + size]
        assert stored.ids("Container-ties", sort=sort, offset=offset, size=size) == part
        assert stored.store.check(request) == Count(12, True)

    @pytest.mark.parametrize(("id", "rows"), [("Container-ties", range(12, 13)), ("Noted-large", range(3))])
    def test_a_sample(self, stored: Stored, id: str, rows: range) -> None:
        """A few measures as they are; of large ones no more than are small together."""
        sample = stored.store.check(stored.request(id)).sample
        assert len(sample) in rows
        assert len(msgspec.json.encode([measure.source for measure in sample])) <= SAMPLE_BYTES

    def test_a_part_of_what_a_filter_finds(self, stored: Stored) -> None:
        """`from` and `size` count rows of the file."""
        query = {"range": {"values.temperature": {"gt": 4}}}
        whole = stored.ids("Container-ties", query=query)
        assert len(whole) == 8
        assert stored.ids("Container-ties", query=query, offset=2, size=3) == whole[2:5]
        assert stored.ids("Container-ties", query=query, offset=7, size=9) == whole[7:]
        assert stored.ids("Container-ties", query=query, offset=8) == []

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ([SortKey("type")], "k5 k7 k2 k4 k1 k3 k6 k8"),
            ([SortKey("type", "desc")], "k1 k3 k6 k8 k2 k4 k5 k7"),
            ([SortKey("origin._id")], "k5 k2 k1 k6 k4 k8 k3 k7"),
            ([SortKey("origin._id", "desc")], "k8 k4 k1 k6 k2 k5 k3 k7"),
            ([SortKey("origin._id", missing="_first")], "k3 k7 k5 k2 k1 k6 k4 k8"),
            ([SortKey("origin._id", "desc", missing="_first")], "k3 k7 k8 k4 k1 k6 k2 k5"),
            ([SortKey("origin._id", missing="aa")], "k5 k2 k3 k7 k1 k6 k4 k8"),
            ([SortKey("type"), SortKey("origin._id", "desc")], "k5 k7 k4 k2 k8 k1 k6 k3"),
            ([SortKey("type"), SortKey("measuredAt", "desc")], "k7 k5 k2 k4 k8 k1 k3 k6"),
            ([SortKey("measuredAt"), SortKey("type", "desc")], "k3 k6 k4 k2 k5 k1 k8 k7"),
            ([SortKey("measuredAt", "desc"), SortKey("type")], "k7 k8 k1 k5 k2 k4 k3 k6"),
            ([SortKey("measuredAt", "desc"), SortKey("origin._id")], "k8 k7 k1 k5 k2 k6 k4 k3"),
        ],
    )
    def test_own_sorts(self, stored: Stored, sort: list[SortKey], expected: str) -> None:
        """Keywords by code point, missing last unless told, ties in order of insertion."""
        assert stored.ids("Container-sorts", sort=tuple(sort)) == expected.split()

    @pytest.mark.parametrize("field", ["_id"])
    def test_sorts_that_no_store_has(self, stored: Stored, field: str) -> None:
        """Refused at prepare, by name."""
        with pytest.raises(InvalidArgument, match="sort"):
            stored.store.check(stored.request("Container-ties", sort=(SortKey(field),)))

    @pytest.mark.parametrize(
        ("type", "expected"),
        [("position", ["k4", "k2"]), ("temperature", ["k3", "k6", "k1", "k8"]), ("nothing has it", []), ("", [])],
    )
    def test_a_type(self, stored: Stored, type: str, expected: list[str]) -> None:
        """Only its measures; a type that nothing has gives none."""
        request = stored.request("Container-sorts", type=type)
        assert stored.ids("Container-sorts", type=type) == expected
        assert stored.store.check(request) == Count(len(expected), True)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({}, "0123456789"),
            ({"equals": {"type": "position"}}, "4"),
            ({"equals": {"values.temperature": 30}}, "2"),
            ({"equals": {"values.temperature": 30.0}}, "2"),
            ({"equals": {"values.temperature": "30"}}, ""),
            ({"equals": {"values.temperature": None}}, "3"),
            ({"equals": {"values.movement": True}}, "5"),
            ({"equals": {"values.movement": False}}, "6"),
            ({"equals": {"values.text": "true"}}, "7"),
            ({"equals": {"values.text": "one"}}, ""),
            ({"equals": {"nowhere": 1}}, ""),
            ({"equals": {"_id": "f4"}}, "4"),
            ({"range": {"values.temperature": {"gte": 20.5}}}, "12"),
            ({"range": {"values.temperature": {"gt": 20.5}}}, "2"),
            ({"range": {"values.temperature": {"gt": 10, "lt": 30}}}, "1"),
            ({"range": {"values.temperature": {"gte": 10, "lte": 30}}}, "012"),
            ({"range": {"measuredAt": {"lt": NOON + 2}}}, "01"),
            ({"range": {"values.movement": {"gte": 0}}}, ""),
            ({"exists": "values.temperature"}, "0123"),
            ({"exists": "values"}, "0123456789"),
            ({"exists": "values.text"}, "78"),
            ({"exists": 'values.text["two"]'}, "8"),
            ({"missing": "values.temperature"}, "456789"),
            ({"missing": 'values.text["two"]'}, "012345679"),
            ({"and": [{"exists": "values.temperature"}, {"equals": {"asset.measureName": "temperatureInt"}}]}, "23"),
            ({"or": [{"equals": {"values.movement": True}}, {"equals": {"values.accuracy": 10}}]}, "45"),
            ({"not": {"exists": "values.temperature"}}, "456789"),
            ({"not": {"equals": {"values.movement": True}}}, "012346789"),
            ({"not": {"range": {"values.temperature": {"gte": 20.5}}}}, "03456789"),
            ({"not": {"or": [{"equals": {"type": "note"}}, {"not": {"missing": "values.temperature"}}]}}, "456"),
            (
                {"and": [{"or": [{"equals": {"type": "note"}}, {"equals": {"type": "movement"}}]},
                         {"not": {"equals": {"values.text": "true"}}}]},
                "5689",
            ),
        ],
    )  # fmt: skip
    def test_filters(self, stored: Stored, query: Any, expected: str) -> None:
        """Koncorde's meaning; a count that is not exact is at least what is found."""
        count = stored.store.check(stored.request("Container-filters", query=query))
        assert stored.ids("Container-filters", query=query) == [f"f{digit}" for digit in expected]
        assert count.rows == len(expected) or (not count.exact and count.rows > len(expected))

    def test_arguments_together(self, stored: Stored) -> None:
        """Range, type, filter, sort, `from` and `size` all count."""
        found = stored.ids(
            "Container-filters", start_ms=NOON + 1, end_ms=NOON + 3, type="temperature",
            query={"exists": "values.temperature"}, sort=NEWEST_FIRST, offset=1, size=1,
        )  # fmt: skip
        assert found == ["f2"]

    @pytest.mark.parametrize("reference", ODD_REFERENCES)
    def test_ids_of_any_text(self, stored: Stored, reference: str) -> None:
        """An id is a value, never a part of a path or a query."""
        assert stored.ids(f"Bare-{reference}") == [f"-o{ODD_REFERENCES.index(reference)}"]

    def test_models(self, stored: Stored) -> None:
        """The slots of an asset and of a device, in order."""
        assert stored.store.model(Target(stored.engine, "assets", "Container-empty")) == Model(
            "Container",
            (
                Slot("temperatureExt", "temperature"),
                Slot("temperatureInt", "temperature"),
                Slot("position", "position"),
                Slot("temperatureWeather", "temperature"),
            ),
        )
        assert stored.store.model(Target(stored.engine, "devices", "DummyTemp-d7")) == Model(
            "DummyTemp",
            (
                Slot("temperature", "temperature"),
                Slot("accelerationSensor", "acceleration"),
                Slot("battery", "battery"),
            ),
        )

    def test_models_of_a_group(self, stored: Stored) -> None:
        """An asset's model is of the engine's own group, or of all."""
        engine = other(stored.engine)
        assert stored.store.model(Target(engine, "assets", "Theirs-seen")).name == "Theirs"
        assert stored.store.model(Target(engine, "assets", "Bare-common")).name == "Bare"
        with pytest.raises(NotFound):
            stored.store.model(Target(stored.engine, "assets", "Theirs-unseen"))

    @pytest.mark.parametrize(
        "engine", ["", "no-such-engine", "UPPER", "*", "a,b", "a/b", "../x", "&x", ".", "..", "é", "_all", "x" * 300]
    )
    def test_unknown_engines(self, stored: Stored, engine: str) -> None:
        """An engine is one that has a config document, whatever the text."""
        with pytest.raises(UnknownEngine):
            stored.store.model(Target(engine, "assets", "Container-central"))

    @pytest.mark.parametrize(
        ("kind", "id"),
        [
            ("assets", "Container-nowhere"),
            ("assets", "DummyTemp-d7"),
            ("assets", "container-central"),
            ("assets", "*"),
            ("assets", ""),
            ("assets", "x" * 600),
            ("devices", "Container-central"),
        ],
    )
    def test_unknown_targets(self, stored: Stored, kind: Kind, id: str) -> None:
        """A document of the other kind, or of nearly the same id, is not the target."""
        with pytest.raises(NotFound, match=f'^Document ".*" not found in "{stored.engine}":"{kind}"'):
            stored.store.model(Target(stored.engine, kind, id))

    @pytest.mark.parametrize("kind", ["assets", "devices"])
    def test_unknown_models(self, stored: Stored, kind: Kind) -> None:
        """An asset or a device whose model nobody knows cannot be exported."""
        with pytest.raises(NotFound):
            stored.store.model(Target(stored.engine, kind, "Nobody-knows"))

    def test_mappings(self, stored: Stored) -> None:
        """Those of the types asked for; a type without a model is left out."""
        assert stored.store.mappings({"battery", "mystery"}) == {"battery": {"battery": {"type": "integer"}}}
        assert stored.store.mappings([]) == {}

    def test_slots(self, stored: Stored) -> None:
        """The pairs as stored, in the range and of the type, whatever the filter."""
        assert stored_slots(stored, "Container-sparse") == {
            Slot("temperatureInt", None), Slot(None, None), Slot(None, "temperature"), Slot(None, "position"),
            Slot("mystery", "mystery"), Slot("temperatureExt", "temperature"),
        }  # fmt: skip
        assert stored_slots(stored, "Container-sparse", start_ms=NOON + 4, query={"exists": "nowhere"}) == {
            Slot("mystery", "mystery"),
            Slot("temperatureExt", "temperature"),
        }
        assert stored_slots(stored, "DummyTemp-d7", kind="devices") == {
            Slot("temperature", "temperature"), Slot("accelerationSensor", "acceleration"), Slot(None, "battery"),
        }  # fmt: skip

    def test_close_at_any_moment(self, stored: Stored) -> None:
        """Never started, in the middle, at the end; any number of times."""
        never = stored.store.open(stored.request("Container-ties"))
        never.close()
        started = stored.store.open(stored.request("Container-ties"))
        next(iter(started.pages()))
        started.close()
        started.close()
        whole = stored.store.open(stored.request("Container-ties"))
        assert sum(len(page) for page in whole.pages()) == 12
        whole.close()

    @pytest.mark.parametrize("sort", [OLDEST_FIRST, NEWEST_FIRST])
    @pytest.mark.parametrize(
        ("kind", "id"),
        [("assets", "Container-c1"), ("devices", "DummyTempPosition-d1"), ("devices", "DummyTemp-d2")],
    )
    def test_the_documents_of_a_real_kuzzle(self, real: Stored, kind: Kind, id: str, sort: tuple[SortKey, ...]) -> None:
        """Whole, as a plain reading of the same documents gives them."""
        documents = kuzzle.real().collections[kuzzle.REAL_ENGINE, "measures"].documents
        expected = oracle.csv(documents, kind, id, newest_first=sort == NEWEST_FIRST)
        assert real.csv(id, kind=kind, sort=sort) == expected

    @pytest.mark.parametrize("sort", [OLDEST_FIRST, NEWEST_FIRST])
    def test_a_row_an_instant(self, stored: Stored, sort: tuple[SortKey, ...]) -> None:
        """Slots of one instant share a row; the k-th of a slot, in order of insertion, stands in the k-th."""
        rows = stored.csv("Container-central", sort=sort, options=Options(layout="wide")).splitlines()
        assert rows[0] == "Measured At,Measured At ISO" + CONTAINER.removeprefix(FIXED)
        assert rows[1:][:: 1 if sort == OLDEST_FIRST else -1] == [
            '1718000000000,2024-06-10T06:13:20.000Z,21.5,,"{""lat"":48.85,""lon"":2}",12,,',
            "1718000060000,2024-06-10T06:14:20.000Z,,20,,,,",
            "1718000060001,2024-06-10T06:14:20.001Z,,,,,,-0.5",
        ]
        fields = Options(layout="wide", fields=("Measured At", "temperatureExt.temperature"))
        found = stored.csv("Container-ties", sort=sort, options=fields).splitlines()[1:]
        seconds = (0, 1, 2) if sort == OLDEST_FIRST else (2, 1, 0)
        expected = [f"{NOON + at * 1000},{int(id[1:])}" for each in seconds for id in of_seconds(each) for at in [each]]
        assert found == expected
        assert (
            stored.csv("Container-ties", sort=sort, offset=2, size=3, options=fields).splitlines()[1:] == expected[2:5]
        )
        assert stored.csv("Container-ties", size=0, options=fields).splitlines()[1:] == []

    @pytest.mark.parametrize("sort", [OLDEST_FIRST, NEWEST_FIRST])
    def test_a_row_an_interval(self, stored: Stored, sort: tuple[SortKey, ...]) -> None:
        """The first and the last by time, ties by insertion, whichever comes first."""
        options = Options(
            layout="wide", interval="1s", aggregate=AGGREGATES,
            fields=("Measured At", *(f"temperatureExt.temperature {name}" for name in AGGREGATES)),
        )  # fmt: skip
        expected = []
        for second in (0, 1, 2):
            values = [int(id[1:]) for id in of_seconds(second)]
            told = (
                sum(values) / len(values),
                min(values),
                max(values),
                sum(values),
                len(values),
                values[0],
                values[-1],
            )
            expected.append(",".join(f"{each:g}" for each in (told)))
        rows = stored.csv("Container-ties", sort=sort, options=options).splitlines()[1:]
        assert [row.partition(",")[2] for row in rows][:: 1 if sort == OLDEST_FIRST else -1] == expected

        whole = stored.csv("Container-ties", sort=sort, options=replace(options, interval="1h")).splitlines()[1:]
        numbers = [int(id[1:]) for id in of_seconds(0, 1, 2)]
        assert whole == [
            f"{NOON - NOON % 3_600_000},{sum(numbers) / len(numbers):g},{min(numbers)},{max(numbers)},{sum(numbers)},"
            f"{len(numbers)},{numbers[0]},{numbers[-1]}"
        ]

    def test_filled_intervals(self, stored: Stored) -> None:
        """Missing rows are made, and cells take what their column had; geo points are the last."""
        options = Options(layout="wide", interval="20s", fill="previous", fields=("Measured At", "position.accuracy"))
        assert stored.csv("Container-central", options=options).splitlines()[1:] == [
            f"{NOON + at * 1000},12" for at in (0, 20, 40, 60)
        ]

    @pytest.mark.parametrize("asset", ["Container-central", "Container-ties", "Bare-instants", "Container-sparse"])
    def test_wide_rows_are_the_same_both_ways(self, stored: Stored, asset: str) -> None:
        """Whatever `measuredAt` is stored as: the rows of an instant, and intervals to the digit."""
        for options in (Options(layout="wide"), Options(layout="wide", interval="1d", timezone="Europe/Berlin")):
            old, new = (
                stored.csv(asset, sort=sort, options=options).splitlines()[1:] for sort in (OLDEST_FIRST, NEWEST_FIRST)
            )
            assert sorted(old) == sorted(new)
            instants = [int(row.partition(",")[0]) for row in old]
            assert instants == sorted(instants)


def stored_slots(stored: Stored, id: str, **options: Any) -> set[Slot]:
    reading = stored.store.open(stored.request(id, **options))
    try:
        return set(reading.slots)
    finally:
        reading.close()
