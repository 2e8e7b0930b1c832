"""The reference of the language says what the code says, and its examples compile."""

from __future__ import annotations

import re

import pytest

from cnnspec.diagnostics import Source
from cnnspec.diagnostics.codes import CODES
from cnnspec.diagnostics.formats.checked import url
from cnnspec.lang import read
from cnnspec.reference.codes import page
from cnnspec.reference.tables import PAGE, TABLE, TABLES, written
from cnnspec.words import WORDS

TEXT = PAGE.read_text()
EXAMPLES = re.findall(r"```cnn\n(.*?)```", TEXT, re.DOTALL)


def test_the_tables_are_those_of_the_code():
    assert written(TEXT) == TEXT, "run python -m cnnspec.reference.tables"


def test_every_code_has_its_page():
    text = PAGE.with_name("codes.md").read_text(encoding="utf-8")
    assert text == page(), "run python -m cnnspec.reference.tables"
    for code in CODES:
        assert f"\n## {code}\n" in text and PAGE.parents[1].joinpath(url(code).partition("#")[0]).is_file()


def test_every_table_is_there():
    assert sorted(match[2] for match in TABLE.finditer(TEXT)) == sorted(TABLES)


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_there(word):
    assert re.search(rf"^\*\*`{word}\b", TEXT, re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: " ".join(text.split())[:40])
def test_examples_compile(example):
    assert not read(Source("<text>", example), fixes=False).errors
