"""A text is read into the same tokens in pieces as it is as a whole."""

import pytest

from cnnspec.lang.parse.tokens import lex, stretches
from tests.support.edits import edited

TEXT = """\
train

{ epochs 5 } # é train
expect{ params <= 3 }
let w = max
  (2, 3)
add
( relu | {w}x3x3 ) -> conv 8x3x3\r
data { source npz "a" }
"""


def places(tokens, start=0):
    return [(token.type, str(token), start + token.start_pos, start + token.end_pos) for token in tokens]


@pytest.mark.parametrize("seed", range(6))
def test_tokens_of_pieces_are_those_of_the_whole(seed):
    for text in (TEXT, TEXT.replace("\n", "\r\n"), *edited(TEXT, seed, 60)):
        found, start = [], 0
        for piece in stretches(text):
            found += places(lex(piece), start)
            start += len(piece)
        assert start == len(text)
        assert found == places(lex(text))
