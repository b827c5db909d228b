"""Measures as CSV text. No I/O."""

from services.csv_text.encoder import Encoder

__all__ = ["Encoder"]
