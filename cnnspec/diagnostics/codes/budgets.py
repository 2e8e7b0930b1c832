"""Codes CNN6xx: budgets of `expect { }` that are missed."""

from __future__ import annotations

from .code import Code

NET = "input 1x28x28\nconv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax\n"


def _budget(number: int, name: str, explanation: str, wrong: str = "", right: str = "") -> Code:
    wrong, right = (f"{NET}expect {{ {line} }}\n" if line else "" for line in (wrong, right))
    how = "" if wrong else "Only a run finds it: state a figure that the training does not reach."
    return Code(f"CNN{number}", name, explanation, wrong, right, how)


BUDGETS: tuple[Code, ...] = (
    _budget(
        601,
        "too-many-parameters",
        "The network has more (or, by the relation stated, fewer) trained parameters than `expect` allows.",
        "params <= 10k",
        "params <= 14k",
    ),
    _budget(
        602,
        "too-many-macs",
        "One image forward takes more multiply-adds than `expect` allows.",
        "macs <= 50k",
        "macs <= 65k",
    ),
    _budget(
        603,
        "too-many-flops",
        "One image forward takes more floating-point operations than `expect` allows.",
        "flops <= 50k",
        "flops <= 200k",
    ),
    _budget(
        604,
        "too-much-memory",
        "The predicted peak memory of a training step, at the batch size stated, is above what `expect` allows.",
        "memory <= 100KiB",
        "memory <= 100MiB",
    ),
    _budget(
        605,
        "receptive-field",
        """\
The receptive field, the pixels of the input that one pixel of the last image sees along a side, misses
what `expect` states.""",
        "receptive_field >= 28",
        "receptive_field >= 4",
    ),
    _budget(
        606,
        "depth",
        "The longest way from input to output passes more layers with weights than `expect` allows.",
        "depth <= 1",
        "depth <= 2",
    ),
    _budget(
        607,
        "shape",
        "The shape of the output, or of a value (`shape @conv1`), is not the one that `expect` states.",
        "shape @conv1 == 8x28x28",
        "shape @conv1 == 8x26x26",
    ),
    _budget(608, "accuracy", "After training, the share of test images classified right misses the budget."),
    _budget(609, "cost", "After training, the mean cost over the test images misses the budget."),
    Code(
        "CNN610",
        "not-measured",
        """\
After training, a budget could not be held, since its quantity was not measured: there are no test images, or the
answers are of a kind that does not have it, as numbers have no accuracy and classes no mean absolute error. A run
whose budgets nobody could look at has not met them.""",
        how="Only a run finds it: expect an accuracy of an archive of which `test 0` is kept for the test.",
    ),
    Code(
        "CNN611",
        "never-measured",
        """\
`expect` speaks of something that no run of this file can measure: the accuracy of answers that are numbers, the
mean absolute error of classes, a ROC curve of more than two classes, a top-5 accuracy of five, an IoU where images
have one answer each; anything of test images where none are kept, or of a network that `run` does not train since
it has several inputs or outputs.""",
        wrong="input 4\ndense 1\nexpect { accuracy >= 90% }\n",
        right="input 4\ndense 1\nexpect { cost <= 0.1 }\n",
    ),
    _budget(
        612,
        "measure",
        """\
After training, a measure of the test images (top-5 accuracy, precision, recall, F1, ROC AUC, IoU, or the error of
numbers) misses the budget.""",
    ),
)
