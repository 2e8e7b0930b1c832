"""Text of others where it is written out: nothing of it is obeyed, and what is harmless stays as it is."""

import ast
import io
import json
import tokenize
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cnnspec import quoting

TEXTS = st.text(max_size=40)
OBEYED = (
    "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\x1b\x07\x00\x7f\x9b\u202e\u2066\u200f\ufeff\udc80\ufffe\U0010ffff"
)


@pytest.mark.parametrize("text", ["conv1", "größe", "网络", "a b", "x → y", "#1", "'", '"', "\\n", ""])
def test_what_is_harmless_stays(text):
    assert quoting.visible(text) == text
    assert quoting.page(f"{text}\n{text}") == f"{text}\n{text}"


@pytest.mark.parametrize("character", OBEYED, ids=ascii)
def test_what_is_obeyed_is_shown_as_a_sign(character):
    shown = quoting.visible(f"a{character}b")
    assert shown.isprintable() and len(shown) == 3 and (shown[0], shown[2]) == ("a", "b")
    assert quoting.page(f"a{character}b") == (shown if character != "\n" else "a\nb")


@given(TEXTS)
@example("\\")
def test_a_comment_ends_where_we_end_it(text):
    source = f"x = 1  {quoting.comment(text)}\n"
    assert len(source.splitlines()) == 1
    kinds = [token.type for token in tokenize.generate_tokens(io.StringIO(source).readline)]
    assert kinds == [
        tokenize.NAME,
        tokenize.OP,
        tokenize.NUMBER,
        tokenize.COMMENT,
        tokenize.NEWLINE,
        tokenize.ENDMARKER,
    ]


@given(st.text(max_size=40) | st.text("\"'\\\n{}#[", max_size=12))
@example("\\##[error]'\"")
def test_a_literal_is_the_text_and_nothing_more(text):
    written = quoting.literal(text)
    assert ast.literal_eval(written) == text
    assert written[0] == written[-1] == '"' and written.isprintable() and "##[" not in written


@given(st.text(max_size=40) | st.text("\"'\\\n</script>!-\u2028#[", max_size=12))
@example("</script><!--")
@example("##[error]\u2028\u2029")
def test_a_literal_of_javascript_is_the_text_and_nothing_more(text):
    written = quoting.script_literal(text)
    assert json.loads(written) == text  # what JSON reads so, JavaScript does
    assert written.isascii() and written.isprintable() and "<" not in written and "##[" not in written


@given(TEXTS)
@example("</script>")
@example("<!--")
@example("\u2028alert(1)")
def test_a_comment_of_javascript_ends_where_we_end_it(text):
    comment = quoting.script_comment(text)
    assert comment.startswith("//") and len(comment.splitlines()) == 1 and "<" not in comment


def test_a_literal_of_a_name_reads_as_the_name():
    assert quoting.literal("conv1") == '"conv1"'


@given(st.text(max_size=40) | st.text('"\\\n', max_size=12))
def test_a_remark_stays_in_its_docstring(text):
    (statement,) = ast.parse(f'"""A network of {quoting.remark(text)}, written.\n"""').body
    assert isinstance(statement.value, ast.Constant) and statement.value.value.endswith(", written.\n")


class Seen(HTMLParser):
    """Counts what a reader of HTML takes for markup."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self.values = [], "", []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.values += attributes

    def handle_data(self, data):
        self.text += data


@given(TEXTS | st.text("<>&\"'/ a", max_size=20))
def test_markup_is_text(text):
    seen = Seen()
    seen.feed(f'<p title="{quoting.markup(text)}">{quoting.markup(text)}</p>')
    seen.close()
    assert seen.tags == ["p"] and seen.text == quoting.visible(text)
    assert seen.values == [("title", quoting.visible(text))]


@given(TEXTS | st.text("`\n[]()", max_size=20))
def test_markdown_is_one_piece_of_code(text):
    written = quoting.markdown(text)
    assert written[0] == written[-1] == "`" and "`" not in written[1:-1] and len(written.splitlines()) <= 1
