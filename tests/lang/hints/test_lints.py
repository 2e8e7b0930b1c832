"""Each warning of a habit in five specs that have it, and in five beside them that only look so."""

from __future__ import annotations

import pytest

from cnnspec.diagnostics import Source
from cnnspec.lang import read

SMALL, DIGITS = "input 3x12x12\n", "input 1x28x28\n"
ENDS = " -> gap -> dense 3 -> softmax"

LINTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "CNN242": (  # a softmax of shares
        (
            "input 4\ndense 3 -> softmax -> softmax",
            "input 4\ndense 3 -> sigmoid -> softmax\ntrain { cost cross_entropy }",
            "input 4\ndense 3 -> softmax -> logsoftmax",
            "input 4\ndense 3 -> logsoftmax -> softmax",
            "block head(c) = dense {c} -> softmax\ninput 4\nhead(3) -> softmax",
        ),
        (
            "input 4\ndense 3 -> softmax -> dense 3 -> softmax",
            "input 4\ndense 3 -> sigmoid -> dense 3 -> relu -> dense 3 -> softmax",
            "input 4x6x6\nmul( conv 4x1x1 -> sigmoid | id ) -> gap -> dense 3 -> softmax",
            "input 4\ndense 3 as t\nnet a = @t -> softmax\nnet b = @t -> sigmoid",
            "input 4\ndense 3 -> tanh -> softmax",
        ),
    ),
    "CNN243": (  # shares where the cost wants scores
        (
            "input 4\ndense 3 -> softmax\ntrain { cost hinge }",
            "input 4\ndense 3 -> logsoftmax\ntrain { cost hinge }",
            "input 4\ndense 3 -> sigmoid\ntrain { cost hinge }",
            "input 4\ndense 3 -> softmax as a\ntrain { cost hinge of a }",
            "input 4x6x6\ngap -> softmax -> flatten\ntrain { cost hinge }",
        ),
        (
            "input 4\ndense 3\ntrain { cost hinge }",
            "input 4\ndense 3 -> tanh\ntrain { cost hinge }",
            "input 4\ndense 3 -> softmax\ntrain { cost cross_entropy }",
            "input 4\ndense 3 -> softmax -> dense 3\ntrain { cost hinge }",
            "input 4 as x\nnet a = @x -> dense 3 -> softmax\nnet b = @x -> dense 3\n"
            "train { cost cross_entropy of a ; cost hinge of b }",
        ),
    ),
    "CNN244": (  # two linear layers that are one
        (
            "input 4\ndense 8 -> dense 3 -> softmax",
            "input 1x8x8\nflatten -> dense 32 -> dense 16 -> relu -> dense 3",
            "input 4\ndense 8 -> dropout 50% -> dense 3",
            "block head(c) = dense {c} -> dense 3\ninput 4\nhead(8) -> softmax",
            "input 4\ndense 8 bias off -> reshape 2x2x2 -> flatten -> dense 3",
        ),
        (
            "input 4\ndense 8 -> relu -> dense 3 -> softmax",
            "input 4\ndense 8 -> layernorm -> dense 3",
            "input 4\ndense 8 -> bn -> dense 3 -> softmax",
            "input 64\ndense 4 -> dense 64 -> relu -> dense 3",
            "input 4\ndense 8 as a -> dense 8 -> add( id | @a ) -> dense 3",
        ),
    ),
    "CNN245": (  # a rate of another optimiser
        (
            "input 4\ndense 3 -> softmax\ntrain { optimiser adam lr 0.1 }",
            "input 4\ndense 3 -> softmax\ntrain { optimiser adamw lr 1 }",
            "input 4\ndense 3 -> softmax\ntrain { optimiser sgd lr 10 }",
            "input 4\ndense 3 -> softmax\ntrain { optimiser sgd lr 1e-6 momentum 0.9 }",
            "input 4\ndense 1 -> sigmoid\ntrain { cost binary_cross_entropy ; optimiser rmsprop lr 0.5 }",
        ),
        (
            "input 4\ndense 3 -> softmax\ntrain { optimiser adam lr 0.01 }",
            "input 4\ndense 3 -> softmax\ntrain { optimiser sgd lr 0.5 momentum 0.9 }",
            "input 4\ndense 3 -> softmax\ntrain { optimiser adam lr 2e-5 }",
            "input 4\ndense 3\ntrain { cost mse ; optimiser adam lr 1 }",
            "input 4\ndense 3 -> softmax\ntrain { optimiser sgd lr 3 ; batch 2048 }",
        ),
    ),
    "CNN246": (  # a variance that dropout changes
        (
            f"{SMALL}conv 4x3x3 bias off -> dropout 20% -> bn -> relu{ENDS}",
            f"{SMALL}conv 4x3x3 bias off -> dropout 20% -> relu -> bn{ENDS}",
            "input 8\ndense 4 bias off -> dropout 50% -> bn -> relu -> dense 3",
            f"block b(c) = conv {{c}}x3x3 bias off -> dropout 20% -> bn\n{SMALL}b(4) -> relu{ENDS}",
            f"{SMALL}dropout 10% -> bn -> conv 4x3x3{ENDS}",
        ),
        (
            f"{SMALL}conv 4x3x3 bias off -> bn -> dropout 20% -> relu{ENDS}",
            f"{SMALL}conv 4x3x3 -> dropout 20% -> conv 4x3x3 bias off -> bn -> relu{ENDS}",
            f"{SMALL}conv 4x3x3 -> relu -> dropout 20% -> layernorm{ENDS}",
            "input 8\ndense 4 -> relu -> dropout 50% -> dense 4 bias off -> bn -> dense 3",
            f"{SMALL}conv 4x3x3 -> dropout 20% -> groupnorm 2 -> relu{ENDS}",
        ),
    ),
    "CNN231": (  # a bias that bn takes away
        (
            f"{SMALL}conv 4x3x3 -> bn -> relu{ENDS}",
            f"{SMALL}conv 4x3x3 bias on -> bn -> relu{ENDS}",
            f"{SMALL}dwconv 3x3 -> bn -> relu{ENDS}",
            "input 8\ndense 4 -> bn -> relu -> dense 3",
            f"block b(c) = conv {{c}}x3x3 -> bn -> relu\n{SMALL}b(4){ENDS}",
        ),
        (
            f"{SMALL}conv 4x3x3 bias off -> bn -> relu{ENDS}",
            f"{SMALL}conv 4x3x3 -> relu -> bn{ENDS}",
            f"{SMALL}conv 4x3x3 -> layernorm -> relu{ENDS}",
            f"{SMALL}conv 4x3x3 pad same -> add( id | bn ) -> relu{ENDS}",
            f"{SMALL}conv 4x3x3 -> groupnorm 2 -> relu{ENDS}",
        ),
    ),
    "CNN235": (  # pixels that no window sees
        (
            "input 1x11x11\nconv 2x2x2 stride 3 -> gap -> dense 3",
            "input 1x11x11\nmaxpool 2 stride 3 -> gap -> dense 3",
            "input 1x14x14\navgpool 2 stride 4 -> gap -> dense 3",
            "input 2x11\nconv 2x2 stride 3 -> gap -> dense 3",
            "input 1x4x4\nupconv 2x2x2 stride 3 -> gap -> dense 3",
        ),
        (
            "input 1x9x9\nconv 2x3x3 stride 3 -> gap -> dense 3",
            "input 1x9x9\nconv 2x2x2 stride 3 dilate 2 -> gap -> dense 3",
            "input 2x9x9\nconv 2x1x1 stride 2 -> gap -> dense 3",
            "input 1x9x9\nmaxpool 3 stride 2 -> gap -> dense 3",
            "input 1x4x4\nupconv 2x3x3 stride 2 -> gap -> dense 3",
        ),
    ),
    "CNN247": (  # a field that is smaller than what is to be seen
        (
            f"{DIGITS}conv 4x3x3{ENDS}\nexpect {{ receptive_field >= 50% }}",
            f"{DIGITS}conv 4x3x3 -> relu -> maxpool 2{ENDS}\nexpect {{ receptive_field >= 30% }}",
            f"{DIGITS}(conv 4x3x3 -> relu)*3{ENDS}\nexpect {{ receptive_field >= 60% }}",
            f"{DIGITS}conv 4x1x1{ENDS}\nexpect {{ receptive_field > 5% }}",
            f"input 3x64x64\nconv 4x7x7 stride 3{ENDS}\nexpect {{ receptive_field >= 20% }}",
        ),
        (
            f"{DIGITS}conv 4x15x15{ENDS}\nexpect {{ receptive_field >= 50% }}",
            f"{DIGITS}conv 4x3x3{ENDS}\nexpect {{ receptive_field >= 10% }}",
            f"{DIGITS}conv 4x3x3{ENDS}",
            f"{DIGITS}conv 4x3x3{ENDS}\nexpect {{ receptive_field >= 3 }}",
            f"{DIGITS}(conv 4x3x3 -> relu -> conv 4x3x3 -> maxpool 2)*2{ENDS}\nexpect {{ receptive_field >= 50% }}",
        ),
    ),
    "CNN233": (  # classes that are not those of the data
        (
            f"{DIGITS}dense 9 -> softmax\ndata {{ source mnist }}",
            f"{DIGITS}conv 12x3x3 -> gap -> softmax\ndata {{ source digits }}",
            "input 3x32x32\nconv 4x3x3 -> gap -> dense 100 -> logsoftmax\ndata { source cifar10 }",
            'input 4\ndense 3 -> softmax\ndata { source npz "a.npz" classes 5 }',
            f"{DIGITS}dense 9\ndata {{ source mnist }}\ntrain {{ cost hinge }}",
        ),
        (
            f"{DIGITS}dense 10 -> softmax\ndata {{ source mnist }}",
            f"{DIGITS}dense 9 -> softmax",
            f"{DIGITS}dense 1\ndata {{ source mnist }}\ntrain {{ cost mse }}",
            'input 4\ndense 3 -> softmax\ndata { source npz "a.npz" }',
            f"{DIGITS}dense 12 -> relu -> dense 10 -> softmax\ndata {{ source digits }}",
        ),
    ),
}
HAVE = [(code, text) for code, (have, _) in LINTS.items() for text in have]
MISS = [(code, text) for code, (_, miss) in LINTS.items() for text in miss]


def warned(text: str) -> list[str]:
    """The codes of what is found in a spec, which has no error."""
    found = read(Source("a.cnn", text)).diagnostics
    assert not [each.message for each in found if each.severity == "error"]
    return [each.code for each in found if each.code != "CNN234"]


@pytest.mark.parametrize(("code", "text"), HAVE)
def test_is_told_once(code: str, text: str) -> None:
    assert warned(text) == [code]


@pytest.mark.parametrize(("code", "text"), MISS)
def test_what_only_looks_so_is_left_alone(code: str, text: str) -> None:
    assert code not in warned(text)


def test_there_are_five_and_five_of_each() -> None:
    assert {(len(set(have)), len(set(miss))) for have, miss in LINTS.values()} == {(5, 5)}
