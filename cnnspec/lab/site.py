"""The page as files of a folder, for a web server, a school's share, or a browser that opens them where they lie.

    index.html, lab.js, lab.css, given.js, digits-data.js, teacher.html     as `assets` has them
    answers/NAME.js         what the page asks about a spec that comes along, answered beforehand
    python/files.js         Python in the page, from a folder of Pyodide, with the compiler and its parser

Without Pyodide the specs and lessons that come along are shown, trained and looked at; other texts need it.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from ..diagnostics import Diagnostic, SpecError
from ..plain_files import read_bytes
from ..report.page import harmless
from ..resources import PACKAGE, grammar_folder
from .assets import FIRST, assets, specs
from .front import answer
from .lesson import changed, spec_text
from .lessons import LESSONS

PYODIDE = ("pyodide.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
EITHER = ("pyodide.asm.mjs", "pyodide.asm.js")  # as its version has it
LARGEST = 64 << 20  # bytes of one of its files
LONGEST = 1 << 20  # characters of the answers about one spec
PAST = (1980, 1, 1, 0, 0, 0)  # so that equal sites are equal bytes
LEFT_OUT = ("data/digits", "lab/page", "report/page", "cli", "bench", "jax")  # of the compiler in a page
Files = Iterator[tuple[str, bytes]]


def site(pyodide: str | None = None, same_as: Path | None = None) -> Files:
    """The names and contents of the files; `pyodide` is a folder of Pyodide, or where a web server has one.

    Of a web server's the page takes only files that are the `same_as` those of a folder, by their hashes.
    """
    python: dict[str, str | dict[str, str] | None] | None = None
    more = ""
    if pyodide is not None:
        files = {"cnnspec.zip": compiler(), "lark.zip": parser()}
        if urlsplit(pyodide).scheme in ("http", "https"):
            hashes = {name: integrity(data) for name, data in pyodide_files(same_as)} if same_as else None
            python = {"folder": f"{pyodide.rstrip('/')}/", "hashes": hashes}
            more = "{0.scheme}://{0.netloc}".format(urlsplit(pyodide))
        else:
            python = {"folder": None}
            files |= pyodide_files(Path(pyodide))
        yield "python/files.js", as_script(files)
    shown = {}
    for name, text in specs().items():
        told = answered(text)
        if told is not None:
            shown[name] = text
            yield f"answers/{name}.js", told
    for lesson in LESSONS:
        asked = tuple(changed(lesson, one) for one in lesson.exercises if "change" in one)
        told = answered(spec_text(lesson), asked)
        assert told is not None, "a lesson is small"
        yield f"answers/{lesson.name}.js", told
    given: dict[str, Any] = {"server": False, "saves": False, "name": "", "text": shown[FIRST], "python": python}
    given["specs"] = [{"name": name, "text": text} for name, text in shown.items()]
    for name, (_, data) in assets(given, more).items():
        yield name or "index.html", data


def answered(text: str, asked: tuple[str, ...] = ()) -> bytes | None:
    """What the page asks about a text, as a script; None where a page cannot train it, or it takes too much."""
    network = answer({"ask": "network", "text": text, "settings": []})
    if "refused" in network:
        return None
    told = {text: {"check": answer({"ask": "check", "text": text}), "network": network}}
    told |= {other: {"check": answer({"ask": "check", "text": other})} for other in asked if other != text}
    if len(json.dumps(told)) > LONGEST:
        return None
    return f"Object.assign(window.cnnspecLab.answers ||= {{}}, {harmless(told)});\n".encode()


# ---- Python in the page ------------------------------------------------------------------------------------


@cache
def compiler() -> bytes:
    """The compiler's own files, with its grammar."""
    found = [
        (f"cnnspec/{path.relative_to(PACKAGE).as_posix()}", path)
        for path in sorted(PACKAGE.rglob("*"))
        if path.suffix in (".py", ".js", ".wat") and "__pycache__" not in path.parts
    ]
    kept = [
        (name, path) for name, path in found if not name.startswith(tuple(f"cnnspec/{each}/" for each in LEFT_OUT))
    ]
    kept += [(f"cnnspec/_grammar/{path.name}", path) for path in sorted(grammar_folder().glob("*.lark"))]
    return archive(kept)


@cache
def parser() -> bytes:
    """Lark, as it is installed here; it is pure Python."""
    found = find_spec("lark")
    assert found is not None and found.submodule_search_locations
    folder = Path(next(iter(found.submodule_search_locations)))
    kinds = (".py", ".lark")
    return archive(
        [
            (f"lark/{path.relative_to(folder).as_posix()}", path)
            for path in sorted(folder.rglob("*"))
            if path.suffix in kinds and "__pycache__" not in path.parts and "__pyinstaller" not in path.parts
        ]
    )


def archive(files: list[tuple[str, Path]]) -> bytes:
    whole = io.BytesIO()
    with ZipFile(whole, "w") as made:
        for name, path in files:
            made.writestr(ZipInfo(name, PAST), path.read_bytes(), ZIP_DEFLATED, 9)
    return whole.getvalue()


def as_script(files: dict[str, bytes]) -> bytes:
    """Files as a script, since a page from a disk may load nothing else: gzip in base64, by their names."""
    texts = {name: base64.b64encode(gzip.compress(data, 9, mtime=0)).decode() for name, data in files.items()}
    return f"window.cnnspecLab.files = {harmless(texts)};\n".encode()


def integrity(data: bytes) -> str:
    """A file's hash as browsers compare it."""
    return f"sha384-{base64.b64encode(hashlib.sha384(data).digest()).decode()}"


def pyodide_files(folder: Path) -> Files:
    """The files of Pyodide that a page needs, of those that npm or a release unpacks."""
    either = next((name for name in EITHER if (folder / name).exists()), EITHER[0])
    for name in (*PYODIDE, either):
        try:
            yield name, read_bytes(folder / name, LARGEST)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            found = Diagnostic.of("CNN562", path=folder / name, reason=reason)
            raise SpecError((found,)) from error
