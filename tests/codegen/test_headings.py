"""What a plan says above its lines: the words of the spec that they compute."""

import re

import pytest

from cnnspec import compile


def headings(text):
    """The headings of forward and backward, without the places in the spec."""
    model = compile(text=f"input 8x12x12\n{text} -> flatten -> dense 3 -> softmax\ntrain {{ batch 4 }}", seed=0)
    lines = re.findall(r"^    # (?! )(.*)$", model.plan.source.partition("def buffers")[0], re.M)
    return [re.split(r"  +", line)[0] for line in lines]


@pytest.mark.parametrize(
    ("chain", "both"),
    [
        ("conv 8x3x3 pad same -> relu", "conv 8x3x3 pad same -> relu"),
        ("conv 8x3x3 pad same -> bn -> relu", "bn -> relu"),
        ("conv 8x5x5 stride 3 -> relu", "conv 8x5x5 stride 3 -> relu"),
    ],
)
def test_words_that_are_computed_together_are_both_named(chain, both):
    found = headings(chain)
    assert found.count(both) == 2, "once in forward and once in backward"


def test_a_word_that_does_not_follow_is_not_named():
    """The relu behind a join is the normalisation's work, and stands elsewhere in the text."""
    found = headings("add( id | conv 8x3x3 pad same -> bn ) -> relu")
    assert "bn" in found and not any("bn -> " in heading for heading in found)
