"""The embedded store, over sqlite3; and what fills it."""

from services.stores.sqlite.load import LoadError, Survey, load, survey
from services.stores.sqlite.store import SqliteStore

__all__ = ["LoadError", "SqliteStore", "Survey", "load", "survey"]
