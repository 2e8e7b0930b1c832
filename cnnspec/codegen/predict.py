"""The memory of a training step, predicted: for `expect { memory ... }`."""

from __future__ import annotations

from dataclasses import replace

from ..ir import Graph
from ..ir.facts import FLOAT_BYTES
from ..ir.leaves import Target
from ..passes import TRAINING, run
from ..passes.decompose import attach_costs
from ..settings.train import Train
from .program import generate


def step_bytes(words: Graph, train: Train) -> dict[str, int]:
    """Bytes of a step at the batch size of a spec, by what they are for.

    Those of the engine (`Engine.memory`), for one shard unless the spec states how many, in float32.
    """
    shards = min(train.shards or 1, train.batch)
    each, rest = divmod(train.batch, shards)
    graph = run(replace(attach_costs(words, train.cost), images=each + bool(rest), shards=shards), TRAINING)
    programs = {n: generate(graph, n, train.batch) for n in {each, each + bool(rest)}}
    arenas = {n: program.arena_bytes for n, program in programs.items()}
    owned = {
        f"{node.owner}.{parameter.name}": parameter
        for node in words
        for parameter in node.op.parameters(*words.types(node))
    }
    trained = sum(parameter.type.elements for parameter in owned.values() if parameter.trained)
    joint = sum(owned[name].type.elements for name in programs[each].joint)
    state = sum(parameter.type.elements for parameter in owned.values() if not parameter.trained)
    targets = [node.name for node in graph if isinstance(node.op, Target)]
    staged = sum(graph.type(name).elements for name in (*graph.inputs, *targets, *graph.outputs))
    return {
        "arena": rest * arenas[each + bool(rest)] + (shards - rest) * arenas[each],
        "parameters": (trained + state) * FLOAT_BYTES,
        "gradients": (shards * trained - (shards - 1) * joint) * FLOAT_BYTES,
        "moments": len(train.optimiser.moments) * trained * FLOAT_BYTES,
        "batch": train.batch * staged * FLOAT_BYTES,
    }
