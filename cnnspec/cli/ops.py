"""`cnnspec ops [WORD]`: the reference in the terminal."""

from __future__ import annotations

import click

from ..reference import words as reference
from ..settings.expect import QUANTITIES
from ..terminal import show


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    words = (cls.word for classes in reference.vocabulary().values() for cls in classes)
    return [word for word in words if word.startswith(incomplete)]


@click.command()
@click.argument("words", nargs=-1, metavar="[WORD]...", shell_complete=complete)
def command(words: tuple[str, ...]) -> None:
    """Show the words of the language by family, or the whole reference of some.

    \b
    cnnspec ops
    cnnspec ops conv maxpool
    """
    if not words:
        show(overview() + "\n")
        return
    pages = []
    for word in words:
        found = reference.find(word)
        if not found:
            raise click.UsageError(f"there is no word `{word}`; {hint(word)}")
        pages += [reference.page(cls) for cls in found]
    show("\n\n----\n\n".join(pages) + "\n")


def overview() -> str:
    """A line a word, by family, as wide as the terminal."""
    formatter = click.HelpFormatter(max_width=110)
    for family, classes in reference.vocabulary().items():
        with formatter.section(family):
            formatter.write_dl([(reference.synopsis(cls), reference.summary(cls)) for cls in classes])
    with formatter.section("budget (in expect)"):
        formatter.write_dl([(quantity.name, quantity.doc) for quantity in QUANTITIES])
    return formatter.getvalue().strip("\n")


def hint(word: str) -> str:
    """What might have been meant: a word of another system, or a near one of ours."""
    from ..lang.hints.suggest import nearest

    classes = [cls for classes in reference.vocabulary().values() for cls in classes]
    meant = next((cls.word for cls in classes if word.lower() in getattr(cls, "aliases", ())), "")
    meant = meant or nearest(word, [cls.word for cls in classes])
    return f"did you mean `{meant}`?" if meant else "`cnnspec ops` lists them"
