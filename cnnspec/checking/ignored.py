"""What a .gitignore leaves out, by git's own rules (gitignore(5)).

Written here, and not asked of git, so that a check gives the same answer where git is not installed, in
an unpacked archive and in a container without the `.git` folder; the tests hold it against
`git check-ignore`. Left out on purpose: the user's global excludes file, which a team does not share.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ..plain_files import read_text
from ..record import record

CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}


@record
class IgnorePattern:
    """One line: a pattern for paths relative to the file's folder."""

    pattern: re.Pattern[str]
    included: bool  # the line began with `!`
    folders_only: bool  # the line ended with `/`


@record
class Rules:
    """The lines of one file, which hold for everything below its folder."""

    folder: Path
    rules: tuple[IgnorePattern, ...]

    @classmethod
    def read(cls, path: Path, folder: Path) -> Rules:
        """The rules of a file, for paths below `folder`; none where the file cannot be read."""
        try:
            text = read_text(path, errors="surrogateescape")
        except OSError:
            return cls(folder, ())
        return cls.of(text.removeprefix("\ufeff").split("\n"), folder)

    @classmethod
    def of(cls, lines: Iterable[str], folder: Path) -> Rules:
        return cls(folder, tuple(rule for rule in map(parse, lines) if rule))

    def verdict(self, path: Path, is_folder: bool) -> bool | None:
        """True to leave a path out, False to keep it, None where no line speaks of it; the last line wins."""
        relative = bytewise(path.relative_to(self.folder).as_posix())
        for rule in reversed(self.rules):
            if (is_folder or not rule.folders_only) and rule.pattern.fullmatch(relative):
                return not rule.included
        return None


def bytewise(text: str) -> str:
    """A character for each byte, because that is what `?` and `[!a]` stand for in git."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def ignored(path: Path, is_folder: bool, rules: Iterable[Rules]) -> bool:
    """Whether files of rules, the outermost first, leave a path out; the innermost that speaks decides."""
    for each in reversed(tuple(rules)):
        verdict = each.verdict(path, is_folder)
        if verdict is not None:
            return verdict
    return False


def parse(line: str) -> IgnorePattern | None:
    """One line of a .gitignore; None for blank lines, comments and patterns that can never match.

    *.log        any file or folder of that name, at any depth
    /build/      the folder `build` beside this file
    nets/**/old  `old` anywhere below `nets`
    !keep.cnn    not that one
    """
    line = _without_spaces(bytewise(line.removesuffix("\r")))
    if not line or line.startswith("#"):
        return None
    included = line.startswith("!")
    line = line[included:]
    folders_only = line.endswith("/")
    line = line.removesuffix("/")
    anchored = "/" in line
    line = line.removeprefix("/")
    expression = translate(line)
    if not line or expression is None:
        return None
    return IgnorePattern(
        re.compile(expression if anchored else f"(?:.*/)?{expression}", re.S), included, folders_only
    )


def _without_spaces(line: str) -> str:
    """A line without the spaces at its end, but for one that a backslash keeps."""
    bare = line.rstrip(" ")
    escaped = (len(bare) - len(bare.rstrip("\\"))) % 2
    return line[: len(bare) + escaped]


def translate(glob: str) -> str | None:
    """A regular expression for a pattern; None where the pattern is broken and matches nothing.

    a*b*c     a(?>[^/]*?b)[^/]*c
    a/**/b    a/(?:[^/]*/)*b

    A star takes as little as it can and tries no more (an atomic group), since a name that fits at all also
    fits that way. Only the last star, which must meet the end, is tried at each place. So the time to match
    grows with the lengths of pattern and name, and not with the number of ways to cut the name.
    """
    parts = _parts(glob)
    if parts is None:
        return None
    *before, last = [[first, *(f"(?>[^/]*?{fixed})" for fixed in rest)] for first, *rest in parts]
    if len(last) > 1:
        last[-1] = f"[^/]*{parts[-1][-1]}"
    out = ""
    for number, part in enumerate(before):
        out += f"(?>(?:[^/]*/)*?{''.join(part)})" if number else "".join(part)
    return out + ("(?:[^/]*/)*" if before else "") + "".join(last)


def _parts(glob: str) -> list[list[str]] | None:
    """A pattern cut at each `**/`, and those parts cut at each star, into expressions of fixed length."""
    parts, i = [[""]], 0
    while i < len(glob):
        character = glob[i]
        fixed = parts[-1]
        if character == "*":
            start = i
            while i < len(glob) and glob[i] == "*":
                i += 1
            whole_part = i - start > 1 and (start == 0 or glob[start - 1] == "/")
            if whole_part and i == len(glob):
                fixed[-1] += ".+"
            elif whole_part and glob[i] == "/":
                parts.append([""])
                i += 1
            else:
                fixed.append("")
        elif character == "?":
            fixed[-1], i = fixed[-1] + "[^/]", i + 1
        elif character == "[":
            bracket = translate_bracket(glob, i)
            if bracket is None:
                return None
            fixed[-1], i = fixed[-1] + bracket[0], bracket[1]
        else:
            if character == "\\":
                i += 1
                if i == len(glob):
                    return None
            fixed[-1], i = fixed[-1] + re.escape(glob[i]), i + 1
    return parts


def translate_bracket(glob: str, start: int) -> tuple[str, int] | None:
    """`[a-z]`, `[!abc]`, `[[:digit:]]` from `start`, and where it ends; None where it never does."""
    i = start + 1
    negated = glob[i : i + 1] in ("!", "^")
    i += negated
    items, first = "", True
    while i < len(glob) and (first or glob[i] != "]"):
        first = False
        name = re.compile(r"\[:([a-z]*):\]").match(glob, i)
        if name:
            if name[1] not in CLASSES:
                return None
            items, i = items + CLASSES[name[1]], name.end()
            continue
        low, i = _character(glob, i)
        if glob[i : i + 1] == "-" and glob[i + 1 : i + 2] not in ("", "]"):
            high, i = _character(glob, i + 1)
            items += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
        else:
            items += re.escape(low)
    if i >= len(glob):
        return None
    if not items:  # only ranges that hold nothing
        return ("[^/]" if negated else "(?!)"), i + 1
    return f"(?!/)[{'^' if negated else ''}{items}]", i + 1


def _character(glob: str, i: int) -> tuple[str, int]:
    """A character of a bracket, a backslash taken for the one after it."""
    if glob[i] == "\\" and i + 1 < len(glob):
        i += 1
    return glob[i], i + 1
