"""Files that must outlive a crash."""

import os
from pathlib import Path


def sync(folder: Path) -> None:
    """Write the names in a folder to its disk, so that they stay whatever happens next."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
