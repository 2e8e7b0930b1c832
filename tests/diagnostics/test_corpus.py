"""Wrong specs, and what is said of each: corpus/NAME.cnn and corpus/NAME.txt.

A text is written down once it has been read and found good. To look at what changed, or to add a spec:

    python tests/diagnostics/test_corpus.py          # writes every NAME.txt anew; then read `git diff`
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cnnspec.diagnostics import Diagnostic
from cnnspec.diagnostics.codes import CODES
from cnnspec.diagnostics.text import render
from cnnspec.lang import read
from cnnspec.lang.files import read_file
from cnnspec.lang.hints.fixes import edited

CORPUS = Path(__file__).parent / "corpus"
NAMES = sorted(path.stem for path in CORPUS.glob("*.cnn"))


def diagnostics(name: str) -> tuple[Diagnostic, ...]:
    """What is found in a spec, read from within its folder so that messages name no other."""
    before = Path.cwd()
    os.chdir(CORPUS)
    try:
        source = read_file(Path(f"{name}.cnn"))
        return (source,) if isinstance(source, Diagnostic) else read(source, root=Path()).diagnostics
    finally:
        os.chdir(before)


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_should(name: str) -> None:
    expected = (CORPUS / f"{name}.txt").read_text(encoding="utf-8")
    assert render(diagnostics(name)) == expected
    assert expected, "a spec of the corpus is wrong"


@pytest.mark.parametrize("name", NAMES)
def test_fixes_cure(name: str) -> None:
    """Whatever is offered, applied alone, makes its finding go away and brings no further error."""
    found = diagnostics(name)
    source = read_file(CORPUS / f"{name}.cnn")
    assert not isinstance(source, Diagnostic)
    for finding in found:
        if finding.fix:
            assert CODES[finding.code].fixed_by, "the entry names who proposes the fix"
            fixed = type(source)(f"{name}.cnn", edited(source.text, finding.fix))
            after = read(fixed, root=CORPUS, fixes=False).diagnostics
            said = [d.message for d in after]
            assert said.count(finding.message) < [d.message for d in found].count(finding.message)
            assert sum(d.severity == "error" for d in after) <= sum(d.severity == "error" for d in found)


def test_is_large_enough() -> None:
    assert len(NAMES) >= 120


if __name__ == "__main__":
    for each in NAMES:
        (CORPUS / f"{each}.txt").write_text(render(diagnostics(each)), encoding="utf-8")
