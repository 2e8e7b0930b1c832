"""The sizes of an input as an option's value: 1x28x28, 3x128 or 100."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click import Context, Parameter

LARGEST_SIDE = 65_536  # as of an input that a spec states


class Sizes(click.ParamType):
    """One to three whole numbers with an x between them; anything else is refused as wrong usage."""

    name = "sizes"

    def convert(self, value: str, param: Parameter | None, ctx: Context | None) -> str:
        if not re.fullmatch(r"[0-9]+(x[0-9]+){0,2}", value) or not all(
            1 <= int(side) <= LARGEST_SIDE for side in value.split("x")
        ):
            self.fail(f"{value!r} is no input: give its sizes, such as 1x28x28, each from 1 to {LARGEST_SIDE:,}")
        return value


SIZES = Sizes()
