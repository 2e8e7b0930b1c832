"""Layers and functions of Keras, watched: after each call the same by our plan."""

from __future__ import annotations

import functools
import inspect
import zlib

import keras
import numpy as np
import torch
from keras.src import backend
from keras.src.backend.common.keras_tensor import KerasTensor
from keras.src.layers.layer import Layer

from . import said as plans
from .functions import FUNCTIONS, NO_WORD
from .layers import BY_DECISION, LAYERS
from .record import LEDGER, Record
from .said import NotComparable, Said
from .training import normalised_batch

CHANCE = ("Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise")
MASKED = (
    "GlobalAveragePooling1D", "BatchNormalization", "Softmax", "Add", "Average", "Concatenate", "Maximum",
    "Minimum", "Multiply", "Subtract",
)  # fmt: skip
MOST = 2_000_000  # numbers of an array


def numbers(value) -> np.ndarray:
    """An array of Keras, of its variables, or of NumPy."""
    if isinstance(value, (np.ndarray, np.generic, float, int)):
        return np.asarray(value)
    if isinstance(value, KerasTensor):
        return np.zeros(sizes(value))
    if isinstance(value, torch.Tensor) and (value.device.type == "meta" or value.is_sparse):
        raise NotComparable("sparse or placeholder arrays")
    return np.asarray(keras.ops.convert_to_numpy(value))


def sizes(tensor) -> tuple[int, ...]:
    """The shape of a symbolic tensor, 2 for the batch where it is open."""
    shape = tuple(tensor.shape)
    if not shape or None in shape[1:]:
        raise NotComparable("a symbolic shape with open sizes")
    return (shape[0] or 2, *shape[1:])


def symbolic(value) -> bool:
    return isinstance(value, KerasTensor)


def array_like(value) -> bool:
    return isinstance(value, (np.ndarray, torch.Tensor, KerasTensor, backend.Variable))


def arrays(inputs) -> list:
    """The arrays that a layer is called with, a list for several."""
    found = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    for value in found:
        if not array_like(value):
            raise NotComparable("inputs that are not arrays")
        if isinstance(value, torch.Tensor) and (value.device.type == "meta" or value.is_sparse):
            raise NotComparable("sparse or placeholder arrays")
        if isinstance(value, KerasTensor) and value.sparse:
            raise NotComparable("sparse or placeholder arrays")
    if any(not symbolic(value) and np.prod(tuple(value.shape)) > MOST for value in found):
        raise NotComparable("a large array")
    return found


def plain_result(result) -> None:
    if not array_like(result):
        raise NotComparable("a result that is not one array")
    if backend.standardize_dtype(result.dtype) not in ("float32", "float64"):
        raise NotComparable("numbers that are not float32 or float64")


def compare(record: Record, what: str, said: Said, result, symbol: bool) -> None:
    """Values, or shapes where the call was of symbols."""
    if symbol:
        theirs = sizes(result)
        ours = plans.shape(said)
        difference = "" if ours == theirs else f"{ours}, and {theirs} in Keras: {said.text()}"
        LEDGER.note(record, "shapes", what, difference)
        return
    difference = plans.apart(plans.values(said, numbers), numbers(result), said.tolerance)
    LEDGER.note(record, "values", what, difference and f"{difference}: {said.text()}")


def slopes(record: Record, what: str, build, call, x: np.ndarray, variables) -> None:
    """Gradients where x is drawn: of the input, and of variables (by our names)."""
    drawn = np.random.default_rng(zlib.crc32(what.encode()))
    x = drawn.normal(size=x.shape)
    said: Said = build(x)
    if not said.smooth or len(said.given) != 1 or x.size > 5_000:
        return
    wanted = []
    ours, of_weights = plans.gradients(said, numbers, wanted.append, drawn)
    given = torch.tensor(x, dtype=torch.float32, requires_grad=True)
    with torch.enable_grad():
        cost = ((call(given) - torch.tensor(wanted[0].copy(), dtype=torch.float32)) ** 2).mean()
        names = [name for name, value in said.weights.items() if trained(value[0])] if variables else []
        tensors = [said.weights[name][0].value for name in names]
        found = torch.autograd.grad(cost, [given, *tensors])
    _, inward = said.given[0]
    theirs = inward(found[0].numpy())
    difference = plans.apart(ours, theirs.reshape(len(theirs), -1).sum(axis=0), said.tolerance)
    LEDGER.note(record, "gradients", what, difference and f"{difference}: {said.text()}")
    for name, gradient in zip(names, found[1:], strict=True):
        difference = plans.apart(of_weights[name], said.weights[name][1](gradient.numpy()), said.tolerance)
        LEDGER.note(record, "gradients", what, difference and f"{name}: {difference}: {said.text()}")


def trained(value) -> bool:
    return isinstance(value, backend.Variable) and value.trainable and value.value.requires_grad


# ---- layers ------------------------------------------------------------------------------------------

TRAINING: dict[int, object] = {}  # of a layer whose call is under way: whether it trains


def layer_called(record: Record, layer: Layer, inputs, options, before, result) -> None:
    kind = type(layer).__name__
    if kind in BY_DECISION:
        raise NotComparable(BY_DECISION[kind])
    if kind not in LAYERS or not type(layer).__module__.startswith("keras.src"):
        return
    given = arrays(inputs)
    plain_result(result)
    if layer.compute_dtype not in ("float32", "float64"):
        raise NotComparable("numbers that are not float32 or float64")
    if getattr(layer, "quantization_mode", None):
        raise NotComparable("quantised weights")
    masks = [options.get("mask"), *(backend.get_keras_mask(x) for x in given if not symbolic(x))]
    if kind in MASKED and any(mask is not None for mask in masks):
        raise NotComparable("masks of time steps")
    if set(options) - {"training", "mask"}:
        raise NotComparable("options of a call")
    symbol = any(symbolic(x) for x in [*given, result])
    training = bool(TRAINING.get(id(layer)))
    if training and not symbol:
        if kind in CHANCE and (getattr(layer, "rate", 0) or getattr(layer, "stddev", 0)):
            raise NotComparable("chance")
        if kind == "BatchNormalization" and layer.trainable:
            for name, difference in normalised_batch(layer, numbers(given[0]), numbers(result), before):
                LEDGER.note(record, name, kind, difference)
            return
    values = [numbers(x) for x in given]
    if any(x.size == 0 for x in values):
        raise NotComparable("an array without numbers")
    said = LAYERS[kind](layer, *values)
    compare(record, kind, said, result, symbol)
    if not symbol and len(given) == 1 and kind not in CHANCE and getattr(layer, "call", None):
        slopes(record, kind, lambda x: LAYERS[kind](layer, x), layer.call, numbers(given[0]), variables=True)


def watch_layers() -> None:
    original = Layer.__call__

    @functools.wraps(original)
    def called(self, *args, **kwargs):
        kind = type(self).__name__
        if LEDGER.now is None or LEDGER.busy or (kind not in LAYERS and kind not in BY_DECISION):
            return original(self, *args, **kwargs)
        before = ()
        if kind == "BatchNormalization" and self.built:
            before = (numbers(self.moving_mean).copy(), numbers(self.moving_variance).copy())
        TRAINING.pop(id(self), None)
        LEDGER.busy = True
        try:
            result = original(self, *args, **kwargs)
        finally:
            LEDGER.busy = False
        inputs = args[0] if args else kwargs.get("inputs")
        options = {k: v for k, v in kwargs.items() if k != "inputs"} | ({"others": args[1:]} if args[1:] else {})
        LEDGER.compare(kind, lambda record: layer_called(record, self, inputs, options, before, result))
        return result

    Layer.__call__ = called
    for name in (*CHANCE, "BatchNormalization"):
        watch_training(getattr(keras.layers, name))


def watch_training(cls) -> None:
    """Remember whether a layer that differs in training is called as in training."""
    original = cls.call

    @functools.wraps(original)
    def call(self, inputs, *args, **kwargs):
        bound = inspect.signature(original).bind(self, inputs, *args, **kwargs).arguments
        TRAINING[id(self)] = bound.get("training")
        return original(self, inputs, *args, **kwargs)

    cls.call = call


# ---- functions ------------------------------------------------------------------------------------------


def function_called(record: Record, name: str, signature, original, args, kwargs, result) -> None:
    if name in NO_WORD:
        raise NotComparable(f"no word for {name}")
    call = signature.bind(*args, **kwargs)
    call.apply_defaults()
    bound = call.arguments
    bound.update(bound.pop("kwargs", {}))
    first, *_ = bound
    given = arrays(bound[first])
    if len(given) != 1 or isinstance(bound[first], (list, tuple)):
        raise NotComparable("inputs that are not arrays")
    plain_result(result)
    symbol = symbolic(given[0]) or symbolic(result)
    settings = {}
    for key, value in bound.items():
        if key == first:
            continue
        settings[key] = numbers(value) if array_like(value) and not np.isscalar(value) else value
        if isinstance(value, (torch.Tensor, np.ndarray)) and value.ndim == 0:
            settings[key] = float(value)
    parameters = signature.parameters
    if "data_format" in parameters and settings.get("data_format") is None:
        default = parameters["data_format"].default
        settings["data_format"] = default or backend.image_data_format()
    x = numbers(given[0])
    if x.size == 0:
        raise NotComparable("an array without numbers")

    def build(values) -> Said:
        return FUNCTIONS[name](values, **settings)

    compare(record, name, build(x), result, symbol)
    if not symbol:
        rest = {
            key: torch.tensor(numbers(value), dtype=torch.float32) if array_like(value) and value.ndim else value
            for key, value in bound.items()
            if key != first
        }
        slopes(record, name, build, lambda t: original(t, **rest), x, variables=False)


def watch_functions(module) -> None:
    for name in (*FUNCTIONS, *NO_WORD):
        original = getattr(module, name, None)
        if original is not None and inspect.isfunction(original):
            setattr(module, name, watched_function(name, original))


def watched_function(name: str, original):
    signature = inspect.signature(original)

    @functools.wraps(original)
    def called(*args, **kwargs):
        result = original(*args, **kwargs)
        LEDGER.compare(
            name, lambda record: function_called(record, name, signature, original, args, kwargs, result)
        )
        return result

    return called
