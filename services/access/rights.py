"""What a caller may be let do: an action on the assets or devices of an engine."""

from dataclasses import dataclass

from services.measures import Kind, Target


@dataclass(frozen=True)
class Right:
    """Lets somebody do an action of `device-manager/<kind>` on an engine. `id`: on one document; `None`: on all."""

    engine: str
    kind: Kind
    id: str | None = None
    action: str = "exportMeasures"


def to_export(target: Target) -> Right:
    """Return the right to export the measures of one asset or device."""
    return Right(target.engine, target.kind, target.id)
