"""The names that an index of Kuzzle may have; an engine's id is one."""

#: Bytes of an index's name, as Kuzzle has it.
LONGEST = 126

#: What no index of Kuzzle has in its name: Elasticsearch's own marks, and `.`, which ends the name in an alias.
MARKS = frozenset('\\/*?"<>|,#:%&.+')


def is_index(name: str) -> bool:
    """Return whether an index may have this name; no other text may reach a URL or a search."""
    return (
        0 < len(name.encode("utf-8", "replace")) <= LONGEST
        and name == name.lower()
        and name.isprintable()
        and " " not in name
        and not MARKS.intersection(name)
        and not any("\ud800" <= letter <= "\udfff" for letter in name)
    )
