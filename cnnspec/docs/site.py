"""The site: every page in its frame, the index of the search, and the files that pages show.

    index.html, language.html, codes.html ...   a page for each of the repository, cookbook.html, api.html
    docs.css, docs.js, index.js                 its look, the search, and what is found
    drawings/, files/                           the drawings of the cookbook; pictures and files of grammar/

It needs no server and asks for nothing from elsewhere. Every link within it leads to a page and a heading that are
there, or it is not made (CNN581).
"""

from __future__ import annotations

import posixpath
import re
from importlib.resources import files
from pathlib import PurePosixPath

from ..diagnostics import Diagnostic, SpecError
from ..plain_files import read_bytes
from ..quoting import markup
from ..report.page import harmless
from ..resources import spec_files
from .cookbook import cookbook
from .markdown import Lead, RenderedPage, rendered
from .python_api import api
from .sources import stored, written

LARGEST = 16 << 20  # bytes of a file that a page shows
MARKER = "index.js"  # the file by which a folder is known as such a site
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
)
TARGET = re.compile(r'<(?:a|img)\b[^>]*?\s(?:href|src)="([^"]*)"')
FOLLOWING = (("cookbook.html", "grammar/README.md"), ("api.html", "grammar/python.md"))  # made pages, behind which


def site() -> dict[str, bytes]:
    """The contents of the files by their names. Raises SpecError where a link leads nowhere."""
    pages = written()
    names = {str(page.path): page.name for page in pages}
    copied: dict[str, bytes] = {}
    parts: dict[str, RenderedPage] = {}
    recipes, drawings = cookbook()
    made = {"cookbook.html": lambda: recipes, "api.html": lambda: api(leading(PurePosixPath("."), names, copied))}
    for page in pages:
        lead = leading(page.path.parent, names, copied)
        indented = "cnn" if page.name == "codes.html" else ""
        parts[page.name] = rendered(page.text, lead, indented, html=True)
        for name, behind in FOLLOWING:
            if str(page.path) == behind:
                parts[name] = made[name]()
    broken = list(dead_links(parts, {**drawings, **copied}))
    if broken:
        raise SpecError(tuple(broken))
    found = {name: framed(name, part, parts).encode() for name, part in parts.items()}
    return {**found, **assets(), MARKER: index(parts).encode(), **drawings, **copied}


def leading(folder: PurePosixPath, names: dict[str, str], copied: dict[str, bytes]) -> Lead:
    """Where the links of a page in a folder of the repository lead; files of grammar/ are noted as copied."""

    def lead(target: str) -> str | None:
        if "://" in target or target.startswith("#"):
            return target
        name, hash, place = target.partition("#")
        path = posixpath.normpath(str(folder / name))
        if path in names:
            return f"{names[path]}{hash}{place}"
        if path == "specs" or path.startswith("specs/"):
            here = PurePosixPath(path)
            shown = here.parent.name == "specs" and any(file.name == here.name for file in spec_files("*.cnn"))
            return f"cookbook.html#{here.stem}" if shown else "cookbook.html"
        file = stored(PurePosixPath(path))
        if path.startswith("grammar/") and file.is_file():
            copied[f"files/{path.removeprefix('grammar/')}"] = read_bytes(file, LARGEST)
            return f"files/{path.removeprefix('grammar/')}"
        return None

    return lead


def dead_links(parts: dict[str, RenderedPage], others: dict[str, bytes]) -> list[Diagnostic]:
    """A finding for each link of the site that leads to no page, no heading and no file of it."""
    places = {name: {section.anchor for section in part.sections} for name, part in parts.items()}
    found = []
    for page, part in parts.items():
        for target in TARGET.findall(part.html):
            name, _, place = target.partition("#")
            name = name or page
            there = name in others if name not in parts else not place or place in places[name]
            if "://" not in target and not there:
                found.append(Diagnostic.of("CNN581", None, page=page, target=target))
    return found


def framed(name: str, part: RenderedPage, parts: dict[str, RenderedPage]) -> str:
    """A whole page: its part between the list of pages and that of its own headings."""
    title = part.title if name == "index.html" else f"{part.title} - cnnspec"
    fields = {"policy": POLICY, "title": title}
    frame = text_of("frame.html")
    for field, value in fields.items():
        frame = frame.replace(f"@@{field}@@", markup(value))
    return frame.replace("@@pages@@", listed(name, parts)).replace("@@content@@", part.html)


def listed(here: str, parts: dict[str, RenderedPage]) -> str:
    """The list of pages, with the headings of this one below its own."""
    lines = []
    for name, part in parts.items():
        title = "cnnspec" if name == "index.html" else part.title
        current = ' aria-current="page"' if name == here else ""
        inside = ""
        if name == here:
            own = [section for section in part.sections if section.level == 2]
            inside = "".join(f'<li><a href="#{s.anchor}">{markup(s.title)}</a></li>' for s in own)
            inside = f"<ul>{inside}</ul>" if inside else ""
        lines.append(f'<li><a href="{name}"{current}>{markup(title)}</a>{inside}</li>')
    return f"<ul>{''.join(lines)}</ul>"


def index(parts: dict[str, RenderedPage]) -> str:
    """What the search looks through, as a script, since a page from the file system may load nothing else."""
    rows = [
        [name, part.title, section.anchor, section.title, " ".join(section.text.split())]
        for name, part in parts.items()
        for section in part.sections
    ]
    return f"window.cnnspecPages = {harmless(rows)};\n"


def assets() -> dict[str, bytes]:
    return {name: text_of(name).encode() for name in ("docs.css", "docs.js")}


def text_of(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text(encoding="utf-8")
