"""Codes CNN6xx: budgets of `expect { }` that are missed."""

from __future__ import annotations

from .code import Code, Says

NET = "input 1x28x28\nconv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax\n"


MISSED = (
    Says("{budget} is {found}, expected {bound}"),
    Says("{budget} is {found}, and the spec expects {bound}", "found {found}", case="run"),
)


def _budget(
    code: str, name: str, explanation: str, wrong: str = "", right: str = "", says: tuple[Says, ...] = ()
) -> Code:
    wrong, right = (f"{NET}expect {{ {line} }}\n" if line else "" for line in (wrong, right))
    how = "" if wrong else "Only a run finds it: state a figure that the training does not reach."
    return Code(code, name, explanation, wrong, right, how, says=(*MISSED, *says))


BUDGETS: tuple[Code, ...] = (
    _budget(
        "CNN601",
        "too-many-parameters",
        "The network has more (or, by the relation stated, fewer) trained parameters than `expect` allows.",
        "params <= 10k",
        "params <= 14k",
    ),
    _budget(
        "CNN602",
        "too-many-macs",
        "One image forward takes more multiply-adds than `expect` allows.",
        "macs <= 50k",
        "macs <= 65k",
    ),
    _budget(
        "CNN603",
        "too-many-flops",
        "One image forward takes more floating-point operations than `expect` allows.",
        "flops <= 50k",
        "flops <= 200k",
    ),
    _budget(
        "CNN604",
        "too-much-memory",
        "The predicted peak memory of a training step, at the batch size stated, is above what `expect` allows.",
        "memory <= 100KiB",
        "memory <= 100MiB",
        says=(
            Says(
                "the memory of so many values ({values}) is not predicted",
                help="state none for more than {most} values",
                case="not predicted",
            ),
        ),
    ),
    _budget(
        "CNN605",
        "receptive-field",
        """\
The receptive field, the pixels of the input that one pixel of the last image sees along a side, misses
what `expect` states.""",
        "receptive_field >= 28",
        "receptive_field >= 4",
    ),
    _budget(
        "CNN606",
        "depth",
        "The longest way from input to output passes more layers with weights than `expect` allows.",
        "depth <= 1",
        "depth <= 2",
    ),
    _budget(
        "CNN607",
        "shape",
        "The shape of the output, or of a value (`shape @conv1`), is not the one that `expect` states.",
        "shape @conv1 == 8x28x28",
        "shape @conv1 == 8x26x26",
    ),
    _budget("CNN608", "accuracy", "After training, the share of test images classified right misses the budget."),
    _budget("CNN609", "cost", "After training, the mean cost over the test images misses the budget."),
    Code(
        "CNN610",
        "not-measured",
        """\
After training, a budget could not be held, since its quantity was not measured: there are no test images, or the
answers are of a kind that does not have it, as numbers have no accuracy and classes no mean absolute error. A run
whose budgets nobody could look at has not met them.""",
        how="Only a run finds it: expect an accuracy of an archive of which `test 0` is kept for the test.",
        says=(
            Says("{budget} was not measured, and the spec expects {bound}", "{why}", help="expect {others}"),
            Says(
                "{budget} was not measured, and the spec expects {bound}",
                "there are no test images",
                help="keep some: `test 10%` of the source, or files of their own",
                case="no test",
            ),
            Says(
                "{budget} was not measured, and the spec expects {bound}",
                "no test image is of this class, and none was taken for it",
                case="none of it",
            ),
            Says(
                "{budget} was not measured, and the spec expects {bound}",
                "there is no such class",
                help="the classes are {classes}",
                case="class",
            ),
            Says(
                "{budget} was not measured, and the spec expects {bound}",
                "it is not defined on these test images: {why}",
                case="undefined",
            ),
        ),
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
        says=(
            Says(
                "{budget} is never measured: `source {source}` gives one input and one output",
                help="an npz gives an array for each",
                case="several",
            ),
            Says("{budget} is never measured: `test 0` leaves no test images", case="test 0"),
            Says(
                "{budget} is never measured: the answers are {answers}, which have no {name}",
                help="expect {others}",
                case="answers",
            ),
            Says("{budget} is never measured: {why}", case="measure"),
            Says("{budget} is never measured: {data} has no test images", case="no test"),
            Says(
                "{budget} is never measured: {data} has no such class",
                help="the classes are {classes}",
                case="class",
            ),
        ),
    ),
    _budget(
        "CNN612",
        "measure",
        """\
After training, a measure of the test images (top-5 accuracy, precision, recall, F1, ROC AUC, IoU, or the error of
numbers) misses the budget.""",
    ),
)
