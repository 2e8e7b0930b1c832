"""The pipelines: tuples of functions from graph to graph, applied from first to last."""

from __future__ import annotations

from collections.abc import Callable

from ..ir import Graph
from .bands import in_bands
from .convolutions import turn_input_gradients, unroll_convolutions
from .differentiate import differentiate
from .expand import expand_inference, expand_training
from .finish import finish
from .fold_norm import fold_norm
from .fuse_norm import fuse_norm, gradients_by_rows, pooled_norm
from .fuse_sums import moments_of_rows, sums_of_gradients
from .keep_planes import keep_planes
from .merge_costs import merge_costs
from .pool_first import pool_first
from .prune import only_cost, prune
from .straighten import straighten
from .winograd import residues_early, winograd

Pass = Callable[[Graph], Graph]

TRAINING: tuple[Pass, ...] = (
    expand_training,
    straighten,
    merge_costs,
    pool_first,
    winograd,
    residues_early,
    prune,
    pooled_norm,
    fuse_norm,
    differentiate,
    prune,
    finish,
    moments_of_rows,
    sums_of_gradients,
    gradients_by_rows,
    keep_planes,
    turn_input_gradients,
    unroll_convolutions,
)

MEASURE: tuple[Pass, ...] = (
    expand_inference,
    straighten,
    merge_costs,
    only_cost,
    prune,
    fold_norm,
    pool_first,
    winograd,
    residues_early,
    prune,
    fuse_norm,
    finish,
    unroll_convolutions,
)

INFERENCE: tuple[Pass, ...] = (
    expand_inference,
    straighten,
    prune,
    fold_norm,
    pool_first,
    winograd,
    residues_early,
    prune,
    fuse_norm,
    finish,
    in_bands,
    unroll_convolutions,
)


def run(graph: Graph, passes: tuple[Pass, ...], after: str = "", check: Pass | None = None) -> Graph:
    """The graph after the passes, or after the one named `after`; `check` looks at each result."""
    for step in passes:
        graph = step(graph)
        if check is not None:
            check(graph)
        if step.__name__ == after:
            break
    return graph
