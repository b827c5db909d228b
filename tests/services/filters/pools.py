"""Documents drawn once, for many filters."""

from typing import Any

from hypothesis import HealthCheck, given, settings

from tests.services.filters.strategies import World

JSON = dict[str, Any]


def pool(world: World, count: int) -> dict[str, JSON]:
    """So many documents, at most; ids are digits. Always the same."""
    drawn: list[JSON] = []

    @settings(max_examples=count, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(world.documents)
    def draw(document: JSON) -> None:
        drawn.append(document)

    draw()
    return {str(number): document for number, document in enumerate(drawn)}
