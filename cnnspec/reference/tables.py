"""The tables of grammar/README.md and the page grammar/codes.md, out of the dataclasses that declare the words.

The prose of that page is written by hand; what stands between `<!-- table: NAME -->` and `<!-- end -->` is not.

    python -m cnnspec.reference.tables        # writes the tables anew, after a change of a word or a setting
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ..ir.fields import Declared
from ..ir.op import Op
from ..settings.augment import AUGMENTATIONS
from . import words as reference
from .codes import page

PAGE = Path(__file__).parents[2] / "grammar" / "README.md"
TABLE = re.compile(r"(<!-- table: ([a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def words() -> str:
    """Every layer and join, by family: what it does, its settings, an example."""
    return _families(lambda family: "(in " not in family and family != "block")


def settings() -> str:
    """The settings of `data` and `train`, and the words that they take."""
    blocks = "\n\n".join(f"### {cls.word} {{ }}\n\n{_settings(cls)}" for cls in reference.vocabulary()["block"])
    return blocks + "\n\n" + _families(lambda family: "(in " in family)


def budgets() -> str:
    """What `expect` may speak of."""
    from ..settings.expect import QUANTITIES

    rows = [
        (f"`{quantity.name}`", quantity.doc, "`run`" if quantity.trained else "`check`", quantity.code)
        for quantity in QUANTITIES
    ]
    return _table(("quantity", "what it is", "held by", "code when missed"), rows)


def accuracy() -> str:
    """What is counted as right."""
    from ..model.targets import ACCURACY

    return _table(("the network ends in", "answers", "what is counted"), ACCURACY)


def measures() -> str:
    """What is measured beside the cost, and of which answers."""
    from ..settings.measures import MEASURES

    rows = [(f"`{measure.name}`", measure.doc, ", ".join(measure.of)) for measure in MEASURES]
    return _table(("measure", "what it is", "of"), rows)


def initialisers() -> str:
    from ..words.conv import INITIALISERS

    return ", ".join(f"`{name}`" for name in INITIALISERS)


def units() -> str:
    from ..lang.parse.numbers import UNITS

    return ", ".join(f"`{unit}` {size:,}".replace(",", " ") for unit, size in UNITS.items()) + ", `%` a hundredth"


def codes() -> str:
    """Every diagnostic, with its name and its page."""
    from ..diagnostics.codes import CODES

    rows = [
        (f"[{entry.code}](codes.md#{entry.code.lower()})", entry.severity, entry.name.replace("-", " "))
        for entry in CODES.values()
    ]
    return _table(("code", "severity", "name"), rows)


TABLES: dict[str, Callable[[], str]] = {
    each.__name__: each for each in (words, settings, budgets, accuracy, measures, initialisers, units, codes)
}


def written(page: str) -> str:
    """The page with its tables as they should be."""
    return TABLE.sub(lambda match: f"{match[1]}\n{TABLES[match[2]]()}\n\n{match[3]}", page)


def _families(wanted: Callable[[str], bool]) -> str:
    parts = []
    for family, classes in reference.vocabulary().items():
        if wanted(family):
            parts.append(f"### {family[0].upper()}{family[1:]}")
            parts += [_entry(cls) for cls in classes]
    return "\n\n".join(parts)


def _entry(cls: type[Declared]) -> str:
    """A word: how it is written, what it does, its settings, an example."""
    parts = [f"**`{reference.synopsis(cls)}`** {reference.description(cls)}"]
    if reference.rows(cls):
        parts.append(_settings(cls))
    if cls in AUGMENTATIONS:
        name = f"pictures/augment/{cls.word}.png"
        parts.append(f"![an image and nine that `augment {cls.word}` makes of it]({name})")
    if issubclass(cls, Op) and cls.example:
        parts.append(f"```cnn\ninput {cls.on}\n{cls.example}\n```")
    return "\n\n".join(parts)


def _settings(cls: type[Declared]) -> str:
    rows = [(f"`{row.name}`", _default(row.default), row.doc, row.accepts) for row in reference.rows(cls)]
    return _table(("setting", "default", "what it is", "takes"), rows)


def _default(text: str) -> str:
    return {"": "must be written", "-": "off"}.get(text, f"`{text}`")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    from ..lang.exchange import write_schema

    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    PAGE.with_name("codes.md").write_text(page(), encoding="utf-8")
    write_schema(PAGE.with_name("graph.schema.json"))
