"""A text that is known in parts is formatted statement by statement, and comes out as it does in one piece."""

from __future__ import annotations

from pathlib import Path
from random import Random

from cnnspec.diagnostics import Source
from cnnspec.lang.findings import Findings
from cnnspec.lang.format.formatter import formatted
from cnnspec.lang.parse.parser import parse

SPECS = Path(__file__).parents[3] / "specs"
PIECES = (
    "\n", "\n\n", " ; ", " # c\n", "  ", "\n# own\n", "#x\n\n\n", "\t", " -> relu", "\n  -> bn", "\r\n",
    "   # cnnspec: ignore CNN231\n", "\n\n# a\n# b\n\n", "train { epochs 3 ; seed 1 }\n", "let w = 3\n",
    "\nnet n = relu\n",
)  # fmt: skip


def test_statements_alone_are_the_text_as_a_whole() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(SPECS.glob("*.cnn"))[:12]]
    tried = 0
    for seed in range(160):
        random = Random(seed)
        text = random.choice(texts)
        for _ in range(random.randint(0, 5)):
            gaps = [i for i, character in enumerate(text) if character in " \n"]
            at = random.choice(gaps)
            text = text[:at] + random.choice(PIECES) + text[at:]
        findings = Findings()
        file = parse(Source("a.cnn", text), findings)
        if findings.errors or file.cut is None:
            continue
        tried += 1
        assert formatted(file) == formatted(file._replace(cut=None)), text
    assert tried > 40
