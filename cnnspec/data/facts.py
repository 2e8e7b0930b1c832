"""Facts of a source, from its headers (`known`) or from its content (`dataset`)."""

from __future__ import annotations

from ..ir import TensorType
from ..record import record


@record
class Known:
    """What is known of a source; None where only reading it would tell.

    input       the type of one image
    classes     their names, where y are classes
    outputs     number of classes, or of regression targets of an image
    numbers     whether y are regression targets
    test, validation    whether there are images for them: of the source's own, or a share set aside
    places      the height and width of the answers to one image, where each of its pixels has one
    """

    name: str
    input: TensorType | None
    classes: tuple[str, ...] | None
    outputs: int | None
    numbers: bool | None
    test: bool
    validation: bool
    places: tuple[int, ...] = ()
