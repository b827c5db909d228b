"""Filters that cost much hold nobody up: on both stores, with one worker, which is never killed.

What is measured beside other load is the service's own share of it where that can be told apart: see `Health`.
"""

#: Milliseconds that health may take during any of them.
LONGEST_MS = 300

#: Seconds of looking at a download, which may take minutes.
SECONDS = 3.0

#: Seconds that prepare may take: counting has one of them.
PREPARE_SECONDS = 3.0
