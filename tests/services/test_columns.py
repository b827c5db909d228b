"""Which columns a CSV has, and which of them a measure fills."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from services.columns import FIXED, Column, columns, leaves, types
from services.measures import Model, Slot

FLOAT = {"type": "float"}
MAPPINGS: Mapping[str, Mapping[str, Any]] = {
    "temperature": {"temperature": FLOAT},
    "humidity": {"humidity": FLOAT, "temperature": FLOAT},
    "position": {"position": {"type": "geo_point"}, "accuracy": FLOAT, "altitude": FLOAT},
    "acceleration": {"acceleration": {"properties": {"x": FLOAT, "y": FLOAT, "z": FLOAT}}, "accuracy": FLOAT},
    "battery": {"battery": {"type": "integer"}},
    "empty": {},
}
CONTAINER = Model(
    "Container",
    (
        Slot("temperatureExt", "temperature"),
        Slot("temperatureInt", "temperature"),
        Slot("position", "position"),
        Slot("temperatureWeather", "temperature"),
    ),
)
DUMMY_TEMP = Model(
    "DummyTemp",
    (Slot("temperature", "temperature"), Slot("accelerationSensor", "acceleration"), Slot("battery", "battery")),
)
ONE = Model("One", (Slot("inside", "temperature"),))
NONE = Model("None", ())

HEADERS = "Measure Id,Measured At,Measured At ISO,Measure Type,Device Id,Device Model,Asset Id,Asset Model"


def own(model: Model, *occurring: Slot) -> list[str]:
    """The headers after the fixed ones."""
    return list(columns("assets", model, occurring, MAPPINGS).headers[len(FIXED) :])


def filled(model: Model, stored: Slot, *others: Slot) -> list[str]:
    """The headers of what a measure fills which stores this pair."""
    table = columns("assets", model, [stored, *others], MAPPINGS)
    return [column.header for _, column in table.of(stored)]


def test_the_columns_of_an_asset() -> None:
    """The fixed ones, then every slot of the model in its order with the leaves of its type."""
    assert ",".join(columns("assets", CONTAINER, [], MAPPINGS).headers) == (
        f"{HEADERS},temperatureExt.temperature,temperatureInt.temperature,position.position,position.accuracy,"
        "position.altitude,temperatureWeather.temperature"
    )


def test_the_columns_of_a_device() -> None:
    """Objects in the mappings are levels."""
    assert ",".join(columns("devices", DUMMY_TEMP, [], MAPPINGS).headers) == (
        f"{HEADERS},temperature.temperature,accelerationSensor.acceleration.x,accelerationSensor.acceleration.y,"
        "accelerationSensor.acceleration.z,accelerationSensor.accuracy,battery.battery"
    )


def test_nothing_declared_and_nothing_measured_leaves_the_fixed_columns() -> None:
    """A model without slots."""
    assert own(NONE) == []


@pytest.mark.parametrize(
    ("mapping", "paths"),
    [
        ({"a": FLOAT, "b": {"type": "keyword"}}, ["a", "b"]),
        ({"b": FLOAT, "a": FLOAT}, ["b", "a"]),
        ({"a": {"properties": {"x": FLOAT, "y": {"properties": {"z": FLOAT}}}}}, ["a.x", "a.y.z"]),
        ({"a": {"type": "object", "properties": {"x": FLOAT}}}, ["a.x"]),
        ({"a": {"type": "object"}, "b": {"type": "flattened"}}, ["a", "b"]),
        ({"a": {"type": "object", "properties": {}}}, []),
        ({"a": {"type": "nested", "properties": {"x": FLOAT}}}, ["a"]),
        ({"a": {"type": "text", "fields": {"raw": {"type": "keyword"}}}}, ["a"]),
        ({"a": {"dynamic": "false"}, "b": {}}, []),
        ({"a": {"dynamic": "true", "properties": {"x": FLOAT}}}, ["a.x"]),
        ({"a.b": FLOAT}, ["a.b"]),
        ({"type": FLOAT, "properties": FLOAT}, ["type", "properties"]),
        ({"a": {"properties": {"type": {"type": "keyword"}, "properties": FLOAT}}}, ["a.type", "a.properties"]),
        ({"a": {"type": "scaled_float", "scaling_factor": 10}}, ["a"]),
        ({"a": None, "b": "float", "c": FLOAT}, ["c"]),
        ({}, []),
    ],
)
def test_leaves_of_mappings(mapping: dict[str, Any], paths: list[str]) -> None:
    """`properties` are levels; anything else with a `type` is a leaf; parameters are nothing."""
    assert [path for path, _ in leaves(mapping)] == paths


def test_slots_beside_the_model_come_after_it_by_name() -> None:
    """With the leaves of the types they were measured with."""
    assert own(ONE, Slot("z", "battery"), Slot("B", "position"), Slot("a", "temperature"), Slot("inside", None)) == [
        "inside.temperature",
        "B.position",
        "B.accuracy",
        "B.altitude",
        "a.temperature",
        "z.battery",
    ]


def test_a_slot_with_several_types_has_the_columns_of_all() -> None:
    """In order of type, none twice."""
    assert own(NONE, Slot("s", "temperature"), Slot("s", "humidity"), Slot("s", "battery")) == [
        "s.battery",
        "s.humidity",
        "s.temperature",
    ]


def test_a_slot_of_the_model_also_has_what_was_measured_beside_its_type() -> None:
    """Nothing declared is lost; the model's own type comes first, and the slot stays in its place."""
    two = Model("Two", (Slot("one", "temperature"), Slot("two", "battery")))
    assert own(two, Slot("one", "position"), Slot("one", "battery"), Slot("two", "battery")) == [
        "one.temperature",
        "one.battery",
        "one.position",
        "one.accuracy",
        "one.altitude",
        "two.battery",
    ]


def test_a_type_without_a_model_is_one_column() -> None:
    """Named as the slot, in the model or beside it."""
    model = Model("Odd", (Slot("known", "unheard"),))
    assert own(model, Slot("other", "neverseen"), Slot("third", None)) == ["known", "other", "third"]


def test_a_type_that_declares_nothing_has_no_column() -> None:
    """Its keys are not declared, so they are not exported."""
    assert own(NONE, Slot("s", "empty")) == []


def test_neither_slot_nor_type_is_the_column_measure() -> None:
    """Sorted among the others."""
    assert own(NONE, Slot("z", "battery"), Slot(None, None), Slot("a", "battery")) == [
        "a.battery",
        "measure",
        "z.battery",
    ]


@pytest.mark.parametrize(
    ("model", "stored", "headers"),
    [
        (ONE, Slot(None, "temperature"), ["inside.temperature"]),
        (CONTAINER, Slot(None, "temperature"), ["temperature.temperature"]),
        (CONTAINER, Slot(None, "position"), ["position.position", "position.accuracy", "position.altitude"]),
        (ONE, Slot(None, "battery"), ["battery.battery"]),
        (ONE, Slot(None, "unheard"), ["unheard"]),
        (ONE, Slot("inside", None), ["inside.temperature"]),
        (ONE, Slot("inside", "battery"), ["inside.battery"]),
        (ONE, Slot("outside", None), ["outside"]),
        (ONE, Slot(None, None), ["measure"]),
        (ONE, Slot("inside", "unheard"), ["inside"]),
        (ONE, Slot("", "battery"), [".battery"]),
    ],
)
def test_which_columns_a_measure_fills(model: Model, stored: Slot, headers: list[str]) -> None:
    """Those of its slot and type; without a slot those of the only slot of its type, else of a slot named after it."""
    assert filled(model, stored) == headers


def test_a_measure_fills_no_column_of_another_type_of_its_slot() -> None:
    """Unless its own type declares that path as well."""
    others = [Slot("s", "humidity"), Slot("s", None)]
    assert filled(NONE, Slot("s", "temperature"), *others) == ["s.temperature"]
    assert filled(NONE, Slot("s", None), *others) == ["s"]


def test_columns_know_their_place() -> None:
    """Counted from the first after the fixed ones."""
    table = columns("assets", CONTAINER, [], MAPPINGS)
    assert table.of(Slot("position", None)) == [
        (2, Column("position", "position")),
        (3, Column("position", "accuracy")),
        (4, Column("position", "altitude")),
    ]


def test_a_slot_that_does_not_occur_fills_nothing() -> None:
    """As when a measure came after the columns were decided."""
    assert columns("assets", ONE, [], MAPPINGS).of(Slot("late", "battery")) == []


@pytest.mark.slow
def test_twenty_thousand_slots_take_no_time() -> None:
    """In the model and beside it: found by name, not by looking at all. It took 12 s, and minutes to fill them."""
    slots = [Slot(f"s{number}", "temperature") for number in range(20_000)]
    beside = [Slot(f"t{number}", "temperature") for number in range(20_000)]
    began = time.process_time()
    table = columns("assets", Model("Wide", tuple(slots)), [*slots, *beside], MAPPINGS)
    places = [table.of(slot) for slot in [*slots, *beside]]
    assert time.process_time() - began < 2
    assert [place for ((place, _),) in places[:20_000]] == list(range(20_000))
    assert sorted(place for ((place, _),) in places[20_000:]) == list(range(20_000, 40_000))


def test_others_are_let_in_between_slots() -> None:
    """As often as there are slots."""
    rests: list[int] = []
    columns("assets", CONTAINER, [Slot("more", "battery")], MAPPINGS, rest=lambda: rests.append(1))
    assert len(rests) == 5


def test_types_are_those_of_the_model_and_those_that_occur() -> None:
    """Whose mappings a store is asked for."""
    assert types(DUMMY_TEMP, [Slot("s", "humidity"), Slot("t", None), Slot(None, "position")]) == {
        "temperature",
        "acceleration",
        "battery",
        "humidity",
        "position",
    }
