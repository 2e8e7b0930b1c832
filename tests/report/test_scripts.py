"""The scripts of a page share one scope, so that a name defined twice would leave the page without any of them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

PAGE = Path(__file__).parents[2] / "cnnspec" / "report" / "page"
DEFINED = re.compile(r"^(?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


def test_no_two_scripts_define_one_name():
    scripts = [path.read_text(encoding="utf-8") for path in PAGE.glob("*.js")]
    names = Counter(name for script in scripts for name in DEFINED.findall(script))
    assert len(names) > 100 and not [name for name, count in names.items() if count > 1]
