"""CSV: measures as text, one row each, without any I/O."""

from services.formats.csv.encoder import Encoder

__all__ = ["Encoder"]
