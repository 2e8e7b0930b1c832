"""The pipelines: tuples of functions from graph to graph, applied from first to last."""

from __future__ import annotations

from collections.abc import Callable

from ..ir import Graph
from .bands import partition_rows
from .canonicalise_layout import canonicalise_layout
from .convolutions import (
    depthwise_bands,
    depthwise_by_phase,
    few_pixels_at_once,
    flip_input_gradients,
    lower_convolutions,
    winograd_phases,
)
from .dead_code import drop_outputs, eliminate_dead_code
from .decompose import decompose_inference, decompose_training
from .differentiate import differentiate
from .fold_norm import fold_norm
from .fuse_cross_entropy import fuse_softmax_cross_entropy
from .fuse_epilogue import broadcast_bias, fuse_epilogue
from .fuse_norm import fuse_norm, gradients_by_rows, pooled_norm
from .fuse_sums import moments_of_rows, sums_of_gradients, sums_of_products
from .hoist_pooling import hoist_pooling, phased_first_pooling, phased_pooling, pool_rows_first, pooled_product
from .save_for_backward import save_activation_derivatives, save_for_backward
from .winograd import polyphase_early, pooled_squares, transform_filters_once, winograd, winograd_forward

Pass = Callable[[Graph], Graph]

TRAINING: tuple[Pass, ...] = (
    decompose_training,
    canonicalise_layout,
    fuse_softmax_cross_entropy,
    hoist_pooling,
    winograd,
    polyphase_early,
    eliminate_dead_code,
    phased_first_pooling,
    pooled_norm,
    fuse_norm,
    differentiate,
    eliminate_dead_code,
    fuse_epilogue,
    moments_of_rows,
    sums_of_gradients,
    sums_of_products,
    gradients_by_rows,
    save_for_backward,
    save_activation_derivatives,
    winograd_phases,
    flip_input_gradients,
    few_pixels_at_once,
    depthwise_bands,
    lower_convolutions,
)

MEASURE: tuple[Pass, ...] = (
    decompose_inference,
    canonicalise_layout,
    fuse_softmax_cross_entropy,
    drop_outputs,
    eliminate_dead_code,
    fold_norm,
    hoist_pooling,
    winograd_forward,
    polyphase_early,
    eliminate_dead_code,
    phased_pooling,
    fuse_norm,
    fuse_epilogue,
    transform_filters_once,
    winograd_phases,
    depthwise_bands,
    depthwise_by_phase,
    lower_convolutions,
)

# the outputs beside the cost, for measures beside it
JUDGE: tuple[Pass, ...] = tuple(step for step in MEASURE if step is not drop_outputs)

INFERENCE: tuple[Pass, ...] = (
    decompose_inference,
    canonicalise_layout,
    eliminate_dead_code,
    fold_norm,
    hoist_pooling,
    winograd_forward,
    polyphase_early,
    eliminate_dead_code,
    phased_pooling,
    pooled_product,
    pooled_squares,
    pool_rows_first,
    fuse_norm,
    fuse_epilogue,
    transform_filters_once,
    depthwise_bands,
    depthwise_by_phase,
    broadcast_bias,
    winograd_phases,
    few_pixels_at_once,
    partition_rows,
    lower_convolutions,
)


def run(graph: Graph, passes: tuple[Pass, ...], after: str = "", check: Pass | None = None) -> Graph:
    """The graph after the passes, or after the one named `after`; `check` verifies each result."""
    for step in passes:
        graph = step(graph)
        if check is not None:
            check(graph)
        if step.__name__ == after:
            break
    return graph
