"""The formats of files that measures are written in, and which one an export has."""

from services.columns import Columns
from services.formats.csv import Encoder
from services.formats.port import Format
from services.measures import ExportRequest

__all__ = ["Format", "format_of", "writer"]


def format_of(request: ExportRequest) -> type[Format]:
    """Return the format of an export's file."""
    return Encoder


def writer(request: ExportRequest, columns: Columns) -> Format:
    """Return what writes an export with these columns."""
    return Encoder(columns, formula_guard=request.formula_guard)
