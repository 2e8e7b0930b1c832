"""A small model and small data for the tests of what stands around a model: softmax regression with momentum."""

from __future__ import annotations

import numpy as np

from cnnspec.train.checkpoints import Stamp
from cnnspec.train.loop import TrainingConfig
from cnnspec.train.measures import Confusion

SPEC = "input 6\ndense 3 -> softmax\ntrain { optimiser sgd lr 0.2 momentum 0.9 }\n"
STAMP = Stamp(SPEC)
SETTINGS = {"set": [], "shards": 1}


class Tiny:
    """Two parameters with moments, noise of its own (as dropout has), and a rate that falls."""

    dtype = "float64"
    scales = False

    def __init__(self, seed=0, classes=True):
        generator = np.random.default_rng(seed)
        self.parameters = {"dense1.weight": generator.normal(size=(3, 6)), "dense1.bias": np.zeros(3)}
        self.moments = {name: np.zeros_like(values) for name, values in self.parameters.items()}
        self.steps, self.first_step, self.total_steps, self.steps_per_epoch = 0, 0, 1, 1
        self.classes = classes
        self.poison = None  # a step at which something breaks

    @property
    def rate(self):
        return 0.2 * (1 - self.steps / self.total_steps)

    @property
    def state(self):
        moments = {f"m/{name}": values for name, values in self.moments.items()}
        return {**moments, "steps": np.array(self.steps)}

    def load_state(self, state):
        self.moments = {name: state[f"m/{name}"].copy() for name in self.moments}
        self.steps = int(state["steps"])

    def activations(self, x):
        dense = x @ self.parameters["dense1.weight"].T + self.parameters["dense1.bias"]
        with np.errstate(all="ignore"):
            e = np.exp(dense - dense.max(axis=1, keepdims=True))
            return {"dense1": dense, "softmax1": e / e.sum(axis=1, keepdims=True)}

    def gradients(self, x, y):
        d = (self.activations(x)["softmax1"] - np.eye(3)[y]) / len(x)
        return {"dense1.weight": d.T @ x, "dense1.bias": d.sum(axis=0)}

    def measure(self, x, y):
        p = self.activations(x)["softmax1"]
        right = int((p.argmax(axis=1) == y).sum()) if self.classes else None
        return float(-np.log(p[np.arange(len(y)), y]).mean()), right

    def tally(self):
        return Tally(self)

    def ready(self, x, y):
        def begin():
            found = self.learn(x, y)
            return lambda: found

        return begin

    def learn(self, x, y):
        x = x * (1 + 0.01 * np.random.default_rng((7, self.steps)).normal(size=x.shape))
        cost, right = self.measure(x, y)
        if self.poison == self.steps + 1:
            cost = float("nan")
        if np.isfinite(cost):
            rate = self.rate
            for name, g in self.gradients(x, y).items():
                m = self.moments[name]
                m[...] = 0.9 * m + g
                self.parameters[name] = self.parameters[name] - rate * m
            self.steps += 1
        return cost, right


class Tally:
    """Counts what its model measures."""

    def __init__(self, model):
        self.model, self.confusion = model, Confusion(3, masks=False)

    def add(self, x, y):
        self.confusion.add(y, self.model.activations(x)["softmax1"])
        return self.model.measure(x, y)

    def measures(self):
        return self.confusion.measures() if self.model.classes else None


class Blobs:
    """Three clouds of points with batches as `data.Split` gives them."""

    def __init__(self, count=50, seed=1):
        generator = np.random.default_rng(seed)
        self.y = generator.integers(0, 3, count)
        self.x = generator.normal(size=(count, 6)) + 2 * np.eye(3, 6)[self.y]

    def __len__(self):
        return len(self.x)

    def batches(self, batch, *, seed=0, epoch=0, shuffle=False, augment=(), start=0, stored=False, dtype="float32"):
        order = np.arange(len(self))
        if shuffle:
            order = np.random.default_rng((seed, epoch)).permutation(len(self))
        for at in range(start * batch, len(self), batch):
            chosen = order[at : at + batch]
            yield self.x[chosen].astype(dtype), self.y[chosen]


COURSE = TrainingConfig(epochs=4, batch=8, seed=3)


def same(a, b):
    """Whether two models agree in every bit."""
    left, right = ({**model.parameters, **model.state} for model in (a, b))
    return left.keys() == right.keys() and all(np.array_equal(left[key], right[key]) for key in left)
