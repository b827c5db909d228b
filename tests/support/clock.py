"""Time, passed in."""


class Clock:
    """Epoch seconds; stands still until it is set."""

    def __init__(self, seconds: float = 1_700_000_000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds
