"""Softmax (or its logarithm) and cross-entropy as one, sigmoid and binary cross-entropy: logits of any size do."""

from __future__ import annotations

from ..ir import Builder, Graph, Node
from ..primitives.costs.cross_entropy import (
    BinaryCrossEntropyLoss,
    CrossEntropyLoss,
    NegativeLogLikelihood,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
)
from ..words.activation.sigmoids import Sigmoid
from ..words.channels import LogSoftmax, Softmax
from .rewrite import rewrite

PAIRS: tuple[tuple[type, type, type], ...] = (
    (CrossEntropyLoss, Softmax, SoftmaxCrossEntropy),
    (NegativeLogLikelihood, LogSoftmax, SoftmaxCrossEntropy),
    (BinaryCrossEntropyLoss, Sigmoid, SigmoidCrossEntropy),
)


def fuse_softmax_cross_entropy(graph: Graph) -> Graph:
    """A cost that reads the activation it is made for reads what is before it instead.

    p = softmax z;  cost = surprise p t
    p = softmax z;  cost = softmax_cross_entropy z t
    """

    def rule(node: Node, inputs: tuple[str, ...], b: Builder) -> str | None:
        for cost, activation, merged in PAIRS:
            if type(node.op) is cost and isinstance(b.nodes[inputs[0]].op, activation):
                logits = b.nodes[inputs[0]].inputs[0]
                return b.add(merged(**vars(node.op)), logits, *inputs[1:], name=node.name, like=node)
        return None

    return rewrite(graph, rule)
