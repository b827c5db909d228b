"""Work that is done in a thread of its own while its caller goes on."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


def in_background(work: Callable[[], Result], name: str) -> Future[Result]:
    """Begin `work` at once and return its future, which raises what the work raises. `name`: the thread's."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  whatever it is, it is for who waits
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
