"""Budgets of `expect` that a run holds: met, missed, or not measured, which is missed too."""

import numpy as np
import pytest

from cnnspec.api import read_spec
from cnnspec.diagnostics import SpecError
from cnnspec.experiment.measured import missed

CLASSES = "input 1x6x6\ndense 2 -> softmax\n"
DATA = 'data { source npz "f.npz"%s ; validation 0 }\ntrain { epochs 1 ; batch 8 }\n'


@pytest.fixture
def archives(here):
    generator = np.random.default_rng(0)
    x = generator.random((40, 1, 6, 6)).astype("f4")
    np.savez(here / "f.npz", x=x, y=np.arange(40) % 2)
    np.savez(here / "numbers.npz", x=x, y=generator.random((40, 2)).astype("f4"))
    return here


def ran(here, cnnspec, text, found=""):
    (here / "e.cnn").write_text(text)
    checked = cnnspec("check", "e.cnn")
    assert checked.code == bool(found) and found in checked.out
    return cnnspec("run", "e.cnn", "--workers", 1)


def test_without_test_images_nothing_was_measured(archives, cnnspec):
    text = CLASSES + DATA % " test 0" + "expect { accuracy >= 99% ; cost <= 0.001 ; params <= 100 }\n"
    outcome = ran(archives, cnnspec, text, "error[CNN611]: cost is never measured: f has no test images")
    assert outcome.code == 1
    assert "error[CNN610]: accuracy was not measured, and the spec expects >= 99.00%" in outcome.err
    assert "error[CNN610]: cost was not measured, and the spec expects <= 0.001" in outcome.err
    assert outcome.err.count("there are no test images") == 2


@pytest.mark.parametrize(
    "end, found",
    [("dense 2\ntrain { cost mse }", "CNN611"), ("dense 2 -> sigmoid", "")],  # of shares only a run knows
)
def test_numbers_have_a_cost_and_no_accuracy(archives, cnnspec, end, found):
    text = f"input 1x6x6\n{end}\n" + (DATA % "").replace("f.npz", "numbers.npz")
    outcome = ran(archives, cnnspec, text + "expect { accuracy >= 10% ; cost <= 1e9 }\n", found)
    assert outcome.code == 1 and outcome.err.count("error[") == 1
    assert "error[CNN610]: accuracy was not measured" in outcome.err and "the answers are numbers" in outcome.err
    assert "accuracy" not in outcome.out


def test_check_finds_what_the_files_say_of_the_test(archives, cnnspec):
    x, y = np.zeros((40, 1, 6, 6), "f4"), np.arange(40) % 2
    text = CLASSES + 'data { source npz "%s.npz" test 0 }\nexpect { accuracy >= 0.1 }\n'
    np.savez("own.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    np.savez("column.npz", x=x, y=np.random.default_rng(0).random(40))
    for name, code in (("f", 1), ("own", 0), ("missing", 0)):
        (archives / "e.cnn").write_text(text % name)
        assert cnnspec("check", "e.cnn").code == code, name
    (archives / "e.cnn").write_text(
        'input 1x6x6\ndense 1\ntrain { cost mse }\ndata { source npz "column.npz" }\nexpect { accuracy >= 1% }\n'
    )
    assert "accuracy is never measured: the answers are numbers" in cnnspec("check", "e.cnn").out


def test_a_run_that_has_nothing_to_hold_is_clean(archives, cnnspec):
    assert ran(archives, cnnspec, CLASSES + DATA % " test 0").code == 0
    assert ran(archives, cnnspec, CLASSES + DATA % "" + "expect { accuracy >= 1% ; cost <= 100 }\n").code == 0


NAN = float("nan")
SIGMOIDS = """\
input 1x28x28
conv 4x3x3 -> relu -> maxpool 4 pad include -> dense 10 -> sigmoid
data { limit 200 }
train { epochs 2 }
expect { accuracy >= 98% }
"""


def test_sigmoids_are_right_where_the_largest_is(here, cnnspec):
    """Ten sigmoids were counted one by one, which made 900 %."""
    outcome = ran(here, cnnspec, SIGMOIDS)
    assert outcome.code == 1 and "error[CNN608]" in outcome.err
    shares = [float(part.split("%")[0]) for part in outcome.out.split("accuracy ")[1:]]
    assert len(shares) == 5 and all(share <= 60 for share in shares)


@pytest.mark.parametrize(
    "relation, value, fails",
    [
        (">= 50%", 0.5, 0),
        (">= 50%", 0.4, 1),
        ("!= 50%", float("nan"), 1),
        (">= 0", float("nan"), 1),
        (">= 0", None, 1),
    ],
)
def test_what_is_no_number_meets_no_budget(relation, value, fails):
    spec = read_spec(text=f"{CLASSES}expect {{ accuracy {relation} }}")
    assert len(missed(spec, {"test_accuracy": value, "test_cost": 1.0})) == fails


TABLE = 'data { source csv "t.csv"%s }\n'


@pytest.mark.parametrize(
    "text, why",
    [
        ("input 4\ndense 1\n", "numbers"),
        ("input 4\ndense 1 -> tanh\n", "numbers"),
        ("input 4\ndense 3\n", "numbers"),
        ("input 4\ndense 3\ntrain { cost huber }\n", ""),  # of an archive of classes
        ("input 4\ndense 1\ntrain { cost mse }\n", "numbers"),
        ("input 4\ndense 1 -> sigmoid\ntrain { cost mse }\n", ""),
        ("input 4\ndense 1 -> sigmoid\n" + TABLE % " target numbers", ""),
        ("input 4\ndense 1 -> hardsigmoid\n", ""),
        ("input 4\ndense 3 -> softmax -> flatten\n", ""),
        ("input 4\ndense 1\n" + TABLE % " target numbers", "numbers"),
        ("input 4\ndense 3 -> softmax\n" + TABLE % " test 0", "no test images"),
        ('input 4\ndense 3 -> softmax\ndata { source npz "f.npz" test 0 }\n', ""),  # it may have some of its own
        ("input 4 as a\ninput 4 as b\nconcat( @a | @b ) -> dense 3 -> softmax\n", "one input and one output"),
    ],
)
def test_check_finds_an_accuracy_that_is_never_measured(text, why):
    text += "expect { accuracy >= 90% }\n"
    if not why:
        assert read_spec(text=text).expect
        return
    with pytest.raises(SpecError, match=f"(?s)CNN611.*accuracy is never measured: .*{why}"):
        read_spec(text=text)


def test_check_finds_a_cost_that_is_never_measured():
    for text, found in ((TABLE % " test 0", True), (TABLE % " test 10%", False)):
        text = f"input 4\ndense 3 -> softmax\n{text}expect {{ cost <= 1 }}\n"
        if found:
            with pytest.raises(SpecError, match="CNN611"):
                read_spec(text=text)
        else:
            assert read_spec(text=text).expect
