"""Python names for the values of a graph, each its own whatever the author called things."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable


class Names:
    """Gives `basic3_conv1_mask` for `basic3.conv1:mask`, and `basic3_conv1_mask_2` where that is taken.

    `taken` are names that something else has: nobody may call a layer `costs` and so lose the costs.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)
        self.given: dict[str, str] = {}

    def __getitem__(self, value: str) -> str:
        if value not in self.given:
            self.given[value] = self.free(value)
        return self.given[value]

    def free(self, wish: str) -> str:
        """A name like this one, for once."""
        wish = re.sub(r"\W", "_", wish)
        wish = f"{wish}_" if keyword.iskeyword(wish) else wish
        name, count = wish, 1
        while name in self.taken:
            count += 1
            name = f"{wish}_{count}"
        self.taken.add(name)
        return name
