"""The scripts of a page stand in one scope: no two of them may declare the same name."""

import re
from collections import Counter

import pytest

from cnnspec.lab.assets import SCRIPTS as LAB
from cnnspec.lab.assets import SHARED, WATCH, page_text
from cnnspec.report.page import HERE, SCRIPTS

DECLARED = re.compile(r"^(?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)


def text(name):
    return (HERE / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "scripts",
    [
        [text(name) for name in SCRIPTS],
        [*map(text, SHARED), *map(page_text, LAB)],
        [*map(text, SHARED), *map(page_text, WATCH)],
    ],
    ids=["report", "lab", "watch"],
)
def test_every_name_of_a_page_is_declared_once(scripts):
    declared = Counter(name for script in scripts for name in DECLARED.findall(script))
    assert len(declared) > 10 and [name for name, count in declared.items() if count > 1] == []
