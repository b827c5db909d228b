"""Something done meanwhile."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Background(Generic[Result]):
    """Begins at once, in a thread of its own; what it raises is raised to who asks for the result."""

    def __init__(self, cpu: Callable[[], Result], name: str) -> None:
        self._cpu = cpu
        self._done = threading.Event()
        self._result: list[Result] = []
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def result(self) -> Result:
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._result[0]

    def _run(self) -> None:
        try:
            self._result.append(self._cpu())
        except BaseException as error:  # noqa: BLE001  whatever it is, it is for who waits
            self._error = error
        finally:
            self._done.set()
