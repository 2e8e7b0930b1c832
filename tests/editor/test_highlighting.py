"""The TextMate grammar against our own lexer: what a token is, decides how it must be coloured.

The engine below is what editors do, as far as this grammar needs it: rules tried at each place, the
earliest match wins, the first rule among equals; `begin` opens a rule until its `end`.
"""

import json
import re
from pathlib import Path

import pytest

from cnnspec.lang.parse.tokens import lex

ROOT = Path(__file__).parents[2]
GRAMMAR = json.loads((ROOT / "grammar" / "cnnspec.tmLanguage.json").read_text())
SPECS = sorted((ROOT / "specs").rglob("*.cnn"))

EXPECTED = {
    "COMMENT": {"comment.line.number-sign.cnn"},
    "STRING": {"string.quoted.double.cnn"},
    "IMPORT": {"keyword.control.cnn"},
    "LET": {"keyword.control.cnn"},
    "BLOCK": {"keyword.control.cnn"},
    "NET": {"keyword.control.cnn"},
    "INPUT": {"keyword.control.cnn"},
    "AS": {"keyword.control.cnn"},
    "JOIN": {"keyword.control.join.cnn", "support.function.math.cnn"},
    "TAP": {"variable.other.tap.cnn"},
    "SIZES": {"constant.numeric.size.cnn", "punctuation.section.hole.begin.cnn"},
    "HOLE": {"punctuation.section.hole.begin.cnn"},
    "NUMBER": {"constant.numeric.cnn"},
    "ARROW": {"keyword.operator.chain.cnn"},
    "BAR": {"keyword.operator.chain.cnn"},
    "COMPARE": {"keyword.operator.comparison.cnn"},
    "OPEN": {"keyword.control.cnn"},
    "OPEN_EXPECT": {"keyword.control.cnn"},
}

SAMPLE = """\
# a comment with "quotes" and -> arrows
import "blocks.cnn" as b      # import
let w = 2 * (32 + max(4, 8))
let v = {w}                   # not a hole: still no reason to lose one's way
block basic(c, s = 1) = add( conv {c}x3x3 stride {s} pad same bias off -> bn | id ) -> relu
net head = @trunk -> dense 10 -> softmax
input 3x64x64 as rgb
conv {2*w}x3x3 pad 1 -> b.basic(64, s = 2)*3 as e1 :: 16x?x?
  -> (relu -> maxpool 2x1)*{w} -> leaky slope 5e-1
-> concat( @e1 | relu -> conv 8x3x{w} ) as trunk
train { optimiser adam lr 1e-3 ; epochs 5
        cost cross_entropy smoothing 10% }
data { source npz "x # no comment.npz" ; validation 10% }
expect { params <= 62k ; memory <= 40MiB ; shape @e1 == 6x28x28 }
"""


def expand(rules):
    for rule in rules:
        if "include" in rule:
            yield from expand([GRAMMAR["repository"][rule["include"].removeprefix("#")]])
        elif "match" in rule or "begin" in rule:
            yield rule
        else:
            yield from expand(rule["patterns"])


def highlight(text):
    """The innermost scope of every character."""
    scopes = [""] * len(text)
    stack = [({"patterns": GRAMMAR["patterns"]}, None)]
    offset = 0
    for line in text.splitlines(keepends=True):
        at, body = 0, line.rstrip("\n")
        steps = 0
        while at <= len(body):
            steps += 1
            assert steps < 10_000, "the grammar stands still"
            rule, end = stack[-1]
            candidates = []
            if end is not None and (match := re.compile(end).search(body, at)):
                candidates.append((match.start(), -1, match, None))
            for i, inner in enumerate(expand(rule["patterns"])):
                if match := re.compile(inner.get("match") or inner["begin"]).search(body, at):
                    candidates.append((match.start(), i, match, inner))
            if not candidates:
                fill(scopes, offset + at, offset + len(body), rule.get("name", ""))
                break
            _, _, match, chosen = min(candidates, key=lambda found: found[:2])
            fill(scopes, offset + at, offset + match.start(), rule.get("name", ""))
            key = "endCaptures" if chosen is None else "captures" if "match" in chosen else "beginCaptures"
            owner = rule if chosen is None else chosen
            fill(scopes, offset + match.start(), offset + match.end(), owner.get("name", ""))
            for number, capture in owner.get(key, {}).items():
                if match.start(int(number)) >= 0:
                    fill(
                        scopes, offset + match.start(int(number)), offset + match.end(int(number)), capture["name"]
                    )
            if chosen is None:
                stack.pop()
            elif "begin" in chosen:
                stack.append((chosen, chosen["end"]))
            at = match.end()
            if match.end() == match.start() and chosen is not None:
                at += 1
        offset += len(line)
    return scopes, stack


def fill(scopes, start, end, name):
    if name:
        scopes[start:end] = [name] * (end - start)


@pytest.mark.parametrize("path", [None, *SPECS], ids=lambda path: path.name if path else "sample")
def test_every_token_has_the_colour_of_what_it_is(path):
    text = SAMPLE if path is None else path.read_text()
    scopes, stack = highlight(text)
    assert len(stack) == 1, "a rule was opened and never closed"
    wrong, names = [], 0
    for token in lex(text):
        scope = scopes[token.start_pos]
        expected = EXPECTED.get(token.type)
        if token.type in ("NAME", "PATH"):
            names += 1
            wrong += [(token, scope)] if not scope.startswith(NAMES) else []
        elif expected and scope not in expected:
            wrong.append((token.start_pos, token.type, str(token), scope))
    assert not wrong, wrong[:10]
    assert names


NAMES = ("support.function", "entity.name", "variable.", "constant.language", "keyword.control")


def test_words_settings_and_values_differ():
    text = "conv 8x3x3 pad same -> relu\n  -> maxpool 2 stride 1\nbasic(4, s = 2) -> gap\n"
    scopes, _ = highlight(text)

    def scope(word):
        return scopes[text.index(word)]

    words = {scope(word) for word in ("conv", "relu", "maxpool", "gap")}
    assert words == {"support.function.word.cnn"}
    assert {scope("pad"), scope("stride")} == {"variable.parameter.setting.cnn"}
    assert scope("same") == "constant.language.cnn"
    assert scope("basic") == "entity.name.function.call.cnn"


def test_a_quote_or_brace_left_open_does_not_colour_the_rest_of_the_file():
    scopes, stack = highlight('data { source npz "x\n}\nconv {w -> relu\nlet a = (1\nrelu\n')
    assert len(stack) == 1
    assert scopes[-5] == "support.function.word.cnn"
