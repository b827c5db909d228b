"""The tick: what is called now and then within work that takes long, to let others in or to end the work."""

from collections.abc import Callable

Tick = Callable[[], object]


def no_tick() -> None:
    """Do nothing: nobody waits."""
