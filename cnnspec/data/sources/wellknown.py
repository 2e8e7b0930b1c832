"""The well-known sets, as far as they are known without being read."""

from __future__ import annotations

from ...record import record
from ...settings.data import Cifar10, Digits, FashionMnist, Mnist, Source


@record
class WellKnown:
    """A set of images to learn from and to be tested on: the shape of an image, the names of the classes."""

    name: str
    shape: tuple[int, ...]
    classes: tuple[str, ...]


TEN = tuple("0123456789")
CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
PHOTOS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

SETS: dict[type[Source], WellKnown] = {
    Digits: WellKnown("digits", (1, 28, 28), TEN),
    Mnist: WellKnown("mnist", (1, 28, 28), TEN),
    FashionMnist: WellKnown("fashion_mnist", (1, 28, 28), CLOTHES),
    Cifar10: WellKnown("cifar10", (3, 32, 32), PHOTOS),
}
