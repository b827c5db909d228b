"""The documents of the store contract: an asset (or a device) for each promise."""

from typing import Any

from tests.support.kuzzle import JSON, Kuzzle

#: 2024-06-10T06:13:20.000Z
NOON = 1_718_000_000_000

SLOTS = {
    "temperatureExt": "temperature",
    "temperatureInt": "temperature",
    "position": "position",
    "temperatureWeather": "temperature",
}
DEVICE_SLOTS = {"temperature": "temperature", "accelerationSensor": "acceleration", "battery": "battery"}

#: Longer than a keyword may be; the model of notes does not index such.
LARGE = "x" * 100_000

#: `any` takes whatever JSON a document holds: Elasticsearch keeps it and does not look.
ANY = {"type": "object", "enabled": False}

THERMOMETER = {"type": "device", "_id": "DummyTemp-d1", "deviceModel": "DummyTemp", "measureName": "temperature"}


def world(engine: str) -> Kuzzle:
    """`engine` with everything, and beside it an engine of another group that has next to nothing."""
    kuzzle = Kuzzle()
    models(kuzzle)
    kuzzle.engine(engine)
    kuzzle.engine(other(engine), group="other")
    for add in (
        central,
        device,
        ties,
        sorts,
        values,
        texts,
        instants,
        sparse,
        unmodelled,
        filters,
        odd_ids,
        large,
        grouped,
    ):
        add(kuzzle, engine)
    kuzzle.asset(engine, "Container", "empty")
    kuzzle.asset(engine, "Nobody", "knows")
    kuzzle.device(engine, "Nobody", "knows")
    kuzzle.asset(engine, "Theirs", "unseen")
    kuzzle.asset(other(engine), "Theirs", "seen")
    kuzzle.asset(other(engine), "Bare", "common")
    return kuzzle


def other(engine: str) -> str:
    return f"{engine}-other"


def models(kuzzle: Kuzzle) -> None:
    kuzzle.measure_model("temperature", {"temperature": {"type": "float"}})
    kuzzle.measure_model(
        "position", {"position": {"type": "geo_point"}, "accuracy": {"type": "float"}, "altitude": {"type": "float"}}
    )
    axes = {"properties": {axis: {"type": "float"} for axis in "xyz"}}
    kuzzle.measure_model("acceleration", {"acceleration": axes, "accuracy": {"type": "float"}})
    kuzzle.measure_model("battery", {"battery": {"type": "integer"}})
    kuzzle.measure_model("movement", {"movement": {"type": "boolean"}})
    kuzzle.measure_model("odd", {"any": ANY})
    kuzzle.measure_model("note", {"text": {"type": "keyword", "ignore_above": 8000}})
    kuzzle.asset_model("Container", SLOTS)
    kuzzle.asset_model("Odd", {"odd": "odd"})
    kuzzle.asset_model("Noted", {"note": "note"})
    kuzzle.asset_model("Bare", {"battery": "battery"})
    kuzzle.asset_model("Theirs", {"battery": "battery"}, group="other")
    kuzzle.device_model("DummyTemp", DEVICE_SLOTS)


def measure(
    kuzzle: Kuzzle, engine: str, id: str, asset: str | None, slot: str | None, type: str | None, at: Any, values: Any,
    *, origin: JSON | None = THERMOMETER,
) -> str:  # fmt: skip
    """As Kuzzle stores one; what is `None` is left out, but for `asset`, which is stored as null."""
    place = None if asset is None else {"_id": asset, "model": asset.partition("-")[0], "measureName": slot}
    if slot is None and place is not None:
        del place["measureName"]
    source = {"type": type, "measuredAt": at, "values": values, "origin": origin}
    given = {name: value for name, value in source.items() if value is not None}
    return kuzzle.measure(engine, id, given | {"asset": place})


def central(kuzzle: Kuzzle, engine: str) -> None:
    """Every slot once, over a minute; one measure came by the API."""
    asset = kuzzle.asset(engine, "Container", "central")
    where = {"position": {"lat": 48.85, "lon": 2.0}, "accuracy": 12}
    api = {"type": "api", "_id": "weather"}
    measure(kuzzle, engine, "c1", asset, "temperatureExt", "temperature", NOON, {"temperature": 21.5})
    measure(kuzzle, engine, "c2", asset, "position", "position", NOON, where)
    measure(kuzzle, engine, "c3", asset, "temperatureInt", "temperature", NOON + 60_000, {"temperature": 20.0})
    measure(
        kuzzle, engine, "c4", asset, "temperatureWeather", "temperature", NOON + 60_001, {"temperature": -0.5},
        origin=api,
    )  # fmt: skip


def device(kuzzle: Kuzzle, engine: str) -> None:
    """A device's own measures, linked to an asset or not; and one that the API sent in its name."""
    of = kuzzle.device(engine, "DummyTemp", "d7")
    asset = kuzzle.asset(engine, "Container", "linked")
    origin = {"type": "device", "_id": of, "deviceModel": "DummyTemp"}
    shaken = {"acceleration": {"x": 1, "y": -0.25}, "accuracy": 0.5}
    measure(kuzzle, engine, "d1", asset, "temperatureExt", "temperature", NOON, {"temperature": 1.5},
            origin=origin | {"measureName": "temperature"})  # fmt: skip
    measure(kuzzle, engine, "d2", None, None, "acceleration", NOON + 1, shaken,
            origin=origin | {"measureName": "accelerationSensor"})  # fmt: skip
    measure(kuzzle, engine, "d3", None, None, "battery", NOON + 2, {"battery": 83}, origin=origin)
    measure(kuzzle, engine, "d4", asset, "temperatureExt", "temperature", NOON + 3, {"temperature": 2.5},
            origin={"type": "api", "_id": of})  # fmt: skip


#: Id and second of each measure of `Container-ties`, in order of insertion: neither that of time nor of name.
TIES = [
    ("t09", 1), ("t10", 0), ("t11", 2), ("t12", 1), ("t01", 0), ("t02", 1),
    ("t03", 2), ("t04", 1), ("t05", 0), ("t06", 0), ("t07", 2), ("t08", 2),
]  # fmt: skip


def ties(kuzzle: Kuzzle, engine: str) -> None:
    asset = kuzzle.asset(engine, "Container", "ties")
    for id, second in TIES:
        values = {"temperature": int(id[1:])}
        measure(kuzzle, engine, id, asset, "temperatureExt", "temperature", NOON + second * 1000, values)


def large(kuzzle: Kuzzle, engine: str) -> None:
    """Documents of which a few are no small sample."""
    asset = kuzzle.asset(engine, "Noted", "large")
    for number in range(5):
        measure(kuzzle, engine, f"l{number}", asset, "note", "note", NOON + number, {"text": LARGE})


def grouped(kuzzle: Kuzzle, engine: str) -> None:
    """An asset that changes its groups, one of two groups, and one that nobody lists any more."""
    moved, both = kuzzle.asset(engine, "Bare", "moved"), kuzzle.asset(engine, "Container", "both")
    for number, (asset, groups) in enumerate(
        [
            (moved, ["north"]),
            (both, ["north", "so,uth"]),
            ("Gone-deleted", ["so,uth"]),
            (moved, ["so,uth"]),
            (moved, []),
        ]
    ):
        id = measure(kuzzle, engine, f"g{number}", asset, None, "battery", NOON + 10 * number, {"battery": number})
        of = kuzzle.collections[engine, "measures"].documents[id]["asset"]
        of["groups"] = [{"id": group, "date": NOON} for group in groups]


def sorts(kuzzle: Kuzzle, engine: str) -> None:
    """Keywords to sort by; two measures have no origin."""
    asset = kuzzle.asset(engine, "Container", "sorts")
    for id, type, device, at in (
        ("k1", "temperature", "b", 3),
        ("k2", "position", "a", 2),
        ("k3", "temperature", None, 1),
        ("k4", "position", "é", 1),
        ("k5", "battery", "Z", 2),
        ("k6", "temperature", "b", 1),
        ("k7", "battery", None, 4),
        ("k8", "temperature", "😀", 4),
    ):
        origin = None if device is None else {"type": "device", "_id": device}
        measure(kuzzle, engine, id, asset, "temperatureExt", type, NOON + at, {}, origin=origin)


#: A value, and how its cell reads.
VALUES: list[tuple[Any, str]] = [
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (-0.0, "0"),
    ("", ""),
    (None, ""),
    (20.0, "20"),
    (0.1, "0.1"),
    (-12.75, "-12.75"),
    (1e20, "100000000000000000000"),
    (1e21, "1e+21"),
    (1.5e300, "1.5e+300"),
    (0.000001, "0.000001"),
    (1e-7, "1e-7"),
    (5e-324, "5e-324"),
    (9007199254740993, "9007199254740993"),
    (9223372036854775807, "9223372036854775807"),
    (9223372036854775808, "9223372036854775808"),
    (-9223372036854775809, "-9223372036854775809"),
    (18446744073709551616, "18446744073709551616"),
    (123456789012345678901234567890, "123456789012345678901234567890"),
    ({"lon": 180.0, "lat": -0.5}, '"{""lon"":180,""lat"":-0.5}"'),
    ({"z": {"y": [1e21, None]}, "a": "é"}, '"{""z"":{""y"":[1e+21,null]},""a"":""é""}"'),
    ([1, 2.0, "b", None, True], '"[1,2,""b"",null,true]"'),
    ([1.0], "[1]"),
    ([], "[]"),
    ({}, "{}"),
]


def values(kuzzle: Kuzzle, engine: str) -> None:
    asset = kuzzle.asset(engine, "Odd", "values")
    for number, (value, _) in enumerate(VALUES):
        measure(kuzzle, engine, f"v{number:02}", asset, "odd", "odd", NOON + number, {"any": value}, origin=None)


#: A text, and how its cell reads.
TEXTS = [
    ("plain", "plain"),
    ("a,b", '"a,b"'),
    ('say "hi"', '"say ""hi"""'),
    ("line\nfeed", '"line\nfeed"'),
    ("carriage\rreturn", '"carriage\rreturn"'),
    (" padded ", " padded "),
    ("é 😀 \u2028", "é 😀 \u2028"),
    ("=1+1", "'=1+1"),
    ("@cmd", "'@cmd"),
    ("\tx", "'\tx"),
    ("\rx", '"\'\rx"'),
    ("+1", "+1"),
    ("-x_Y", "-x_Y"),
    ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
    ("+1 (2)", "'+1 (2)"),
    ("=A1,B1", '"\'=A1,B1"'),
]


def texts(kuzzle: Kuzzle, engine: str) -> None:
    asset = kuzzle.asset(engine, "Noted", "texts")
    for number, (text, _) in enumerate(TEXTS):
        measure(kuzzle, engine, f"x{number:02}", asset, "note", "note", NOON + number, {"text": text}, origin=None)


#: `measuredAt` as stored, and its cells, in order of time.
INSTANTS: list[tuple[Any, str]] = [
    (-62_135_596_800_001, "-62135596800001,0000-12-31T23:59:59.999Z"),
    (-2_208_988_800_000, "-2208988800000,1900-01-01T00:00:00.000Z"),
    ("1969-12-31T23:59:59.998Z", "1969-12-31T23:59:59.998Z,1969-12-31T23:59:59.998Z"),
    (-1, "-1,1969-12-31T23:59:59.999Z"),
    (0, "0,1970-01-01T00:00:00.000Z"),
    (10_000, "10000,1970-01-01T00:00:10.000Z"),
    (2024, "2024,2024-01-01T00:00:00.000Z"),
    ("2024-06-10", "2024-06-10,2024-06-10T00:00:00.000Z"),
    ("2024-06-10T08:13:19+02:00", "2024-06-10T08:13:19+02:00,2024-06-10T06:13:19.000Z"),
    ("1718000000000", "1718000000000,2024-06-10T06:13:20.000Z"),
    (1_718_000_000_000.75, "1718000000000.75,2024-06-10T06:13:20.000Z"),
    (1_718_000_000_001, "1718000000001,2024-06-10T06:13:20.001Z"),
    (4_102_444_800_000, "4102444800000,2100-01-01T00:00:00.000Z"),
    (253_402_300_800_000, "253402300800000,+010000-01-01T00:00:00.000Z"),
]


def instants(kuzzle: Kuzzle, engine: str) -> None:
    """The later half inserted first."""
    asset = kuzzle.asset(engine, "Bare", "instants")
    numbered = [(f"i{number:02}", at) for number, (at, _) in enumerate(INSTANTS)]
    for id, at in numbered[7:] + numbered[:7]:
        measure(kuzzle, engine, id, asset, "battery", "battery", at, {"battery": 1}, origin=None)


def sparse(kuzzle: Kuzzle, engine: str) -> None:
    """What measures sent through Kuzzle's API lack."""
    asset = kuzzle.asset(engine, "Container", "sparse")
    for number, (slot, type, values) in enumerate(
        (
            ("temperatureInt", None, {"temperature": 1}),
            (None, None, {"temperature": 2}),
            (None, "temperature", {"temperature": 3}),
            (None, "position", {"accuracy": 4}),
            ("mystery", "mystery", {"temperature": 5}),
            ("temperatureExt", "temperature", {"battery": 6}),
            ("temperatureExt", "temperature", None),
            ("temperatureExt", "temperature", {"temperature": None}),
        )
    ):
        measure(kuzzle, engine, f"s{number}", asset, slot, type, NOON + number, values, origin=None)


def unmodelled(kuzzle: Kuzzle, engine: str) -> None:
    """Slots that the asset's model does not name, and one that holds another type than it says."""
    asset = kuzzle.asset(engine, "Bare", "unmodelled")
    for number, (slot, type, values) in enumerate(
        (
            ("zeta", "movement", {"movement": True}),
            ("battery", "battery", {"battery": 7}),
            ("battery", "temperature", {"temperature": 8.5}),
            ("accel", "acceleration", {"acceleration": {"z": 9}, "accuracy": 1}),
            ("zeta", "battery", {"battery": 10}),
        )
    ):
        measure(kuzzle, engine, f"u{number}", asset, slot, type, NOON + number, values, origin=None)


def filters(kuzzle: Kuzzle, engine: str) -> None:
    asset = kuzzle.asset(engine, "Container", "filters")
    for id, slot, type, values in (
        ("f0", "temperatureExt", "temperature", {"temperature": 10}),
        ("f1", "temperatureExt", "temperature", {"temperature": 20.5}),
        ("f2", "temperatureInt", "temperature", {"temperature": 30}),
        ("f3", "temperatureInt", "temperature", {"temperature": None}),
        ("f4", "position", "position", {"position": {"lat": 1, "lon": 2}, "accuracy": 10}),
        ("f5", "movement", "movement", {"movement": True}),
        ("f6", "movement", "movement", {"movement": False}),
        ("f7", "note", "note", {"text": "true"}),
        ("f8", "note", "note", {"text": ["one", "two"]}),
        ("f9", "note", "note", {}),
    ):
        measure(kuzzle, engine, id, asset, slot, type, NOON + int(id[1:]), values)


#: References that are hard to write into a path, a query or a file name.
ODD_REFERENCES = ['a/b é"', "per%20cent", "it's; DROP TABLE measures; --", "*", "a,b", "😀", "trailing "]


def odd_ids(kuzzle: Kuzzle, engine: str) -> None:
    for number, reference in enumerate(ODD_REFERENCES):
        asset = kuzzle.asset(engine, "Bare", reference)
        measure(kuzzle, engine, f"-o{number}", asset, "battery", "battery", NOON, {"battery": number}, origin=None)


PARTS = (
    central, device, ties, sorts, values, texts, instants, sparse, unmodelled, filters, odd_ids, large, grouped
)  # fmt: skip
