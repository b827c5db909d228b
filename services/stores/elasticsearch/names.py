"""The names of Kuzzle's indices: a collection is read through its alias `@&<index>.<collection>`."""

from urllib.parse import quote


def alias(index: str, collection: str) -> str:
    return f"@&{index}.{collection}"


def path(name: str) -> str:
    """Return a name as one part of a URL, quoted, after its slash."""
    return "/" + quote(name, safe="")
