"""The residual: what Elasticsearch left of a filter, decided on each document of a page.

Only those keys of `_source` are decoded that a row is made of, or that the filter may mean:
`values.temperature` is found below `values`, and under a key that has the dot in its name. A
simpler shape (every document decoded as a dict) was tried: it was 1.9 to 7 times slower.
"""

import contextlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from operator import attrgetter
from typing import Any

import msgspec

from services.filters.koncorde import nodes
from services.filters.koncorde.weight import weight
from services.filters.python import evaluator
from services.filters.python.evaluator import MISSING
from services.filters.python.trial import Trial
from services.measures import Asset, Measure, Origin, Source
from services.paths import beginnings
from services.scheduling.cpu_turn import CpuShare
from services.scheduling.tick import Tick
from services.stores import lenient
from services.stores.elasticsearch.transport import responses
from services.stores.elasticsearch.transport.responses import Page, RowsAnswer, Sorted

Document = dict[str, Any]

#: Objects of a document of which a row needs a few keys only.
OBJECTS: Mapping[str, type[msgspec.Struct]] = {"asset": Asset, "origin": Origin}

#: Rows between two looks at the clock, and bytes of them: as few as cost nothing.
BATCH_ROWS, BATCH_BYTES = 250, 256 * 1024

#: Clauses from which on a filter is looked after row by row, and tried.
MANY_CLAUSES = 50

#: What msgspec has no names with.
UNSAYABLE = re.compile(r'[\x00-\x1f"\\]')


class Ambiguous(Exception):
    """A document has a key with a dot in its name: another may lead to the same path, and their order decides."""


class Residual:
    """Decides a filter, compiled once for an export, when pages are decoded, within a turn of `cpu`."""

    def __init__(self, filter: nodes.Filter, cpu: CpuShare, *, documents: bool = False) -> None:
        """`documents`: each measure is wanted with its own."""
        self._cpu = cpu
        self._documents = documents
        self._trial = Trial(lambda: cpu.cpu_seconds)
        self._is_large = weight(filter) > MANY_CLAUSES
        self._holds = evaluator.compile(filter, self._look)
        paths = evaluator.fields(filter)
        self._is_sayable = not any(UNSAYABLE.search(path) for path in paths)
        self._asks_for_id = "_id" in paths
        self._keys = keys(paths if self._is_sayable else ())
        plain, with_cursor = (hit(base, self._keys.struct) for base in (Measure, Sorted))
        self._decode = {False: rows_decoder(plain), True: rows_decoder(with_cursor)}
        self._decode_listed: Callable[[bytes], list[Any]] = msgspec.json.Decoder(list[plain]).decode  # type: ignore[valid-type]

    def __call__(self, body: bytes, rows: int, *, with_cursor: bool) -> Page:
        """Return the page with the measures that match. Raises `Unsound`; on the first page, `InvalidFilter`."""
        page = self._page(body, rows, with_cursor=with_cursor)
        self._trial.end()
        return page

    def _page(self, body: bytes, rows: int, *, with_cursor: bool) -> Page:
        together = 1 if self._is_large else max(1, min(BATCH_ROWS, BATCH_BYTES * rows // max(1, len(body))))
        if self._is_sayable and len(body) <= responses.LARGE_BYTES and not self._documents:
            with contextlib.suppress(msgspec.DecodeError, Ambiguous):
                page = responses.page(self._decode[with_cursor](body), rows)
                return replace(page, measures=self._matching(page.measures, together))
        return responses.in_pieces(body, rows, lambda hits: self._of_piece(hits, together), self._look)

    def _of_piece(self, hits: Sequence[msgspec.Raw], together: int) -> list[Measure]:
        if self._is_sayable:
            with contextlib.suppress(msgspec.DecodeError, Ambiguous):
                return self._matching(
                    self._with_documents(self._decode_listed(responses.json_array(hits)), hits), together
                )
        return self._matching_loose(self._with_documents(list(map(responses.loose, hits)), hits), together)

    def _with_documents(self, found: list[Any], hits: Sequence[msgspec.Raw]) -> Sequence[Any]:
        return responses.with_documents(found, hits) if self._documents else found

    def _matching(self, hits: Sequence[Measure], together: int) -> list[Measure]:
        documents = self._keys.documents([hit.source for hit in hits], self._look)
        if self._asks_for_id:
            documents = ({**document, "_id": hit.id} for hit, document in zip(hits, documents, strict=True))
        found: list[Measure] = self._kept(zip(hits, documents, strict=True), together)
        self._keys.tidy([hit.source for hit in found])
        return found

    def _matching_loose(self, hits: Iterable[responses.Loose], together: int) -> list[Measure]:
        """Decide by whole documents, as dicts."""
        found = self._kept(((hit, {**lenient.held(hit.source), "_id": hit.id}) for hit in hits), together)
        return [lenient.measure(hit.id, hit.source, hit.document) for hit in found]

    def _kept(self, pairs: Iterator[tuple[Any, Document]], together: int) -> list[Any]:
        """Return the hits whose documents match. `together`: rows between two looks."""
        holds = self._tried if self._is_large else self._holds
        found = []
        while batch := list(islice(pairs, together)):
            found += [hit for hit, document in batch if holds(document)]
            self._look()
        return found

    def _tried(self, document: Document) -> bool:
        return self._trial.decides(self._holds, document)

    def _look(self) -> None:
        """Let others have their turn. Raises `ClientLeft`, `InvalidFilter`."""
        if self._cpu.rest():
            self._trial.check()


class Keys:
    """Keys of an object: those that a filter names, beside those that a row is made of (`base`).
    Decoded as `struct`.

    `within`: keys of objects in it. All rows of a page are done at once: what is done in C costs a
    tenth.
    """

    struct: Any

    def __init__(self, base: type[msgspec.Struct], names: Collection[str], within: Mapping[str, "Keys"]) -> None:
        own = {field.encode_name: field for field in msgspec.structs.fields(base)}
        attributes = {name: own[name].name if name in own else f"key{at}" for at, name in enumerate(sorted(names))}
        self._dotted = [attribute for name, attribute in attributes.items() if "." in name]
        self._plain = {name: attribute for name, attribute in attributes.items() if "." not in name}
        self._within = within
        self._tidiers = [
            (self._plain[name], tidier(name, own[name].type, within)) for name in self._plain if name in own
        ]
        self.struct = msgspec.defstruct(
            base.__name__,
            [
                (attribute, within[name].struct | None if name in within else Any, default(name))
                for name, attribute in attributes.items()
            ],
            bases=(base,),
            gc=False,
        )

    def documents(self, structs: Sequence[Any], look: Tick) -> Iterator[Document]:
        """Yield the documents that the filter is asked of. `look` is called now and then. Raises `Ambiguous`."""
        for attribute in self._dotted:
            look()
            if list(column(structs, attribute)).count(MISSING) < len(structs):
                raise Ambiguous
        columns = {name: column(structs, attribute) for name, attribute in self._plain.items()}
        for name, keys in self._within.items():
            columns[name] = keys.held(list(columns[name]), look)
        return rows_of(columns, len(structs))

    def held(self, structs: Sequence[Any], look: Tick) -> Iterator[Any]:
        """Yield documents in place of those structs that are there."""
        if set(map(type, structs)) == {self.struct}:
            return self.documents(structs, look)
        documents = self.documents(objects(structs), look)
        return (struct if struct is None or struct is MISSING else next(documents) for struct in structs)

    def tidy(self, structs: Sequence[Any]) -> None:
        """Leave in each struct what it would have if no filter had named a key."""
        for attribute, tidied in self._tidiers:
            tidied(structs, attribute)


def column(structs: Iterable[Any], attribute: str) -> Iterator[Any]:
    return map(attrgetter(attribute), structs)


def objects(structs: Iterable[Any]) -> list[Any]:
    """Return those structs that are there."""
    return [struct for struct in structs if struct is not None and struct is not MISSING]


def rows_of(columns: Mapping[str, Iterator[Any]], count: int) -> Iterator[Document]:
    """Yield a dict for each row. Most filters name few keys."""
    names = tuple(columns)
    if not names:
        return ({} for _ in range(count))
    if len(names) == 1:
        name = names[0]
        return ({name: value} for value in columns[name])
    return (dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True))


def keys(paths: Collection[str]) -> Keys:
    """Return the keys of a `_source` that these paths may mean."""
    names = leading(paths) - {"_id"}
    within = {
        name: Keys(base, leading([below(name, path) for path in paths]), {})
        for name, base in OBJECTS.items()
        if name in names and f"{name}." not in paths
    }
    return Keys(Source, names, within)


def leading(paths: Iterable[str]) -> set[str]:
    """Return the keys that may lead to any of the paths; an empty path leads nowhere."""
    return {name for path in paths if path for name in beginnings(path.removesuffix("."))}


def below(name: str, path: str) -> str:
    """Return the rest of a path below a name; empty when it does not lead there, or no farther."""
    return path.removeprefix(f"{name}.") if path.startswith(f"{name}.") else ""


def default(name: str) -> Any:
    return msgspec.field(name=name, default=MISSING)


def hit(base: type, source: type) -> Any:
    return msgspec.defstruct("Hit", [("source", source, msgspec.field(name="_source"))], bases=(base,), gc=False)


def rows_decoder(hit: Any) -> Callable[[bytes], RowsAnswer[Any]]:
    return msgspec.json.Decoder(RowsAnswer[hit]).decode


#: Mends an attribute of structs, in place.
Tidier = Callable[[Sequence[Any], str], None]


def tidier(name: str, type: Any, within: Mapping[str, Keys]) -> Tidier:
    """Return what mends a key that a filter has named."""
    if name not in within:
        return TIDIERS.get(type, without_missing)

    def tidied(structs: Sequence[Any], attribute: str) -> None:
        without_missing(structs, attribute)
        within[name].tidy(objects(column(structs, attribute)))

    return tidied


def without_missing(structs: Sequence[Any], attribute: str) -> None:
    if MISSING.__class__ in kinds(structs, attribute):
        each(structs, attribute, lambda value: None if value is MISSING else value)


def texts(structs: Sequence[Any], attribute: str) -> None:
    if kinds(structs, attribute) - {str, NONE}:
        without_missing(structs, attribute)
        each(structs, attribute, lenient.keyword)


def assets(structs: Sequence[Any], attribute: str) -> None:
    without_missing(structs, attribute)
    each(structs, attribute, lambda value: lenient.source({"asset": value}).asset)


def origins(structs: Sequence[Any], attribute: str) -> None:
    without_missing(structs, attribute)
    each(structs, attribute, lambda value: lenient.source({"origin": value}).origin)


def kinds(structs: Sequence[Any], attribute: str) -> set[type]:
    return set(map(type, column(structs, attribute)))


def each(structs: Sequence[Any], attribute: str, tidied: Callable[[Any], Any]) -> None:
    for struct in structs:
        setattr(struct, attribute, tidied(getattr(struct, attribute)))


NONE = type(None)

TIDIERS: Mapping[Any, Tidier] = {str | None: texts, Asset | None: assets, Origin | None: origins}
