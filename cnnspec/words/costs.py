"""Costs: the words of `train { cost ... }` and the primitives that they become.

A cost is the mean over the images of a batch; what an image costs is said by each. Gradients are of the mean.
"""

from __future__ import annotations

from typing import ClassVar

from ..diagnostics import Fault
from ..ir import SCALAR, TensorType
from ..ir.fields import ENDS, NAME, Kind, Number, Quoted, Written, setting
from ..ir.op import Decomposer, Node, Op
from ..primitives.costs.cross_entropy import BinaryCrossEntropyLoss, CrossEntropyLoss, NegativeLogLikelihood
from ..primitives.costs.regression import AbsoluteError, HingeError, HuberError, SquaredError
from ..record import record
from .channels import LogSoftmax

PROBABILITIES = ("sigmoid", "hardsigmoid")  # words whose outputs each say how likely a yes is
MOST_CLASSES = 256  # that a mask tells apart
PLAIN = ("dense", "conv", "upconv")  # words whose numbers may be anything


def tells_pixels_apart(word: str, channels: int, classes: int) -> bool:
    """Whether an image that such a word made is a mask: of one channel a yes or no, of several the largest."""
    if channels == 1:
        return word in PROBABILITIES
    return channels <= MOST_CLASSES and (word in ("softmax", "logsoftmax") or channels == classes)


class Name(Kind[str]):
    """The name of a value."""

    wanted = "the name of an output"

    def read(self, value: Written) -> str:
        if not isinstance(value, str) or isinstance(value, Quoted):
            raise self.refuse(value)
        return value

    def schema(self) -> dict[str, object]:
        return {"type": "string", "pattern": f"^({NAME})?{ENDS}", "title": self.wanted}


@record
class Cost(Op):
    """The base of costs: the output that they judge, and their weight."""

    family = "cost"
    of_numbers: ClassVar[bool] = False  # whether its answers are regression targets where nobody says otherwise

    of: str = setting(Name(), "", "the output that is judged (default: the only one)")
    weight: float = setting(Number(0), 1.0, "how much it counts beside the other costs")

    def type(self, prediction: TensorType, target: TensorType, *weights: TensorType) -> TensorType:
        return SCALAR

    def flops(self, prediction: TensorType, target: TensorType, *weights: TensorType) -> int:
        return 5 * prediction.elements

    def primitive(self) -> Op:
        raise AssertionError("a cost must say what it is made of")

    def need_classes(self, prediction: TensorType) -> None:
        """Refuse an output of one channel, which is right whatever it says."""
        if prediction["c"] < 2:
            raise Fault.of("CNN209", case="classes", word=self.word)

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        return b.add(self.primitive(), *inputs, name=node.name, like=node)


@record
class CrossEntropy(Cost):
    """Cross-entropy: -sum over the classes of target * log(prediction), for a softmax or logsoftmax at the end."""

    word = "cross_entropy"
    aliases = ("crossentropy", "categorical_crossentropy", "nll", "softmax_cross_entropy", "ce")

    smoothing: float = setting(
        Number(0, 1, open_high=True), 0.0, "label smoothing: fraction of the target spread over all classes"
    )

    def type(self, prediction: TensorType, target: TensorType, *weights: TensorType) -> TensorType:
        self.need_classes(prediction)
        return SCALAR

    def decompose(self, node: Node, inputs: tuple[str, ...], b: Decomposer) -> str:
        """The prediction of a logsoftmax is a logarithm already."""
        judged = b.word(node.inputs[0])
        while judged.op.is_view:
            judged = b.word(judged.inputs[0])
        made = NegativeLogLikelihood if isinstance(judged.op, LogSoftmax) else CrossEntropyLoss
        return b.add(made(self.weight, self.smoothing), *inputs, name=node.name, like=node)


@record
class BinaryCrossEntropy(Cost):
    """Binary cross-entropy: the mean over the outputs of -(t log p + (1 - t) log(1 - p)), for a sigmoid."""

    word = "binary_cross_entropy"
    aliases = ("bce", "binary_crossentropy", "logistic")

    def primitive(self) -> Op:
        return BinaryCrossEntropyLoss(self.weight)


@record
class Mse(Cost):
    """Mean squared error: the mean over the outputs of (prediction - target)^2."""

    word = "mse"
    aliases = ("mean_squared_error", "l2", "squared_error")
    of_numbers = True

    def primitive(self) -> Op:
        return SquaredError(self.weight)


@record
class Mae(Cost):
    """Mean absolute error: the mean over the outputs of |prediction - target|."""

    word = "mae"
    aliases = ("l1", "mean_absolute_error", "absolute_error")
    of_numbers = True

    def primitive(self) -> Op:
        return AbsoluteError(self.weight)


@record
class Huber(Cost):
    """Huber's cost: a square for small errors, a straight line for large ones.

    With d = |prediction - target|, the mean of d^2 / 2 up to delta and of delta * (d - delta / 2) above.
    """

    word = "huber"
    aliases = ("smooth_l1", "huber_loss")
    of_numbers = True

    delta: float = setting(Number(0, open_low=True), 1.0, "where the square becomes a straight line")

    def primitive(self) -> Op:
        return HuberError(self.weight, self.delta)


@record
class Hinge(Cost):
    """Multiclass hinge: the mean over the classes of max(0, margin + score - score of the right class).

    The right class itself counts 0, so K classes give a sum over K - 1 divided by K (Crammer and Singer 2001;
    torch.nn.MultiMarginLoss). Targets are classes; scores need no softmax.
    """

    word = "hinge"
    aliases = ("multi_margin", "svm", "categorical_hinge")

    margin: float = setting(Number(0, open_low=True), 1.0, "how far ahead the right class should be")

    def type(self, prediction: TensorType, target: TensorType, *weights: TensorType) -> TensorType:
        self.need_classes(prediction)
        return SCALAR

    def primitive(self) -> Op:
        return HingeError(self.weight, self.margin)


COSTS: tuple[type[Cost], ...] = (CrossEntropy, BinaryCrossEntropy, Mse, Mae, Huber, Hinge)


def of_classes(cost: Cost, implied: bool, word: str, outputs: int, classes: str) -> Fault | None:
    """What is wrong with a cost that would not tell classes apart, `implied` where the file states none.

    dense 10                        the squared error, by which classes are learnt badly: nobody asked for it
    dense 10 with cross_entropy     the logarithm of numbers that may be negative

    Arguments
    ---------
    word, outputs   what makes the output that is judged, and how many numbers it has for each place
    classes         what there is to tell apart, in words
    """
    end = "softmax" if outputs > 1 else "sigmoid"
    if implied and cost.of_numbers:
        return Fault.of("CNN241", case="implied", classes=classes, word=word, end=end)
    if word in PLAIN and isinstance(cost, CrossEntropy | BinaryCrossEntropy):
        right = "sigmoid" if isinstance(cost, BinaryCrossEntropy) else end
        return Fault.of("CNN241", case="plain", cost=cost.word, word=word, end=right)
    return None


def judged(outputs: tuple[str, ...], costs: tuple[Cost, ...]) -> tuple[str, ...]:
    """The outputs that costs judge, in the order of the costs."""
    free = [name for name in outputs if name not in {cost.of for cost in costs}]
    return tuple(cost.of or free.pop(0) for cost in costs)
