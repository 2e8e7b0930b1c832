"""What a stand-alone module runs its plan with; the classes here are copied into it as they stand.

So nothing here may need more than NumPy and the standard library, and what is imported at the top of this file
is imported there as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import prod
from threading import RLock
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from ...kernels.activation import clip_scale
from ...kernels.resample import resample, rescale
from ...runtime.load import Arena


class Layout(NamedTuple):
    """A parameter: its shape, the same with a flattened image taken apart, and the order in which plans keep it."""

    shape: tuple[int, ...]
    apart: tuple[int, ...]
    order: tuple[int, ...]
    trained: bool = True


class Plan(NamedTuple):
    """The functions of a plan, and its memory: bytes of the arena and of values that depend on parameters
    alone, sums, numbers known beforehand.

    It calls `bn1.weight` `bn1_weight`; `names` tells where that name was taken and it calls it something else.
    """

    buffers: Callable[..., None]
    forward: Callable[..., Any]
    arena: int
    prepared: int = 0
    prepare: Callable[..., None] | None = None
    backward: Callable[..., Any] | None = None
    update_statistics: Callable[..., None] | None = None
    costs: int = 0
    partials: dict[str, tuple[int, ...]] = {}
    constants: dict[str, np.ndarray] = {}
    names: dict[str, str] = {}


class Preparation(NamedTuple):
    """How the images of the training were prepared: x * scale + offset, channel by channel.

    stored    "bytes" or "floats", the type of x
    classes   the names of the outputs, where these are classes
    order     where each axis that the network sees stands among those of x; -1 for channels that x has no axis for
    bytes_as  what bytes are multiplied by where x are floats; None where they could mean anything
    size      height and width that pictures of any size are brought to, where they are
    fill      of a table what takes the place of NaN in each column, where numbers may be missing
    """

    stored: str
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    classes: tuple[str, ...] | None
    order: tuple[int, ...]
    bytes_as: float | None = None
    size: tuple[int, ...] | None = None
    fill: tuple[float, ...] = ()

    def __call__(self, x: Any) -> np.ndarray:
        """Images as the training data have them, as the network sees them: (n, c, ...) floats."""
        x = self.typed(np.asarray(x))
        if x.ndim != len(self.order) - (-1 in self.order):
            raise ValueError(f"images as the training data have them have {len(self.order)} axes, got {x.shape}")
        x = x[:, None] if -1 in self.order else x.transpose(self.order)
        if self.size is not None and x.shape[2:] != self.size:
            x = np.rint(resample(x, *self.size))
        if self.fill:
            x = np.where(np.isnan(x), np.array(self.fill, np.float32), x)
        return rescale(x, self.scale, self.offset, np.empty(x.shape, np.float32))

    def typed(self, x: np.ndarray) -> np.ndarray:
        """Numbers of any type as bytes or floats, as training's were; ValueError where that could be anything."""
        if self.stored == "floats":
            if x.dtype == np.uint8 and self.bytes_as is None:
                raise ValueError("the network was trained on floats, and these are bytes")
            return x * np.float32(self.bytes_as or 1) if x.dtype == np.uint8 else x
        if x.dtype == np.uint8 or not x.size:
            return x
        if x.dtype == np.bool_:
            return x * np.uint8(255)
        low, high = x.min(), x.max()
        if x.dtype.kind == "f" and 0 <= low <= high <= 1:
            return x * np.float32(255)
        if 0 <= low <= high <= 255 and bool((x == np.floor(x)).all()):
            return x
        raise ValueError("the network was trained on bytes: give those, or floats from 0 to 1")


class Network:
    """A network in use: arrays (n, c, h, w), (n, c, w) or (n, c) in, outputs out, for any number of images.

    `parameters` are arrays by name in PyTorch's layouts; `set` changes one of them, `save` writes all of them.
    Images go through the plan `batch` at a time. Several threads may use one; they take turns.
    """

    batch: int
    inputs: dict[str, tuple[int, ...]]
    outputs: dict[str, tuple[int, ...]]
    layouts: dict[str, Layout]
    plan: Plan
    prepare: Preparation | None = None
    prepares: bool = False  # whether images are given as they are stored; else as the network sees them
    others: dict[str, Preparation] = {}  # of a network with several inputs, that of each

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self.turn = RLock()  # of one thread: all answers are made in the same memory
        self.fresh = True  # parameters have changed, and nothing was made of them yet
        self.flat: dict[bool, np.ndarray] = {}
        self.arrays: dict[str, np.ndarray] = {}
        for trained in (True, False):
            mine = {name: layout for name, layout in self.layouts.items() if layout.trained is trained}
            self.flat[trained] = np.zeros(sum(prod(layout.shape) for layout in mine.values()), np.float32)
            self.arrays |= dict(self.pieces(mine, self.flat[trained]))
        if weights.keys() != self.layouts.keys():
            differing = ", ".join(sorted(weights.keys() ^ self.layouts.keys()))
            raise ValueError(f"these are not the weights of this network: {differing} on one side only")
        for name, values in weights.items():
            self.set(name, values)
        feeds = {name: np.zeros((self.batch, *shape), np.float32) for name, shape in self.inputs.items()}
        self.feeds, self.fetches, self.b, self.p = self.bound(self.plan, feeds, self.outputs)

    def pieces(self, layouts: Mapping[str, Layout], memory: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """One block of memory as the arrays that lie in it, one after the other."""
        start = 0
        for name, layout in layouts.items():
            stop = start + prod(layout.shape)
            yield name, memory[start:stop].reshape([layout.apart[axis] for axis in layout.order])
            start = stop

    def set(self, name: str, values: np.ndarray) -> None:
        layout = self.layouts[name]
        if values.shape != layout.shape:
            raise ValueError(f"{name} has shape {layout.shape}, got {values.shape}")
        with self.turn:
            self.arrays[name][...] = values.reshape(layout.apart).transpose(layout.order)
            self.fresh = True

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        found = {}
        with self.turn:
            for name, layout in self.layouts.items():
                back = np.argsort(layout.order) if layout.order else ()
                found[name] = self.arrays[name].transpose(back).reshape(layout.shape).copy()
        return found

    def save(self, path: str) -> None:
        arrays: dict[str, Any] = self.parameters
        with open(path, "wb") as file:
            np.savez(file, **arrays)

    def bound(
        self,
        plan: Plan,
        feeds: dict[str, np.ndarray],
        outputs: Mapping[str, tuple[int, ...]],
        gradients: Mapping[str, np.ndarray] | None = None,
        **numbers: Any,
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], SimpleNamespace, SimpleNamespace]:
        """The plan's arrays laid out: feeds, fetches, its own, and the parameters."""
        fetches = {name: np.zeros((self.batch, *shape), np.float32) for name, shape in outputs.items()}
        partials = {name: np.zeros((1, *shape)) for name, shape in plan.partials.items()}
        b = SimpleNamespace(costs=np.zeros(max(1, plan.costs)), correct=np.zeros(2, np.int64), shard=0, **numbers)
        called = {full: plan.names.get(full, full.replace(".", "_")) for full in self.layouts}
        p = SimpleNamespace(**{called[full]: array for full, array in self.arrays.items()})
        g = SimpleNamespace(**{called[full]: array for full, array in (gradients or {}).items()})
        arena, prepared = (Arena(np.zeros(size, np.uint8), "float32") for size in (plan.arena, plan.prepared))
        plan.buffers(b, p, g, arena, prepared, partials, plan.constants, feeds, fetches)
        b.gradients = g
        return feeds, fetches, b, p

    def seen(self, x: Any) -> dict[str, np.ndarray]:
        """Images by the names of the inputs, as the network sees them."""
        arrays = self.by_name(x, self.inputs)
        if not self.prepares or self.prepare is None:
            return arrays
        return {name: self.others.get(name, self.prepare)(values) for name, values in arrays.items()}

    def by_name(self, values: Any, names: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
        """Arrays by name: one alone is that of the only name."""
        found = values if isinstance(values, Mapping) else dict.fromkeys(names, values)
        return {name: np.asarray(found[name]) for name in names}

    def __call__(self, x: Any) -> Any:
        """The outputs for some images: an array, or a dictionary where there are several."""
        arrays = self.seen(x)
        for name, shape in self.inputs.items():
            if arrays[name].shape[1:] != shape:
                raise ValueError(f"`{name}` takes arrays of shape {('n', *shape)}, got {arrays[name].shape}")
        count = len(next(iter(arrays.values())))
        made = {name: np.empty((count, *shape), np.float32) for name, shape in self.outputs.items()}
        with self.turn:
            if self.fresh and self.plan.prepare is not None:
                self.plan.prepare(self.b, self.p)
            self.fresh = False
            for start in range(0, count, self.batch):
                size = min(self.batch, count - start)
                for name, values in arrays.items():
                    self.feeds[name][:size] = values[start : start + size]  # what lies behind them is not looked at
                run(self.plan.forward(self.b, self.p))
                for name, values in made.items():
                    values[start : start + size] = self.fetches[name][:size]
        return made if len(made) > 1 else next(iter(made.values()))


def run(phase: Any) -> None:
    """A plan pauses where several workers would wait for one another; alone there is nobody to wait for."""
    for _ in phase or ():
        pass


class Learning(Network):
    """A network that goes on learning: `learn` takes a step on a batch, with the optimiser of the spec.

    The learning rate is the caller's to choose; schedules are not part of this file.
    """

    training: Plan
    targets: dict[str, tuple[int, ...]]
    optimiser: Any
    moments_of: tuple[str, ...]
    update: Callable[..., None]
    chunk: int
    seed: int

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        super().__init__(weights)
        size = self.flat[True].size
        trained = {name: layout for name, layout in self.layouts.items() if layout.trained}
        self.gradient = np.zeros(size, np.float32)
        self.gradients = dict(self.pieces(trained, self.gradient))
        self.moments = {name: np.zeros(size, np.float32) for name in self.moments_of}
        self.clock = np.array([self.seed, 0])
        shapes = {**self.inputs, **{f"{name}.target": shape for name, shape in self.targets.items()}}
        feeds = {name: np.zeros((self.batch, *shape), np.float32) for name, shape in shapes.items()}
        self.lesson, _, self.c, self.q = self.bound(self.training, feeds, {}, self.gradients, clock=self.clock)

    def learn(self, x: Any, y: Any, rate: float | None = None) -> float:
        """One step on `batch` images; the mean cost before it.

        y holds classes, or numbers of the output's shape.
        """
        images, answers = self.seen(x), self.by_name(y, self.targets)
        with self.turn:
            for name, values in images.items():
                self.lesson[name][...] = values
            for name, values in answers.items():
                target = self.lesson[f"{name}.target"]
                target[...] = values if values.shape == target.shape else self.one_hot(values, target)
            self.clock[1] += 1
            run(self.training.forward(self.c, self.q))
            if self.training.backward is not None:
                run(self.training.backward(self.c, self.q, self.c.gradients))
            cost = float(self.c.costs.sum())
            if np.isfinite(cost):
                self.step(self.optimiser.lr if rate is None else rate)
        return cost

    def one_hot(self, classes: np.ndarray, like: np.ndarray) -> np.ndarray:
        found = np.moveaxis(np.eye(like.shape[1], dtype=like.dtype)[classes], -1, 1)
        if found.shape != like.shape:
            raise ValueError(f"{self.batch} targets belong to a step, got {classes.shape}")
        return found

    def step(self, rate: float) -> None:
        """The optimiser, piece by piece, so that a few arrays' pieces fit into a cache together."""
        p, g = self.flat[True], self.gradient
        self.fresh = True
        scalars = {
            name: np.float32(value) for name, value in self.optimiser.scalars(int(self.clock[1]), rate).items()
        }
        cuts = [slice(start, min(start + self.chunk, p.size)) for start in range(0, p.size, self.chunk)]
        if self.optimiser.clip is not None:
            squares = np.array([np.vdot(g[cut], g[cut]) for cut in cuts], np.float64)
            scalars["scale"] = np.float32(clip_scale(float(squares.sum()), self.optimiser.clip))
        t, u = np.empty(self.chunk, np.float32), np.empty(self.chunk, np.float32)
        for cut in cuts:
            size = cut.stop - cut.start
            moments = {name: array[cut] for name, array in self.moments.items()}
            self.update(p=p[cut], g=g[cut], t=t[:size], u=u[:size], **moments, **scalars)
        if self.training.update_statistics is not None:
            self.training.update_statistics(self.c, self.q)


def printable(text: str) -> str:
    """A class's name, which an author chose, without what a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)


def main(network: Network, arguments: list[str]) -> None:
    """Classify the images of an npy file: `python net.py images.npy`."""
    if len(arguments) != 1 or len(network.inputs) != 1:
        raise SystemExit("usage: python net.py images.npy   (one array: (n, c, h, w) or a single image)")
    x = np.load(arguments[0], allow_pickle=False)
    (shape,) = network.inputs.values()
    axes = len(shape) + 1 if network.prepare is None else len(network.prepare.order) - (-1 in network.prepare.order)
    if x.ndim == axes - 1:
        x = x[None]
    if network.prepare is None and x.dtype == np.uint8:
        x = x / np.float32(255)
    elif network.prepare is not None and not network.prepares:
        x = network.prepare(x)
    classes = network.prepare.classes if network.prepare is not None else ()
    outputs = network.by_name(network(x), network.outputs)
    for i in range(len(x)):
        print(f"{i}  {', '.join(answer(name, values[i], classes) for name, values in outputs.items())}")


def answer(name: str, values: np.ndarray, classes: tuple[str, ...] | None) -> str:
    """An output for one image in words: its class, where it speaks of classes; () are classes without names."""
    row = values.reshape(-1)
    if classes is not None and row.size > 1 and row.size == len(classes or row) == len(values):
        best = int(row.argmax())
        return f"{name}: class {printable(classes[best] if classes else str(best))} ({row[best]:.4f})"
    if classes and len(classes) == 2 and row.size == 1:  # the share that speaks for the second
        yes = float(row[0])
        return f"{name}: class {printable(classes[yes > 0.5])} ({max(yes, 1 - yes):.4f})"
    return f"{name}: {np.array2string(row, precision=4, threshold=8)}"
