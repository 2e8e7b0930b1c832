"""What of a network learns, how fast, and since when: `freeze`, `rate` and `decay_norm` for the layers they mean.

    train { freeze stem ; freeze stage1 until 5 ; rate 0.1 of stage1, stage2 ; optimiser adamw decay_norm off }

A name means a layer, a block or net with all that is in it, or what `as` names; a `*` in it stands for any letters.
Where several `freeze` or several `rate` mean a layer, the last one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from ..ir.owned import owner_of
from ..lazy import lazy
from ..record import record
from .optimiser import Optimiser

if TYPE_CHECKING:
    from ..ir import Graph
    from ..ir.op import Parameter
    from .train import Train

Parts = Mapping[str, tuple[str, ...]]


@record
class Tuning:
    """The settings of `train` about parts of a network, with the layers that they mean.

    frozen      layer -> epochs until it learns; None where it never does
    rates       layer -> what its learning rate is multiplied by
    ema         share that the average of the parameters keeps at a step; None where there is no average
    accumulate  parts of a batch, one after the other
    """

    frozen: Mapping[str, int | None] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    ema: float | None = None
    accumulate: int = 1

    @lazy
    def thaws(self) -> tuple[int, ...]:
        """The epochs before which something begins to learn, in order."""
        return tuple(sorted({until for until in self.frozen.values() if until is not None}))

    def thawed(self, epoch: int) -> int:
        """How many of `thaws` have passed when so many epochs are done."""
        return sum([until <= epoch for until in self.thaws])

    def asleep(self, thawed: int) -> frozenset[str]:
        """The layers that do not learn, once so many of `thaws` have passed."""
        past = self.thaws[:thawed]
        return frozenset(layer for layer, until in self.frozen.items() if until not in past)


PLAIN = Tuning()  # all learns alike, from the beginning


@record
class ParameterGroup:
    """Parameters that are moved alike: by an optimiser at a share of the rate, after some of `Tuning.thaws`."""

    names: tuple[str, ...]
    optimiser: Optimiser
    factor: float = 1.0
    thaw: int = 0


def in_goes(n: int, accumulate: int) -> tuple[int, ...]:
    """How many of n images are computed at a time, for so many goes: as even as may be."""
    count = max(1, min(accumulate, n))
    each, rest = divmod(n, count)
    return tuple(each + (k < rest) for k in range(count))


def groups(parameters: Mapping[str, Parameter], optimiser: Optimiser, tuning: Tuning) -> tuple[ParameterGroup, ...]:
    """The trained parameters in groups, those that learn from the beginning first; none that never learns.

    A parameter of one number for each channel is a bias, or belongs to a normalisation, a slope or a scale.
    """
    bare = optimiser if optimiser.decay_norm else replace(optimiser, weight_decay=0.0)
    found: dict[tuple[int, float, Optimiser], list[str]] = {}
    for name, parameter in parameters.items():
        until = tuning.frozen.get(owner_of(name, tuning.frozen), 0)
        if not parameter.trained or until is None:
            continue
        thaw = tuning.thaws.index(until) + 1 if until else 0
        by = bare if len(parameter.type.axes) < 2 else optimiser
        found.setdefault((thaw, tuning.rates.get(owner_of(name, tuning.rates), 1.0), by), []).append(name)
    ordered = sorted(found, key=lambda key: key[0])
    return tuple(ParameterGroup(tuple(found[key]), key[2], key[1], key[0]) for key in ordered)


def tuning_of(train: Train, graph: Graph, parts: Parts) -> Tuning:
    """The settings of `train` for a graph of words; names that mean nothing are passed over."""
    frozen = {layer: one.until for one in train.freeze for layer in meant(one.names, graph, parts)}
    rates = {layer: one.factor for one in train.rate for layer in meant(one.of, graph, parts)}
    return Tuning(frozen, rates, train.ema, train.accumulate)


def beyond(train: Train) -> tuple[str, ...]:
    """What `train` says that a loop of plain steps does not follow, as its author wrote it."""
    found = [setting for setting in ("freeze", "rate") if getattr(train, setting)]
    if train.accumulate > 1:
        found.append(f"accumulate {train.accumulate}")
    if train.ema is not None:
        found.append(f"ema {train.ema:g}")
    if train.optimiser.weight_decay and not train.optimiser.decay_norm:
        found.append("decay_norm off")
    return tuple(found)


def resolved(train: Train, graph: Graph, parts: Parts) -> Train:
    """The same settings with the layers themselves in the place of names, for a graph that keeps no labels."""
    freeze = tuple(replace(one, names=meant(one.names, graph, parts)) for one in train.freeze)
    rate = tuple(replace(one, of=meant(one.of, graph, parts)) for one in train.rate)
    return replace(train, freeze=freeze, rate=rate)


def meant(names: Iterable[str], graph: Graph, parts: Parts) -> tuple[str, ...]:
    """The layers with trained parameters that some names mean, in the order of the graph."""
    named = places(graph, parts)
    found: set[str] = set()
    for name in names:
        found.update(*(named[place] for place in matching(name, named)))
    return tuple(dict.fromkeys(node.owner for node in graph if node.owner in found))


def matching(name: str, known: Iterable[str]) -> list[str]:
    """The known names that a name or pattern means."""
    return [one for one in known if one == name or ("*" in name and fits(name, one))]


def fits(pattern: str, text: str) -> bool:
    """Whether a text is a pattern's, in which `*` stands for any letters; in one pass, for any pattern."""
    first, *middle, last = pattern.split("*")
    at, end = len(first), len(text) - len(last)
    if not (at <= end and text.startswith(first) and text.endswith(last)):
        return False
    for part in middle:
        at = text.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def places(graph: Graph, parts: Parts) -> dict[str, set[str]]:
    """Every name that may be told, and the layers with trained parameters that it means."""
    found: dict[str, set[str]] = {}
    learning = {node.name: node.owner for node in graph if graph.figures[node.name].parameters}
    for node in graph:
        own = {learning[node.name]} if node.name in learning else set()
        inside = node.name.split(".")
        paths = {".".join(path[: k + 1]) for path in (node.blocks, inside) for k in range(len(path))}
        for place in paths:
            found.setdefault(place, set()).update(own)
    for label, nodes in parts.items():
        found.setdefault(label, set()).update(learning[node] for node in nodes if node in learning)
    return found
