"""The fields of an export's schema, one for each kind of value; their errors are ours, and name the argument."""

import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from math import isfinite
from typing import Any

from marshmallow import Schema, ValidationError
from marshmallow import fields as marshmallow

from services import instants
from services.errors import BadRequest, InvalidArgument, InvalidType, MissingArgument, RequestTooLarge, shortened
from services.layouts import intervals
from services.measures import NEWEST_FIRST, SortKey
from services.options import AGGREGATES, PRESETS
from services.zones import Zone, zone

#: A schema of JSON Schema.
JsonSchema = dict[str, Any]

#: Whole numbers up to here are the same in JSON, JavaScript, SQLite and Elasticsearch.
MOST_ROWS = 2**53 - 1

#: Characters of a text: more than a link has room for, so that what is refused for its length would be anyway.
LONGEST_TEXT = 10_000

#: Characters of a date: those of every form, and of any fraction that somebody means.
LONGEST_DATE = 100

#: Characters of the name of a field, of a type, of what stands for a missing value.
LONGEST_NAME = 1000

#: What 64 bits hold, signed or not: the whole numbers that stores compare.
LEAST_WHOLE, MOST_WHOLE = -(2**63), 2**64 - 1

#: Fields that an export is sorted by: each is kept of every row while the embedded store sorts them.
MOST_SORT_KEYS = 20

#: Columns that a file is asked for by name.
MOST_NAMES = 500

#: What parts the cells of a file.
SEPARATORS = frozenset(",;|:\t ")

#: Characters of what a missing value is written as.
LONGEST_EMPTY = 16

#: What a boolean is in a query string; a bare name (`bom`, `bom=`) is true, as Kuzzle's SDK writes it.
BOOLEANS = {"true": True, "1": True, "": True, "false": False, "0": False}

ORDERS = ("asc", "desc")
MODES = ("min", "max", "sum", "avg", "median")

#: Types of fields that sort; of some others (`dense_vector`) Elasticsearch 8.19 makes an error of its own, 500.
UNMAPPED_TYPES = (
    "keyword", "boolean", "date", "date_nanos", "byte", "short", "integer", "long", "unsigned_long", "half_float",
    "float", "double", "scaled_float", "ip", "version",
)  # fmt: skip
SORT_OPTIONS = ("order", "missing", "mode", "unmapped_type")

#: What marshmallow says of a name that the schema has not.
UNKNOWN = "unknown"

#: Values of a list.
MOST_VALUES = 1000


class Field(marshmallow.Field[Any]):
    """Hands each value to `read`, `null` too: each kind says what it thinks of it.

    `description`, `examples`: what callers are told of the argument, in Markdown, and as JSON.
    """

    def __init__(self, *, description: str = "", examples: Sequence[Any] = (), **options: Any) -> None:
        super().__init__(allow_none=True, **options)
        self.description = description
        self.examples = examples

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        if value is None and data is not None and attr in data:
            return self._deserialize(value, attr, data, **kwargs)
        return super().deserialize(value, attr, data, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> Any:
        return self.read(attr or "", value)

    def read(self, name: str, value: Any) -> Any:
        """Return the value of the argument `name`. Raises `BadRequest`."""
        raise NotImplementedError

    def json_schema(self) -> JsonSchema:
        """Return the JSON values that there are, as JSON Schema (2020-12).

        `read` refuses all others, but for the case of letters where it does not matter.
        """
        raise NotImplementedError


class Text(Field):
    """A text. Raises `RequestTooLarge` for one that no link has room for."""

    def json_schema(self) -> JsonSchema:
        return text_schema(LONGEST_TEXT)

    def read(self, name: str, value: Any) -> str:
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise RequestTooLarge(f'The request is too long for a link; its largest part is "{name}".', argument=name)
        return text(name, value)


class OptionalText(Text):
    """A text; an empty one is absent, as a query string has it."""

    def read(self, name: str, value: Any) -> Any:
        return super().read(name, value) or None


class Token(Field):
    """A text, or nothing: whether it is a good token is not for a schema to say."""

    def json_schema(self) -> JsonSchema:
        return {"type": ["string", "null"]}

    def read(self, name: str, value: Any) -> str | None:
        if value is not None and not isinstance(value, str):
            raise InvalidType(name, "must be a text.")
        return value


class Flag(Field):
    def json_schema(self) -> JsonSchema:
        return {"type": "boolean"}

    def read(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise InvalidType(name, "must be true or false.")
        return value


class Boolean(Field):
    """A boolean; in a query string also as its text, or as a bare name, which is true."""

    def json_schema(self) -> JsonSchema:
        return {"anyOf": [{"type": "boolean"}, choice_schema(BOOLEANS)]}

    def read(self, name: str, value: Any) -> bool:
        found = BOOLEANS.get(value.lower()) if isinstance(value, str) else value
        if isinstance(found, bool):
            return found
        raise wrong(value)(name, f"must be true or false, not {shown(value)}.")


class Choice(Field):
    def __init__(self, choices: Sequence[str], **options: Any) -> None:
        super().__init__(**options)
        self.choices = choices

    def json_schema(self) -> JsonSchema:
        return choice_schema(self.choices)

    def read(self, name: str, value: Any) -> str:
        return one_of(name, value, self.choices)


class Preset(Field):
    """The name of a preset; an empty text is absent."""

    def json_schema(self) -> JsonSchema:
        return choice_schema([*PRESETS, ""])

    def read(self, name: str, value: Any) -> Any:
        return one_of(name, value, PRESETS) if value != "" else None


class Separator(Field):
    def json_schema(self) -> JsonSchema:
        return choice_schema([*sorted(SEPARATORS), "tab"])

    def read(self, name: str, value: Any) -> str:
        found = "\t" if value == "tab" else value
        if not isinstance(found, str) or found not in SEPARATORS:
            raise wrong(value)(name, f"must be one of , ; | : a space, or tab; not {shown(value)}.")
        return found


class Empty(Field):
    """The text for a value that is missing: short, and on one line."""

    def json_schema(self) -> JsonSchema:
        return {"type": "string", "maxLength": LONGEST_EMPTY, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"}

    def read(self, name: str, value: Any) -> str:
        found = text(name, value)
        if len(found) > LONGEST_EMPTY or any(unicodedata.category(character) == "Cc" for character in found):
            raise InvalidArgument(
                name, f"must have {LONGEST_EMPTY} characters at most, and no control characters; not {shown(value)}."
            )
        return found


class Timezone(Text):
    """The name of a time zone; an empty text is absent."""

    def read(self, name: str, value: Any) -> str:
        found = super().read(name, value) or "UTC"
        try:
            zone(found)
        except ValueError as error:
            raise InvalidArgument(name, str(error)) from error
        return found


class Interval(Field):
    """A length of time that rows are of, such as `15m`, `1d`."""

    def json_schema(self) -> JsonSchema:
        return {"type": "string", "pattern": "^[1-9][0-9]*[smhdwMy]$"}

    def read(self, name: str, value: Any) -> str:
        found = text(name, value, longest=LONGEST_TEXT)
        try:
            intervals.unit(found)
        except ValueError as error:
            raise InvalidArgument(name, str(error)) from error
        return found


class Aggregates(Field):
    """What is told of the values of an interval: a list, or a text in which commas part them; none twice."""

    def json_schema(self) -> JsonSchema:
        names = {"type": "array", "items": choice_schema(AGGREGATES), "uniqueItems": True, "minItems": 1}
        return {"anyOf": [names, {"type": "string", "minLength": 1}]}

    def read(self, name: str, value: Any) -> tuple[str, ...]:
        found = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(found, list):
            raise InvalidType(name, f"must be a list of {', '.join(AGGREGATES)}, not {shown(value)}.")
        if not found:
            raise InvalidArgument(name, f"is empty: some of {', '.join(AGGREGATES)}.")
        names = tuple(one_of(name, each, AGGREGATES) for each in found)
        for each, times in Counter(names).items():
            if times > 1:
                raise InvalidArgument(name, f'names "{each}" {times} times: once is enough.')
        return names


class Names(Field):
    """Names of columns: a list, or a text in which commas part them; none twice."""

    def json_schema(self) -> JsonSchema:
        names = {"type": "array", "items": text_schema(LONGEST_NAME), "uniqueItems": True}
        return {"anyOf": [names | {"minItems": 1, "maxItems": MOST_NAMES}, {"type": "string", "minLength": 1}]}

    def read(self, name: str, value: Any) -> tuple[str, ...]:
        found = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(found, list):
            raise InvalidType(name, f"must be a list of names, not {shown(value)}.")
        if not 1 <= len(found) <= MOST_NAMES or found == [""]:
            raise InvalidArgument(name, f"must have from 1 to {MOST_NAMES} names; it has {len(found) if value else 0}.")
        names = tuple(text(f"{name}[{at}]", each, longest=LONGEST_NAME) for at, each in enumerate(found))
        for each, times in Counter(names).items():
            if times > 1:
                raise InvalidArgument(name, f'names "{shortened(each)}" {times} times: once is enough.')
        return names


class Texts(Field):
    """Texts, each once: a list, or a text in which commas part them."""

    def json_schema(self) -> JsonSchema:
        texts = {"type": "array", "items": text_schema(LONGEST_TEXT), "minItems": 1, "maxItems": MOST_VALUES}
        return {"anyOf": [texts, {"type": "string", "minLength": 1}]}

    def read(self, name: str, value: Any) -> tuple[str, ...]:
        found = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(found, list):
            raise InvalidType(name, f"must be a list of texts, not {shown(value)}.")
        if not 1 <= len(found) <= MOST_VALUES or found == [""]:
            raise InvalidArgument(
                name, f"must have from 1 to {MOST_VALUES} texts; it has {len(found) if value else 0}."
            )
        return tuple(dict.fromkeys(text(f"{name}[{at}]", each) for at, each in enumerate(found)))


class Renames(Field):
    """Headers by the names of columns, as pairs."""

    def json_schema(self) -> JsonSchema:
        name = text_schema(LONGEST_NAME)
        return {
            "type": "object",
            "propertyNames": name,
            "additionalProperties": name,
            "maxProperties": MOST_NAMES,
        }

    def read(self, name: str, value: Any) -> tuple[tuple[str, str], ...]:
        if not isinstance(value, Mapping):
            raise InvalidType(name, f'must be an object such as {{"Measured At": "time"}}, not {shown(value)}.')
        if len(value) > MOST_NAMES:
            raise InvalidArgument(name, f"must have {MOST_NAMES} names at most; it has {len(value)}.")
        return tuple(
            (text(name, each, longest=LONGEST_NAME), text(f"{name}.{shortened(each)}", header, longest=LONGEST_NAME))
            for each, header in value.items()
        )


class Json(Field):
    """An object, kept as it is, to be read where its language is known."""

    def json_schema(self) -> JsonSchema:
        return {"type": "object"}

    def read(self, name: str, value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise InvalidType(name, "must be a JSON object.")
        return value


class Period(Field):
    """ISO 8601, to be read where its zone is known; empty text is absent."""

    def json_schema(self) -> JsonSchema:
        return text_schema(LONGEST_DATE)

    def read(self, name: str, value: Any) -> str | None:
        return text(name, value, longest=LONGEST_DATE) or None


def first_ms(name: str, period: str | None, zone: Zone) -> int | None:
    """Return the first millisecond of a period in a zone. Raises `InvalidArgument`."""
    return _read_in(name, period, lambda text: instants.first_ms(text, zone=zone))


def last_ms(name: str, period: str | None, zone: Zone) -> int | None:
    """Return the last millisecond of a period in a zone. Raises `InvalidArgument`."""
    return _read_in(name, period, lambda text: instants.last_ms(text, zone=zone))


def _read_in(name: str, period: str | None, read: Callable[[str], int]) -> int | None:
    if period is None:
        return None
    try:
        return read(period)
    except ValueError as error:
        raise InvalidArgument(name, str(error)) from error


class RowCount(Field):
    """A whole number of rows, 0 or more; its digits as text too, as a query string has them."""

    def json_schema(self) -> JsonSchema:
        number = {"type": "integer", "minimum": 0, "maximum": MOST_ROWS}
        return {"anyOf": [number, {"type": "string", "pattern": f"^[0-9]{{1,{len(str(MOST_ROWS))}}}$"}]}

    def read(self, name: str, value: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(MOST_ROWS)):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            kind = InvalidArgument if isinstance(value, str) else InvalidType
            raise kind(name, f"must be a whole number from 0 to {MOST_ROWS}.")
        if not 0 <= value <= MOST_ROWS:
            raise InvalidArgument(name, f"must be a whole number from 0 to {MOST_ROWS}.")
        return value


class Sort(Field):
    """Elasticsearch's `sort`, by few fields and none twice; absent, `{}`, `[]`, null: newest first."""

    def json_schema(self) -> JsonSchema:
        order = choice_schema(ORDERS)
        value = {"type": ["string", "number", "boolean", "null"], "maxLength": LONGEST_NAME}
        options = {
            "order": order,
            "missing": value | {"minimum": LEAST_WHOLE, "maximum": MOST_WHOLE},
            "mode": choice_schema(MODES),
            "unmapped_type": choice_schema(UNMAPPED_TYPES),
        }
        field = text_schema(LONGEST_NAME) | {"minLength": 1}
        by_field = {
            "type": "object",
            "propertyNames": field,
            "maxProperties": MOST_SORT_KEYS,
            "additionalProperties": {
                "anyOf": [order, {"type": "object", "properties": options, "additionalProperties": False}]
            },
        }
        entries = {"type": "array", "maxItems": MOST_SORT_KEYS, "items": {"anyOf": [field, by_field | NOT_EMPTY]}}
        return {"anyOf": [field, by_field, entries, {"type": "null"}]}

    def read(self, name: str, value: Any) -> tuple[SortKey, ...]:
        if value is None or value in ({}, []):
            return NEWEST_FIRST
        entries = value if isinstance(value, list) else [value]
        if sum(len(entry) if isinstance(entry, Mapping) else 1 for entry in entries) > MOST_SORT_KEYS:
            raise InvalidArgument(name, f"has too many fields: at most {MOST_SORT_KEYS}.")
        paths = [f"{name}[{at}]" for at in range(len(entries))] if isinstance(value, list) else [name]
        keys = tuple(key for path, entry in zip(paths, entries, strict=True) for key in sort_keys(path, entry))
        for field, times in Counter(key.field for key in keys).items():
            if times > 1:
                raise InvalidArgument(name, f'names "{field}" {times} times: once is enough.')
        return keys


#: What an object that says something has.
NOT_EMPTY: JsonSchema = {"minProperties": 1}


def sort_keys(path: str, entry: Any) -> list[SortKey]:
    if isinstance(entry, str):
        return [sort_key(path, entry, "asc")]
    if not isinstance(entry, Mapping) or not entry:
        raise InvalidType(path, 'must be "field", {"field": "asc"} or {"field": {"order": …}}.')
    return [sort_key(f"{path}.{shortened(field)}", field, options) for field, options in entry.items()]


def sort_key(path: str, field: str, options: Any) -> SortKey:
    if not text(path, field, longest=LONGEST_NAME):
        raise InvalidArgument(path, "names no field.")
    if isinstance(options, str):
        options = {"order": options}
    if not isinstance(options, Mapping):
        raise InvalidType(path, 'must be "asc", "desc" or an object.')
    for option in options:
        if option not in SORT_OPTIONS:
            raise InvalidArgument(f"{path}.{shortened(option)}", f"is none of {', '.join(SORT_OPTIONS)}.")
    return SortKey(
        field,
        "desc" if sort_option(f"{path}.order", options.get("order", "asc"), ORDERS) == "desc" else "asc",
        missing=_scalar(f"{path}.missing", options.get("missing")),
        mode=sort_option(f"{path}.mode", options["mode"], MODES) if "mode" in options else None,
        unmapped_type=sort_option(f"{path}.unmapped_type", options["unmapped_type"], UNMAPPED_TYPES)
        if "unmapped_type" in options
        else None,
    )


def text_schema(longest: int) -> JsonSchema:
    """Return the texts of so many characters at most."""
    return {"type": "string", "maxLength": longest}


def choice_schema(choices: Collection[str]) -> JsonSchema:
    return {"type": "string", "enum": list(choices)}


def text(name: str, value: Any, *, longest: int = LONGEST_TEXT) -> str:
    """Return a text. Raises `InvalidArgument` for what is no Unicode, or has more than `longest` characters."""
    if not isinstance(value, str):
        raise InvalidType(name, "must be a text.")
    if len(value) > longest:
        raise InvalidArgument(name, f"is too long: it may have {longest:,} characters.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(name, "is no Unicode text: it holds half of a surrogate pair.") from error
    return value


def one_of(name: str, value: Any, choices: Collection[str]) -> str:
    """Return a value that is one of the choices. Raises `InvalidArgument` with them, and with what was given."""
    if not isinstance(value, str) or value not in choices:
        raise wrong(value)(name, f"must be one of {', '.join(choices)}; not {shown(value)}.")
    return value


def wrong(value: Any) -> type[InvalidArgument]:
    """Return the error of a value where a text is wanted."""
    return InvalidArgument if isinstance(value, str) else InvalidType


def shown(value: Any) -> str:
    """Return a value as an error repeats it: JSON, shortened."""
    return shortened(json.dumps(value, ensure_ascii=False, default=str))


def sort_option(path: str, value: Any, choices: Sequence[str]) -> str:
    chosen = _name(path, value).lower()
    if chosen not in choices:
        raise InvalidArgument(path, f"must be one of {', '.join(choices)}.")
    return chosen


def _name(path: str, value: Any) -> str:
    return text(path, value, longest=LONGEST_NAME)


def _scalar(path: str, value: Any) -> Any:
    """Return a text, a number, a boolean or `None`. Raises `InvalidArgument` for a number that no store compares."""
    if isinstance(value, str):
        return _name(path, value)
    if value is not None and not isinstance(value, int | float):
        raise InvalidType(path, "must be a text or a number.")
    if isinstance(value, float) and not isfinite(value):
        raise InvalidArgument(path, "is a number beyond what a double holds.")
    if isinstance(value, int) and not LEAST_WHOLE <= value <= MOST_WHOLE:
        raise InvalidArgument(path, "is a whole number beyond what 64 bits hold.")
    return value


def named(schema: Schema) -> dict[str, Field]:
    """Return the fields of a schema by the names that callers write."""
    return {field.data_key or name: field for name, field in schema.fields.items() if isinstance(field, Field)}


def first_error(error: ValidationError, action: str) -> BadRequest:
    """Return the first of marshmallow's own findings, unknown names before missing ones, as our error."""
    found = error.messages_dict
    for name, messages in found.items():
        if UNKNOWN in messages:
            return unknown(str(name), action)
    return MissingArgument(str(next(iter(found))))


def unknown(name: str, action: str) -> InvalidArgument:
    return InvalidArgument(shortened(name), f"is no argument of {action}.")
