"""The page of the Python API, from the docstrings of what `import cnnspec` offers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import cnnspec

from .markdown import Lead, RenderedPage, Section, code, rendered

NOTHING = re.compile(r"<object object at 0x[0-9a-f]+>")  # a default that only says that nothing was given
QUOTED = re.compile(r"(: |-> )'([^']*)'")  # a type, which its module does not evaluate
COLUMNS = re.compile(r"^\S+(?: \S+)*\s{2,}\S", re.MULTILINE)  # names with what they mean beside them
WIDE = 90  # letters of a signature on one line
OF_OBJECTS = frozenset(dir(object))


def api(lead: Lead) -> RenderedPage:
    """The page: functions and classes by their names, each with its signature and its docstring."""
    html = [
        '<h1 id="python-api">Python API</h1>\n<p>What <code>import cnnspec</code> offers; examples are on '
        '<a href="python.html">the page about Python</a>.</p>\n'
    ]
    sections = [Section(1, "Python API", "python-api", "python api import cnnspec")]
    for name in sorted(cnnspec.__all__, key=lambda name: (name[0].isupper(), name)):
        found = getattr(cnnspec, name)
        level = 2
        for title, thing in ((name, found), *(_members(name, found) if inspect.isclass(found) else ())):
            text = inspect.getdoc(thing) or ""  # its name is its anchor, since `run` and `Run` are two
            html.append(f'<h{level} id="{title}">{title}</h{level}>\n{code(signature(title, thing), "python")}')
            html.append(rendered(as_markdown(text), lead, indented="python").html)
            sections.append(Section(level, title, title, text))
            level = 3
    return RenderedPage("".join(html), tuple(sections))


def signature(title: str, thing: object) -> str:
    """`Model.parameters() -> int`; the name alone of what cannot be called."""
    if isinstance(thing, property) or not callable(thing):
        return title
    try:
        found = inspect.signature(thing)
    except ValueError:
        return title
    found = found.replace(parameters=[one for one in found.parameters.values() if one.name != "self"])
    written = QUOTED.sub(r"\1\2", NOTHING.sub("...", f"{title}{found}"))
    if len(written) <= WIDE:
        return written
    inside = [QUOTED.sub(r"\1\2", NOTHING.sub("...", str(one))) for one in found.parameters.values()]
    kinds = [one.kind for one in found.parameters.values()]
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        inside.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    back = QUOTED.sub(r"\1\2", f" -> {found.return_annotation!r}") if found.return_annotation != found.empty else ""
    return f"{title}(\n" + "".join(f"    {one},\n" for one in inside) + f"){back}"


def as_markdown(docstring: str) -> str:
    """A docstring in which names with what they mean beside them keep their columns."""
    parts = re.split(r"\n\s*\n", docstring)
    return "\n\n".join(f"```text\n{part}\n```" if COLUMNS.search(part) else part for part in parts)


def _members(name: str, cls: type) -> Iterator[tuple[str, object]]:
    """The public methods and properties of a class that say what they are for."""
    ours = [part for part in cls.__mro__ if part.__module__ != "builtins"]
    found = {name: thing for part in reversed(ours) for name, thing in vars(part).items()}
    for member, thing in found.items():
        plain = thing.__func__ if isinstance(thing, classmethod | staticmethod) else thing
        shown = inspect.isfunction(plain) or isinstance(plain, property)
        if shown and not member.startswith("_") and member not in OF_OBJECTS and inspect.getdoc(plain):
            yield f"{name}.{member}", plain
