"""Python names for the values of a graph, unique even if the author's names clash."""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from unicodedata import normalize


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
        wish = identifier(wish)
        name, count = wish, 1
        while name in self.taken:
            count += 1
            name = f"{wish}_{count}"
        self.taken.add(name)
        return name


def identifier(wish: str) -> str:
    """The wish as Python reads it: letters, digits and underscores, and no name that Python has a use for.

    Python takes `ﬁ` for `fi`, no `²` at all, and `__class__` for what every object has.
    """
    name = normalize("NFKC", wish)
    name = "".join(character if f"_{character}".isidentifier() else "_" for character in name)
    if not name.isidentifier() or name.startswith("__") or name == "_":
        name = f"n{name}"
    return f"{name}_" if keyword.iskeyword(name) else name
