"""Measures as CSV text. No I/O."""

from services.formats.csv.encoder import Encoder

__all__ = ["Encoder"]
