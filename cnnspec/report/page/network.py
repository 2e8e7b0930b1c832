"""The network of a page as JavaScript, with its weights; or why there is no room for it."""

from __future__ import annotations

import re

from ...capacity import mebibytes
from ...data.preparation import Preparation
from ...diagnostics import SpecError
from ...model.model import Model
from ...targets.js.module import looked_at_size, module_source

WEIGHTS = 40_000_000  # bytes of weights that a page may hold; a third more in base64
VALUES = 1 << 30  # bytes of values and gradients of one example, in float64


def network_text(model: Model, preparation: Preparation | None = None) -> tuple[str, str]:
    """The script that defines `network`, for a worker of the page; empty, and the reason, where it does not fit."""
    weights = {name: model.parameters[name] for name in model.parameters}
    size = sum(array.nbytes for array in weights.values())
    if size > WEIGHTS:
        return "", f"its weights take {mebibytes(size)}, and a page holds {mebibytes(WEIGHTS)}"
    try:
        values = 8 * looked_at_size(model.spec)
        if values > VALUES:
            return (
                "",
                f"its values and gradients take {mebibytes(values)}, and a page has {mebibytes(VALUES)}",
            )
        text = module_source(
            model.spec, weights, look=True, embed=True, script=True, preparation=preparation, dtype=None
        )
    except SpecError as error:
        return "", "; ".join(found.message for found in error.diagnostics)
    assert not re.search(r"</script|<!--", text, re.IGNORECASE), "the text of a script ends it"
    return text, ""
