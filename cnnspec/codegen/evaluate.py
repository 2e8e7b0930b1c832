"""The oracle: a graph of primitives computed by the definitions, slowly and obviously.

It shares nothing with a plan but the graph: no layout, no arena, no kernels, no shards.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..ir import Graph


def evaluate(graph: Graph, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every value of a graph by name, by-products as `pool1:top`; images are (n, c, h, w).

    `values` has the inputs, the targets and the parameters (in PyTorch's layouts). A by-product that it has
    too (`dropout1:mask`) is not computed but handed to the op, since nobody can guess random numbers.
    """
    known = dict(values)
    for node in graph:
        if node.name in known:
            continue
        fixed = [known[value] for extra in node.extras if (value := f"{node.name}:{extra}") in known]
        made = node.op.evaluate(*(known[value] for value in node.inputs), *fixed)
        known[node.name], *extras = made if isinstance(made, tuple) else (made,)
        known |= zip((f"{node.name}:{extra}" for extra in node.extras), extras, strict=True)
    return known
