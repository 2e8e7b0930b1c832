"""The standard's own node tests, on our plans: `python tests/targets/test_onnx_backend.py` prints the table."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
from onnx import numpy_helper  # noqa: E402
from onnx.backend import test as standard  # noqa: E402
from onnx.backend.test.runner import BackendIsNotSupposedToImplementIt  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from cnnspec.targets.onnx import backend as onnx_backend  # noqa: E402

SCOPE = (
    *("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Gemm", "Softmax"),
    *("LpPool", "MatMul"),
    *("LogSoftmax", "Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu", "Swish", "HardSwish", "Mish"),
    *("Sigmoid", "HardSigmoid", "Tanh", "Softplus", "Softsign", "Clip", "BatchNormalization", "LayerNormalization"),
    *("GroupNormalization", "InstanceNormalization", "LRN", "Dropout", "Flatten", "Reshape", "Concat", "Split"),
    *("Slice", "Pad", "Resize", "Upsample", "Add", "Sub", "Neg", "Sum", "Mul", "Max", "Min", "Mean", "Div"),
    *("Abs", "DepthToSpace", "SpaceToDepth", "ReduceMax", "ReduceMean", "ReduceSum", "ReduceMin", "ReduceL1"),
    *("ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp", "Exp", "Log", "Sqrt", "Reciprocal", "Pow"),
    *("Shrink", "ThresholdedRelu", "RMSNormalization", "MeanVarianceNormalization", "Transpose", "Squeeze"),
    *("Unsqueeze", "Expand", "CenterCropPad", "Identity"),
    "SoftmaxCrossEntropyLoss",
    *("NegativeLogLikelihoodLoss", "Adam", "Adagrad", "Momentum"),
)
STRICT = 1e-5


def cases(everything=False):
    """The node tests of operators in scope; only their modules are imported, for all of them take long.

    An operator that the standard defines by others is tested as these as well: `..._expanded`.
    """
    import onnx.backend.test.case.node as node
    from onnx.backend.test.case.node import _NodeTestCases

    wanted = {operator.lower() for operator in SCOPE}
    for module in pkgutil.iter_modules(node.__path__):
        if everything or module.name.replace("_", "") in wanted or module.name in MODULES:
            importlib.import_module(f"{node.__name__}.{module.name}")
    return {case.name: case for case in _NodeTestCases if everything or wanted & {*scopes(case)}}


def scopes(case):
    """The operators that a case may be of, in lower case: its own, or that which the names of its values tell."""
    kinds = [node.op_type for node in case.model.graph.node]
    own = kinds if len(kinds) == 1 else [case.model.graph.node[0].output[0].partition("_")[0]]
    return [kind.lower() for kind in own]


MODULES = {
    *("pool_op_common", "softmaxcrossentropy", "negativeloglikelihoodloss", "groupnormalization", "reduce_l1"),
    *("reduce_l2", "reduce_log_sum", "reduce_log_sum_exp", "reduce_sum_square"),
}


def judge(model, data_sets, rtol, atol):
    """`passed`, or why it is out of scope; whatever differs fails."""
    for inputs, expected in data_sets:
        try:
            made = onnx_backend.prepare(model).run(inputs)
        except BackendIsNotSupposedToImplementIt as beyond:
            return str(beyond)
        assert len(made) == len(expected)
        exact = None
        for k, (ours, theirs) in enumerate(zip(made, expected, strict=True)):
            assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)
            if not np.allclose(
                ours, theirs, rtol=STRICT, atol=1e-6
            ):  # some expectations are written to four digits
                exact = exact or ReferenceEvaluator(model).run(None, dict(zip(names(model), inputs, strict=True)))
                np.testing.assert_allclose(ours, exact[k], rtol=STRICT, atol=1e-6)
    return "passed"


def names(model):
    return [entry.name for entry in model.graph.input]


def array(value):
    if isinstance(value, (list, tuple)):
        return [array(part) for part in value]
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)


def results(everything=False):
    """The verdict of each node test, by operator and name."""
    found = {}
    for name, case in cases(everything).items():
        sets = [([array(x) for x in inputs], [array(y) for y in outputs]) for inputs, outputs in case.data_sets]
        kinds = [node.op_type for node in case.model.graph.node]
        found[" ".join(kinds), name] = attempt(case.model, sets, case.rtol, case.atol)
    return found


def attempt(*case):
    try:
        return judge(*case)
    except Exception as error:
        return f"failed: {type(error).__name__} {' '.join(str(error).split())[:200]}"


def converted(pattern):
    """The cases of the pytorch-converted set whose names match: a model and its tensors in files."""
    folder = Path(standard.__file__).parent / "data" / "pytorch-converted"
    for path in sorted(folder.glob(pattern)):
        model = onnx.load(path / "model.onnx")
        tensors = []
        for kind in ("input", "output"):
            files = sorted(
                (path / "test_data_set_0").glob(f"{kind}_*.pb"), key=lambda file: int(file.stem[len(kind) + 1 :])
            )
            tensors.append([array(onnx.load_tensor(file)) for file in files])
        yield path.name, model, [tuple(tensors)]


def count(verdicts):
    kinds = (
        "failed" if v.startswith("failed") else "passed" if v == "passed" else "out of scope" for v in verdicts
    )
    found = Counter(kinds)
    return ", ".join(f"{found[kind]} {kind}" for kind in ("passed", "failed", "out of scope"))


def table(found):
    """How many pass; what is out of scope by its reason, the most frequent first."""
    kinds = {}
    for (_, name), verdict in found.items():
        if verdict != "passed":
            reason = re.sub(r"`\w*` holds|the input \w* ", "an input holds", re.sub(r" \([^)]*\)", "", verdict))
            kinds.setdefault(re.sub(r"\d+", "#", reason), []).append(name)
    lines = [
        f"{len(names):>5}  {reason}\n       {', '.join(names[:3])}{' ...' * (len(names) > 3)}"
        for reason, names in sorted(kinds.items(), key=lambda kind: -len(kind[1]))
    ]
    return "\n".join([*lines, count(found.values())])


@pytest.fixture(scope="module")
def found():
    return results()


def test_every_node_test_in_scope_passes(found):
    """At the standard's tolerance, and again at a relative 1e-5."""
    assert not any(verdict.startswith("failed") for verdict in found.values()), table(found)
    passed = Counter(operator for (operator, _), verdict in found.items() if verdict == "passed")
    # those whose cases are all of a form that no word has: Pad's pad by numbers, or by the other side
    assert set(SCOPE) - set(passed) <= {"Pad", "Swish", "RMSNormalization", "ReduceLogSum"}
    assert sum(passed.values()) >= 500


@pytest.mark.slow
def test_no_node_test_at_all_fails():
    found = results(everything=True)
    assert not [name for (_, name), verdict in found.items() if verdict.startswith("failed")], table(found)
    assert sum(verdict != "passed" for verdict in found.values()) < 1300


@pytest.mark.parametrize(("name", "model", "sets"), list(converted("*Conv*2d*")), ids=lambda value: str(value)[:40])
def test_convolutions_of_the_pytorch_converted_set(name, model, sets):
    assert judge(model, sets, 1e-3, 1e-7) == "passed"


def test_the_converted_set_fails_nowhere():
    verdicts = {name: attempt(model, sets, 1e-3, 1e-7) for name, model, sets in converted("*")}
    assert not [name for name, verdict in verdicts.items() if verdict.startswith("failed")]
    assert sum(verdict == "passed" for verdict in verdicts.values()) >= 40


def test_a_single_node_runs():
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    x = np.array([[-1.0, 2.0]], np.float32)
    (y,) = onnx_backend.run_node(node, [x])
    np.testing.assert_array_equal(y, [[0, 2]])


def test_models_with_unknown_operators_are_known_beforehand():
    known, unknown = (onnx.helper.make_node(kind, ["x"], ["y"]) for kind in ("Relu", "Sin"))
    kinds = [onnx.helper.make_tensor_value_info(name, 1, ["n", 3]) for name in "xy"]
    for node, verdict in ((known, True), (unknown, False)):
        model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", kinds[:1], kinds[1:]))
        assert onnx_backend.is_compatible(model) is verdict
    assert onnx_backend.supports_device("CPU") and not onnx_backend.supports_device("CUDA")


@pytest.mark.slow
def test_onnx_runs_it_by_its_own_runner(monkeypatch, capsys):
    """The standard's runner finds nothing to complain of either, in all of its node tests."""
    import sys
    import unittest

    monkeypatch.setattr(sys, "argv", ["runner", "-v"])  # then it tells what it skips
    kinds = standard.BackendTest(onnx_backend, "node_tests").test_cases["OnnxBackendNodeModelTest"]
    names = [name for name in dir(kinds) if name.startswith("test_") and name.endswith("_cpu")]
    outcome = unittest.TestResult()
    unittest.TestSuite(kinds(name) for name in names).run(outcome)
    assert outcome.testsRun == len(names) > 1800
    assert not outcome.failures and not outcome.errors
    assert capsys.readouterr().out.count("is effectively skipped") < 0.7 * len(names)


if __name__ == "__main__":
    print(table(results(everything=True)))
    print("pytorch-converted")
    for name, model, sets in converted("*"):
        print(f"    {name}: {attempt(model, sets, 1e-3, 1e-7)}")
