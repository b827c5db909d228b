"""The languages that a `query` may be written in."""

from typing import Literal, get_args

Lang = Literal["koncorde", "elasticsearch"]
LANGS: tuple[Lang, ...] = get_args(Lang)
