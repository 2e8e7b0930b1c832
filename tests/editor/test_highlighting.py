"""The TextMate grammar against our own lexer, Pygments' and Vim's against the TextMate grammar.

What a token is, decides how it must be coloured.

The engine below is what editors do, as far as this grammar needs it: rules tried at each place, the
earliest match wins, the first rule among equals; `begin` opens a rule until its `end`.
"""

import json
import re
import shutil
import subprocess
from itertools import groupby
from pathlib import Path

import pytest

from cnnspec.lang.lowering.arithmetic import FUNCTIONS
from cnnspec.lang.parse.tokens import lex
from cnnspec.words import WORDS

ROOT = Path(__file__).parents[2]
EDITORS = ROOT / "grammar" / "editors"
GRAMMAR = json.loads((EDITORS / "vscode" / "syntaxes" / "cnn.tmLanguage.json").read_text())
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
-> concat( @e1 | relu -> conv 8x3x{w} ) -> sub( id | min( id | relu ) ) as trunk
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


# ---- three highlighters, one colour ------------------------------------------------------------------------

TEXTMATE = {
    "comment": "comment", "string": "string", "keyword.control.join": "join", "keyword.control": "keyword",
    "support.function.word": "word", "support.function.math": "function", "entity.name.function": "block",
    "entity.name.tag": "label", "variable.parameter.setting": "setting", "constant.language": "value",
    "variable.other.tap": "tap", "variable": "name", "constant.numeric": "number", "keyword.operator": "operator",
}  # fmt: skip
PYGMENTS = {
    "Comment": "comment", "Literal.String": "string", "Keyword.Pseudo": "join", "Keyword": "keyword",
    "Name.Function": "word", "Name.Builtin": "function", "Name.Class": "block", "Name.Label": "label",
    "Name.Attribute": "setting", "Name.Constant": "value", "Name.Variable.Instance": "tap",
    "Name.Variable": "name", "Literal.Number": "number", "Operator": "operator",
}  # fmt: skip
VIM = {
    "Comment": "comment", "Todo": "comment", "Ignore": "comment", "String": "string", "Join": "join",
    "Keyword": "keyword", "Word": "word", "StageWord": "word", "Function": "function", "Called": "block",
    "Defined": "block", "Label": "label", "Setting": "setting", "Value": "value", "Tap": "tap",
    "Variable": "name", "Constant": "name", "Param": "name", "Argument": "name", "Number": "number",
    "Size": "number", "Arrow": "operator", "Math": "operator", "Equals": "operator", "Compare": "operator",
}  # fmt: skip
COLOURED = ("COMMENT", "STRING", "IMPORT", "LET", "BLOCK", "NET", "INPUT", "AS", "JOIN", "TAP", "NUMBER", "ARROW",
            "BAR", "COMPARE", "NAME", "PATH")  # fmt: skip
BROKEN = 'data { source npz "x\n}\nconv {w -> relu\nlet a = (1\nrelu\nlet b = 2*(3\nconv 3x{w}x3 pad {b + 1} as e\n'


def category(name, table):
    """The colour of the longest prefix that a table has."""
    found = [prefix for prefix in table if name == prefix or name.startswith(prefix + ".")]
    return table[max(found, key=len)] if found else ""


def by_textmate(text):
    return [category(scope, TEXTMATE) for scope in highlight(text)[0]]


def by_pygments(text):
    pytest.importorskip("pygments")
    from cnnspec.reference.lexer import CnnLexer

    found = []
    for _, kind, piece in CnnLexer(stripnl=False, ensurenl=False).get_tokens_unprocessed(text):
        found += [category(str(kind).removeprefix("Token."), PYGMENTS)] * len(piece)
    return found


def by_vim(texts, folder, program):
    """The colours that Vim shows of several texts; one process for all of them."""
    script = [f"set nocompatible\nset runtimepath^={EDITORS / 'vim'}\nfiletype plugin on\nsyntax on"]
    for k, text in enumerate(texts):
        (folder / f"{k}.cnn").write_text(text)
        script.append(f"""
edit {folder}/{k}.cnn
syntax sync fromstart
let rows = []
for l in range(1, line('$'))
  let row = []
  for c in range(1, strlen(getline(l)))
    call add(row, synIDattr(synID(l, c, 1), 'name'))
  endfor
  call add(rows, row)
endfor
call writefile([json_encode(rows)], '{folder}/{k}.json')""")
    (folder / "all.vim").write_text("\n".join([*script, "qa!\n"]))
    command = [program, "-es", "-N", "-u", "NONE", "-i", "NONE", "-S", str(folder / "all.vim")]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    for k, text in enumerate(texts):
        rows = json.loads((folder / f"{k}.json").read_text())
        found = []
        for line, row in zip(text.splitlines(keepends=True), rows, strict=True):
            names = iter(row)
            for character in line.rstrip("\n"):  # Vim counts bytes
                found.append(VIM.get(next(names).removeprefix("cnn"), ""))
                for _ in character.encode()[1:]:
                    next(names)
            found += [""] * (len(line) - len(line.rstrip("\n")))
        yield found


def differences(text, one, other):
    return [
        (str(token), one[token.start_pos], other[token.start_pos])
        for token in lex(text)
        if token.type in COLOURED and one[token.start_pos] != other[token.start_pos]
    ]


@pytest.mark.parametrize("path", [None, *SPECS], ids=lambda path: path.name if path else "sample")
def test_pygments_colours_as_textmate_does(path):
    text = SAMPLE if path is None else path.read_text()
    found = by_pygments(text)
    assert len(found) == len(text)
    assert not differences(text, by_textmate(text), found)


@pytest.mark.parametrize("program", ["vim", "nvim"])
def test_vim_colours_as_textmate_does(program, tmp_path):
    if not shutil.which(program):
        pytest.skip(f"there is no {program} here")
    texts = [SAMPLE, *(path.read_text() for path in SPECS)]
    for text, found in zip(texts, by_vim(texts, tmp_path, program), strict=True):
        assert not differences(text, by_textmate(text), found), text[:200]


def test_all_colour_a_broken_text_alike():
    found = by_pygments(BROKEN)
    assert not differences(BROKEN, by_textmate(BROKEN), found)
    assert [kind for kind, _ in groupby(found) if kind][-3:] == ["number", "keyword", "label"]


@pytest.mark.parametrize(
    "path",
    [
        ROOT / "cnnspec" / "reference" / "lexer.py",
        EDITORS / "emacs" / "cnn-mode.el",
        EDITORS / "vim" / "syntax" / "cnn.vim",
        EDITORS / "vscode" / "syntaxes" / "cnn.tmLanguage.json",
    ],
    ids=lambda path: path.name,
)
def test_each_knows_every_join(path):
    """The lists of joins in a file, however it parts them; one with `round` is of the functions of numbers."""
    joins = {word for word, cls in WORDS.items() if cls.join}
    lists = re.findall(r"""(?:\w+[\\|", ]+)*\bconcat\b(?:[\\|", ]+\w+)*""", path.read_text())
    found = [set(re.findall(r"\w+", one)) for one in lists if len(re.findall(r"\w+", one)) > 3]
    assert any(not one & {"round"} for one in found)
    for one in found:
        assert one - set(FUNCTIONS) <= joins and (joins <= one or "round" in one), one
