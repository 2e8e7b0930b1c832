"""What a network is given and judged by: arrays by the names of inputs and outputs, checked before use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from ..data.changes import Mixed
from ..data.dataset import Named, Split, Stored, Weighted
from ..diagnostics import Diagnostic, Fault, SpecError
from ..ir import Graph
from ..lang import Spec
from ..lazy import lazy
from ..passes.decompose import WEIGHTS
from ..words.costs import Cost, judged
from . import engines
from .fitting import refused
from .given import Given, One, by_name, ensure_fit, length
from .targets import Answers, CanonicalTargets, as_array

Array = np.ndarray


class Judged:
    """A network with its costs, as far as its arrays go; `Model` is one.

    scales    whether what is stored is scaled where it is used, not before
    """

    spec: Spec
    graph: Graph
    costs: tuple[Cost, ...]
    dtype: str

    @property
    def scales(self) -> bool:
        return False

    def _inputs(self, x: Given) -> dict[str, Array]:
        try:
            found = by_name(x, self.graph.inputs, "input")
            arrays = {name: self._input(one, self._shapes[name], name) for name, one in found.items()}
        except SpecError as error:
            raise refused("x", error) from None
        if len(arrays) > 1:
            count = length(arrays)
            for name, values in arrays.items():
                if len(values) != count:
                    raise SpecError(
                        (
                            Diagnostic.of(
                                "CNN408",
                                case="counts",
                                one=count,
                                first=next(iter(arrays)),
                                other=len(values),
                                name=name,
                            ),
                        )
                    )
        return arrays

    def _input(self, values: One, shape: tuple[int, ...], name: str) -> Array:
        assert not isinstance(values, Mixed), "answers are mixed, and images never told so"
        if values.shape[1:] != shape or values.dtype.kind not in "biuf":
            want = ", ".join(map(str, shape))
            raise SpecError(
                (
                    Diagnostic.of(
                        "CNN408", case="numbers", name=name, sizes=want, type=values.dtype, shape=values.shape
                    ),
                )
            )
        if isinstance(values, Stored) and self.scales:
            return cast(Array, values)  # as good as one to an engine that scales
        return np.asarray(values, self.dtype)

    @lazy
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the inputs, without the batch."""
        return {name: self.graph.type(name).shape for name in self.graph.inputs}

    def arrays(self, x: Given, y: Given) -> dict[str, Array]:
        """Images and answers by the names of inputs and targets, as plans take them; to look at, by any cost."""
        return self._arrays(x, self._settled(by_name(y, self.judged, "output")))

    def _weighed(self, x: Given, y: Given, answers: dict[str, CanonicalTargets]) -> dict[str, Array]:
        """The same of a batch to learn from, with the weights of its images where y has some."""
        arrays = self._arrays(x, answers)
        if isinstance(y, Weighted):
            if len(y) != (count := length(arrays)):
                raise SpecError((Diagnostic.of("CNN436", case="sample_weight", images=count, weights=len(y)),))
            arrays[WEIGHTS] = y.weights[:, None].astype(self.dtype, copy=False)
        return arrays

    def _arrays(self, x: Given, answers: dict[str, CanonicalTargets]) -> dict[str, Array]:
        arrays = self._inputs(x)
        ensure_fit(length(arrays), answers)
        try:
            for name, canonical_targets in answers.items():
                arrays[f"{name}.target"] = self._outputs[name].targets(canonical_targets)
        except Fault as fault:
            raise SpecError((fault.diagnostic(),)) from None
        return arrays

    @lazy
    def judged(self) -> tuple[str, ...]:
        """The outputs that costs judge, in the order of the costs."""
        return judged(self.graph.outputs, self.costs)

    @lazy
    def _outputs(self) -> dict[str, Answers]:
        """What is known of the answers of each output that is judged."""
        judged = zip(self.judged, self.costs, strict=True)
        return {name: Answers(self.graph, name, cost, self.dtype, self.spec.implied) for name, cost in judged}

    @lazy
    def _refused(self) -> tuple[tuple[str, Fault], ...]:
        """The outputs that numbers of classes are no answers for, and why."""
        return tuple((name, answers.refused) for name, answers in self._outputs.items() if answers.refused)

    def answers(self, y: Given, whole: bool = False) -> dict[str, CanonicalTargets]:
        """Answers by the names of the outputs, each of a known kind; with `whole`, all classes seen to be there.

        Weights are left out.

        Raises SpecError (CNN241) for numbers of classes where no cost is stated that tells classes apart.
        """
        try:
            given = by_name(y, self.judged, "output")
            for name, fault in self._refused:
                if self._outputs[name].numbered(given[name]):
                    raise SpecError((fault.diagnostic(),))
            return self._settled(given, whole)
        except SpecError as error:
            raise refused("y", error) from None

    def _settled(self, given: Mapping[str, One], whole: bool = False) -> dict[str, CanonicalTargets]:
        try:
            answers = {n: one if isinstance(one, Mixed) else np.asanyarray(one) for n, one in given.items()}
            canonical_targets = {name: self._outputs[name].canonical(values) for name, values in answers.items()}
            for name in given if whole else ():
                self._outputs[name].ensure(canonical_targets[name])
            return canonical_targets
        except Fault as fault:
            raise SpecError((fault.diagnostic(),)) from None

    def _correct(self, counts: engines.Counts, answers: dict[str, CanonicalTargets]) -> float | None:
        """How many of the first output's answers were correct, where they can be."""
        name, canonical_targets = next(iter(answers.items()))
        return self._outputs[name].correct(counts, canonical_targets.kind)

    def images(self, x: Given, y: Given) -> Split | Named:
        """Images and answers to go through in batches, all of them looked at once."""
        inputs, canonical_targets = self._inputs(x), self.answers(y, whole=True)
        ensure_fit(length(inputs), canonical_targets)
        answers = {name: as_array(one) for name, one in canonical_targets.items()}
        answers |= {
            name: self._outputs[name].targets(canonical_targets[name]) for name, _ in self._refused
        }  # rows stay rows
        if len(inputs) == len(answers) == 1:
            return Split(next(iter(inputs.values())), next(iter(answers.values())))
        return Named(inputs, answers)
