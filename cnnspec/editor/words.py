"""Words as an editor meets them: what a name in the text stands for."""

from __future__ import annotations

from ..ir.fields import Declared, settings
from ..ir.nested import Nested
from ..lang.hints.spelling import own_setting, own_word
from ..lang.lowering.arguments import head as head_of
from ..lang.lowering.names import Recipe
from ..lang.parse.tree import Layer, Name, Setting, Settings
from ..quoting import code_block, markdown
from ..settings.data import Data
from ..settings.train import Train
from ..words import WORDS
from .document import Document, SyntaxNode

BLOCKS: dict[str, type[Declared]] = {"train": Train, "data": Data}


def nested(path: list[SyntaxNode]) -> type[Declared] | None:
    """The class whose settings stand at the end of a path through the tree.

    conv 8x3x3 | stride 2                      Conv
    train {    | epochs 5                      Train
    train { optimiser adam | lr 1e-3           Adam
    """
    cls: type[Declared] | None = None
    for part in path:
        if isinstance(part, Layer):
            cls = WORDS.get(own_word(part.word.text, WORDS))
        elif isinstance(part, Settings):
            cls = BLOCKS.get(part.word.text)
        elif isinstance(part, Setting) and cls is not None:
            inner = choices(cls, part.name.text)
            if isinstance(part.value, Name):
                cls = inner.get(own_word(part.value.text, inner), cls)
    return cls


def choices(cls: type[Declared], setting: str) -> dict[str, type[Declared]]:
    """The words that a setting takes, which have settings of their own: `optimiser` takes adam, sgd, ..."""
    known = settings(cls)
    field = known.get(own_setting(setting, known))
    kind = field.metadata["kind"] if field else None
    return kind.by_word if isinstance(kind, Nested) else {}


def recipes(document: Document) -> dict[str, Recipe]:
    """The blocks, nets and imported files that the text may call."""
    reading = document.latest.reading
    return reading.module.recipes if reading else {}


def recipe_page(document: Document, name: str) -> str:
    """A block's head, as it was defined: `block basic(c, s = 1)`."""
    recipe = recipes(document).get(name)
    if recipe is None:
        return ""
    params = head_of(recipe, defaults=True)
    kind = "net" if recipe.shared else "block"
    place = "" if document.owns(recipe.name.span) else f" from {markdown(recipe.name.span.source.name)}"
    head = f"{kind} {name}({params})" if params else f"{kind} {name}"
    return f"**{markdown(head)}**{place}\n\n{code_block(recipe.chain.span.text)}"
