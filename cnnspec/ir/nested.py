"""Settings that are words with settings of their own."""

from __future__ import annotations

from ..record import record
from .fields import Declared, Kind, is_required, settings, size_field, word_schema, written


@record
class Nested(Kind[Declared]):
    """A word with settings of its own: `optimiser adam lr 1e-3`. The reader hands over the finished instance."""

    classes: tuple[type[Declared], ...]

    @property
    def by_word(self) -> dict[str, type[Declared]]:
        """The classes by the words that stand for them."""
        return {cls.word: cls for cls in self.classes}

    @property
    def wanted(self) -> str:
        return "one of " + ", ".join(self.by_word)

    def read(self, value: object) -> Declared:
        if not isinstance(value, self.classes):
            raise self.refuse(value)
        return value

    def write(self, value: object) -> str:
        assert isinstance(value, Declared)
        return written(value)

    def schema(self) -> dict[str, object]:
        return {"oneOf": [word_schema(cls) for cls in self.classes]}


class Clause(Nested):
    """A setting that is a word itself, with a size and settings: `freeze stem until 5`."""

    @property
    def wanted(self) -> str:
        (cls,) = self.classes
        sized = size_field(cls)
        assert sized is not None
        told = [f"{name} ..." if is_required(f) else f"[{name} ...]" for name, f in settings(cls).items()]
        return " ".join([sized.metadata["pattern"], *told])

    def write(self, value: object) -> str:
        assert isinstance(value, Declared)
        return written(value).partition(" ")[2]
