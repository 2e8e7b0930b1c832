"""JavaScript modules against the definitions and the NumPy engine, in float64."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
import scripts
from networks import STRUCTURES, engine_for, examples, outputs_of, values_for

from cnnspec.api import read_spec
from cnnspec.codegen.evaluate import evaluate
from cnnspec.diagnostics import SpecError
from cnnspec.passes import run
from cnnspec.passes.activation_gradients import Flat
from cnnspec.resources import spec_files
from cnnspec.targets.js import lines
from cnnspec.targets.js.module import LOOK, looked_at, module_source
from cnnspec.words.conv import Conv

SIDES = """
    input 2x8x9
    conv 3x3x3 pad 0x1x2x1 -> maxpool 2 pad 1x0x1x1 -> pad 1x2x0x1 mode reflect -> upconv 3x2x2 stride 2
      -> dense 4 -> softmax"""
TEXTS = {**examples(), **STRUCTURES, "sides": SIDES}
CLOSE = {"rtol": 1e-9, "atol": 1e-9}


@pytest.fixture(scope="module")
def predicted(tmp_path_factory):
    """What each network gives in JavaScript, and in NumPy."""
    scripts.need_node()
    jobs, wanted = [], []
    for text in TEXTS.values():
        spec = read_spec(text=text)
        engine = engine_for(spec.graph)
        given = values_for(spec.graph)
        calls = [["predict", given]]
        jobs.append(scripts.job(module_source(spec, engine.parameters), engine.parameters, calls, dtype="float64"))
        wanted.append(dict(zip(spec.graph.outputs, outputs_of(engine, given), strict=True)))
    found = scripts.run(tmp_path_factory.mktemp("predicted"), jobs)
    return dict(zip(TEXTS, zip(found, wanted, strict=True), strict=True))


@pytest.mark.parametrize("name", TEXTS)
def test_predicts_as_numpy(predicted, name):
    (found,), wanted = predicted[name]
    assert found.keys() == wanted.keys()
    for output, values in wanted.items():
        np.testing.assert_allclose(found[output], values.reshape(-1), **CLOSE)


def judged(graph, values):
    """Targets of a graph with costs: classes as rows with a single 1 where there are some, else numbers."""
    generator = np.random.default_rng(2)
    found = {}
    for name in [name for name in graph.nodes if name.endswith(".target")]:
        kind, n = graph.type(name), len(next(iter(values.values())))
        classes = generator.integers(0, kind["c"], (n, *kind.spatial))
        hot = np.moveaxis(np.eye(kind["c"])[classes], -1, 1)
        found[name] = hot if kind["c"] > 1 else generator.random((n, *kind.shape))
    return found


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """Every value and gradient of each network, in JavaScript and by the definitions; image 1 of 3."""
    scripts.need_node()
    jobs, wanted = [], []
    for text in TEXTS.values():
        spec = read_spec(text=text)
        parameters = engine_for(spec.graph).parameters
        graph = run(looked_at(spec), LOOK)
        given = values_for(spec.graph)
        targets = judged(graph, given)
        flat = {node.name: np.zeros((3, *node.type.shape)) for node in graph if isinstance(node.op, Flat)}
        known = evaluate(graph, {**parameters, **given, **targets, **flat})
        words = [*spec.graph.nodes]
        values, slopes = graph.outputs[: len(words)], graph.outputs[len(words) :]
        cost = float(known[graph.cost])
        expected = [cost, *(known[name][1] for name in (*values, *slopes))]
        expected += [known[value] for value in graph.gradients.values()]
        calls = [["look", given, {name.removesuffix(".target"): t for name, t in targets.items()}]]
        calls += [["value", word, 1] for word in words] + [["gradient", word, 1] for word in words]
        calls += [["gradient", parameter] for parameter in graph.gradients]
        source = module_source(spec, parameters, look=True)
        jobs.append(scripts.job(source, parameters, calls, dtype="float64"))
        wanted.append((calls, expected))
    found = scripts.run(tmp_path_factory.mktemp("looked"), jobs)
    return dict(zip(TEXTS, zip(found, wanted, strict=True), strict=True))


@pytest.mark.parametrize("name", TEXTS)
def test_shows_every_value_and_every_gradient(looked, name):
    found, (calls, expected) = looked[name]
    for call, mine, values in zip(calls, found, expected, strict=True):
        flat = np.reshape(values, -1 if np.ndim(values) else ())
        np.testing.assert_allclose(mine, flat, **CLOSE, err_msg=str(call[:2]))


def test_a_word_that_nobody_has_written_is_refused(monkeypatch):
    monkeypatch.setattr(lines, "LINES", {})
    spec = read_spec(text="input 1x5x5\nconv 2x3x3 bias off\n")
    assert isinstance(spec.graph["conv1"].op, Conv)
    with pytest.raises(SpecError) as caught:
        module_source(spec, {})
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "CNN556" and diagnostic.span.text == "conv 2x3x3 bias off"


DECLARED = re.compile(r"^(?:export )?(?:async )?function\*? (\w+)", re.MULTILINE)
NO_CODE = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


@pytest.mark.parametrize("name", ["digits", "lenet5", "resnet20", "siamese"])
def test_a_module_has_no_function_that_nothing_calls(name):
    """A local variable or an option may be called as a function of the kernels is."""
    (path,) = spec_files(f"{name}.cnn")
    source = NO_CODE.sub("", module_source(read_spec(path), {}, train=True))
    declared = DECLARED.findall(source)
    settings = source.partition("const TABLES")[2]
    idle = [name for name in declared if len(re.findall(rf"(?<![\w$]){re.escape(name)}\(", source)) < 2]
    assert idle and len(declared) > 20
    assert [name for name in idle if f"{name}," not in settings] == []


# what lines.py reads of each primitive: a field that comes to one must be followed there, and then here
FIELDS = {
    "geometry groups polyphase moments dense at_once": "Convolve",
    "geometry groups x by_taps dense by_phase": "ConvolveInputGradient",
    "geometry groups w polyphase at_once dense": "ConvolveFilterGradient",
    "relu": "AddBias",
    "part": "Multiply",
    "made": "ChannelSum PixelSum",
    "x": "MultiplyInputGradient GlobalMeanGradient",
    "w": "MultiplyWeightGradient",
    "size": "Maxout MaxoutGradient Shuffle RadixSoftmax",
    "which": "MaxGradient",
    "by": "Scale",
    "start stop made": "Channels",
    "start made": "PlaceChannels",
    "geometry": "MaxWindowsGradient",
    "geometry saves": "MaxWindows",
    "geometry count_pad": "MeanWindows",
    "geometry count_pad x": "MeanWindowsGradient",
    "before made": "ZeroPad Slice",
    "factors": "Enlarge",
    "factors back": "PixelShuffle",
    "channels": "RepeatChannels",
    "parts": "RadixSoftmaxGradient",
    "factors made": "EnlargeGradient",
    "down across": "BlendPixels",
    "eps relu": "Normalise",
    "eps": "ResponseNorm ResponseNormGradient "
    "NormaliseGradient BatchNormSums ReluBatchNormSums FoldFilters FoldBias",
    "eps relu summed": "BatchNorm",
    "eps by_rows": "BatchNormGradient",
    "momentum pixels": "Blend",
    "eps groups": "Standardise StandardiseGradient",
    "size alpha beta k": "Lrn LrnGradient",
    "rate whole": "Drop",
    "weight smoothing": (
        "CrossEntropyLoss CrossEntropyLossGradient NegativeLogLikelihood "
        "NegativeLogLikelihoodGradient SoftmaxCrossEntropy"
    ),
    "weight": (
        "BinaryCrossEntropyLoss BinaryCrossEntropyLossGradient SigmoidCrossEntropy "
        "SquaredError AbsoluteError AbsoluteErrorGradient"
    ),
    "weight smoothing factor mean": "ScaledDifference",
    "weight delta": "HuberError HuberErrorGradient",
    "weight margin": "HingeError HingeErrorGradient",
    "of": "Flat",
}


def test_no_field_of_a_primitive_is_overlooked():
    known = {name: fields.split() for fields, names in FIELDS.items() for name in names.split()}
    for op in lines.LINES:
        fields = [field.name for field in dataclasses.fields(op)] if dataclasses.is_dataclass(op) else []
        assert fields == known.get(op.__name__, []), f"lines.py must follow {op.__name__}"
