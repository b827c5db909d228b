"""Filters that cost much hold nobody up: on both stores, with one worker, which is never killed.

What is measured beside other load is the service's own share of it where that can be told apart: see `Health`.
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import SECRETS, STORES, Served, load, settings
from tests.filters.costly import COSTLY, Costly, documents
from tests.support.health import Health
from tests.support.service import service
from tests.support.waiting import wait_until

#: Milliseconds that health may take during any of them.
LONGEST_MS = 300

#: Seconds of looking at a download, which may take minutes.
SECONDS = 3.0

#: Seconds that prepare may take: counting has one of them.
PREPARE_SECONDS = 3.0
