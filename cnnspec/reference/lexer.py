"""Pygments' lexer for `cnn` fences, so that Sphinx, MkDocs, Jupyter and others colour specs.

The same colours as `grammar/editors/vscode/syntaxes/cnn.tmLanguage.json` and `grammar/editors/vim/syntax/cnn.vim`;
`tests/editor/test_highlighting.py` holds all three to one another.
"""

from __future__ import annotations

from pygments.lexer import RegexLexer, bygroups, include, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

NAME = r"[A-Za-z_]\w*"
PATH = rf"{NAME}(?:\.{NAME})*"
JOINS = words(("add", "concat", "mul", "max", "min", "mean", "sub"), prefix=r"\b", suffix=r"(?=\s*\()")
FUNCTIONS = words(
    ("min", "max", "round", "ceil", "floor", "mean", "add", "sub", "mul", "concat"),
    prefix=r"\b",
    suffix=r"(?=\s*\()",
)
JOINED = r"(?:add|concat|mul|max|min|mean|sub)\s*\("


class CnnLexer(RegexLexer):
    """Convolutional networks as text."""

    name = "cnnspec"
    aliases = ["cnn", "cnnspec"]
    filenames = ["*.cnn"]
    url = ""
    tokens = {
        "root": [
            (r"^[^\S\n]+", Text),
            include("everywhere"),
            (r"\b(let)(\s+)(" + NAME + r")(\s*)(=)", bygroups(Keyword, Text, Name.Variable, Text, Operator), "let"),
            (r"\b(block|net)(\s+)(" + NAME + r")", bygroups(Keyword, Text, Name.Class), "head"),
            (r"\b(import|input)\b(?!\s*=)", Keyword),
            (r"\b(train|data|expect)(\s*)(\{)", bygroups(Keyword, Text, Punctuation), "settings"),
            (JOINS, Keyword.Pseudo),
            (
                rf"(=|->|\||\()(\s*)(?!{JOINED})(?!{PATH}\()({PATH})",
                bygroups(Operator, Text, Name.Function),
            ),
            (r"\b(as)(\s+)(" + NAME + r")", bygroups(Keyword, Text, Name.Label)),
            (rf"({PATH})(\()", bygroups(Name.Class, Punctuation), "call"),
            (rf"(?<![^\n])(\s*)({PATH})", bygroups(Text, Name.Function)),
            (r"->|\||::|\*|=", Operator),
            include("values"),
            (r"[();,]", Punctuation),
            (r"\s+", Text),
            (r".", Text),
        ],
        "everywhere": [
            (r"#.*$", Comment.Single),
            (r'"[^"\n]*"?', String.Double),
        ],
        "values": [
            (r"\{", Punctuation, "hole"),
            (rf"@{PATH}", Name.Variable.Instance),
            include("numbers"),
            (rf"({NAME})(?:(\s+)({PATH})\b)?", bygroups(Name.Attribute, Text, Name.Constant)),
        ],
        "numbers": [
            (r"(?<![\w.])(?:\d+|\?)(?:x(?:\d+|\?))+(?![\w?])", Number),
            (r"(?<=\})x(?:\d+|\?)(?:x(?:\d+|\?))*(?:x(?=\{))?", Number),
            (r"(?<![\w.])(?:(?:\d+|\?)x)+(?=\{)", Number),
            (r"(?<=\})x(?=\{)", Number),
            (r"(?<!\w)(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?:%|[kKMG]i?B|[kMGB])?(?!\w|\.\d)|\?", Number),
        ],
        "expression": [
            (FUNCTIONS, Name.Builtin),
            (r"\(", Punctuation, "nested"),
            include("numbers"),
            (PATH, Name.Variable),
            (r"//|[-+*/%]", Operator),
            (r"[^\S\n]+", Text),
            (r",", Punctuation),
        ],
        "nested": [(r"\)", Punctuation, "#pop"), include("end"), include("expression"), (r".", Text)],
        "hole": [(r"\}", Punctuation, "#pop"), include("end"), include("expression"), (r".", Text)],
        "call": [
            (r"\)", Punctuation, "#pop"),
            include("end"),
            (rf"({NAME})(\s*)(=)(?!=)", bygroups(Name.Variable, Text, Operator)),
            include("expression"),
            (r".", Text),
        ],
        "let": [
            (r"(?=[;#])", Text, "#pop"),
            include("end"),
            (r"\{", Punctuation, "hole"),
            include("expression"),
            (r".", Text),
        ],
        "head": [(r"\(", Punctuation, "params"), (r"[^\S\n]+", Text), (r"", Text, "#pop")],
        "params": [
            (r"\)", Punctuation, "#pop"),
            include("end"),
            (rf"({NAME})(?:(\s*)(=))?", bygroups(Name.Variable, Text, Operator)),
            include("numbers"),
            (r".", Text),
        ],
        "end": [(r"(?=\n)", Text, "#pop")],
        "settings": [
            (r"\}", Punctuation, "#pop"),
            include("everywhere"),
            (r"<=|>=|==|!=|<|>", Operator),
            include("values"),
            (r"\s+", Text),
            (r".", Text),
        ],
    }
