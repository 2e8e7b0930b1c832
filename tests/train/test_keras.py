"""Weights that Keras wrote: each form of its files, against a network whose numbers are known; what is refused."""

from __future__ import annotations

import io
import json
import os
import zipfile

import numpy as np
import pytest

import cnnspec
from cnnspec.diagnostics import SpecError
from cnnspec.train import tensors, weights
from cnnspec.train.keras import Layers, fitted, of_names

TEXT = """\
input 3x9x8
conv 4x3x2 -> bn eps 1e-3 -> relu -> dwconv 3x3 pad same -> conv 5x1x1 bias off -> prelu
  -> upconv 6x2x3 stride 2 -> conv 4x3x3 stride 2 -> flatten -> bn eps 1e-3 -> dropout 0.5 -> dense 7 -> relu
  -> dense 3 -> softmax
"""
DESCRIBED = (  # as Keras would write the same network down
    ("Conv2D", "first", {"use_bias": True}),
    ("BatchNormalization", "second", {"epsilon": 1e-3}),
    ("ReLU", "third", {}),
    ("DepthwiseConv2D", "fourth", {}),
    ("Conv2D", "fifth", {"use_bias": False}),
    ("PReLU", "sixth", {}),
    ("Conv2DTranspose", "seventh", {}),
    ("Conv2D", "eighth", {}),
    ("Flatten", "ninth", {}),
    ("BatchNormalization", "tenth", {"epsilon": 1e-3}),
    ("Dense", "eleventh", {}),
    ("Dense", "twelfth", {}),
)
GROUPS = (  # the same by the names that its newer files make of the classes
    "conv2d", "batch_normalization", "re_lu", "depthwise_conv2d", "conv2d_1", "p_re_lu", "conv2d_transpose",
    "conv2d_2", "flatten", "batch_normalization_1", "dense", "dense_1",
)  # fmt: skip
OURS = ("conv1", "bn1", "", "dwconv1", "conv2", "prelu1", "upconv1", "conv3", "", "bn2", "dense1", "dense2")
IMAGE = (4, 6, 7)  # what is flattened


@pytest.fixture
def model():
    made = cnnspec.compile(text=TEXT, seed=3)
    draw = np.random.default_rng(5)
    for name, values in made.parameters.items():
        made.parameters[name] = draw.uniform(0.5, 2, values.shape)
    return made


def flat(values):
    """Features in the order (c, h, w) in the order (h, w, c)."""
    return np.moveaxis(values.reshape(*values.shape[:-1], *IMAGE), -3, -1).reshape(values.shape)


def variables(model, name):
    """The arrays of a layer as Keras has them, in its order; written by hand, tap by tap."""
    p = {key.rpartition(".")[2]: values for key, values in model.parameters.items() if key.startswith(f"{name}.")}
    if name.startswith("bn"):
        keep = flat if name == "bn2" else lambda values: values
        return [keep(p[key]) for key in ("weight", "bias", "running_mean", "running_var")]
    w = p["weight"]
    if name == "prelu1":
        return [w.reshape(1, 1, -1)]
    if name.startswith("dense"):
        w = flat(w) if w.shape[1] == np.prod(IMAGE) else w
        return [w.T, p["bias"]]
    kernel = np.empty((*w.shape[2:], *((w.shape[0], 1) if name == "dwconv1" else w.shape[1::-1])))
    for u in range(w.shape[2]):
        for v in range(w.shape[3]):
            kernel[u, v] = w[:, :, u, v] if name == "dwconv1" else w[:, :, u, v].T
    return [kernel, *([p["bias"]] if "bias" in p else [])]


KINDS = {
    "Conv2D": ("kernel", "bias"), "Conv2DTranspose": ("kernel", "bias"), "Dense": ("kernel", "bias"),
    "DepthwiseConv2D": ("depthwise_kernel", "bias"), "PReLU": ("alpha",),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
}  # fmt: skip


def newer(model, file):
    h5py = pytest.importorskip("h5py", reason="HDF5 is read by h5py, which is not installed")
    with h5py.File(file, "w") as opened:
        for group, ours in zip(GROUPS, OURS, strict=True):
            made = opened.create_group(f"layers/{group}/vars")
            for k, values in enumerate(variables(model, ours) if ours else []):
                made[str(k)] = values.astype("f4")


def archive(model, file, **changed):
    inner = io.BytesIO()
    newer(model, inner)
    layers = [
        {"class_name": kind, "config": {"name": name, **said, **changed.get(name, {})}}
        for kind, name, said in DESCRIBED
    ]
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": layers}}))
        opened.writestr("model.weights.h5", inner.getvalue())


def older(model, file):
    h5py = pytest.importorskip("h5py", reason="HDF5 is read by h5py, which is not installed")
    with h5py.File(file, "w") as opened:
        described = [(kind, f"{name}_transpose" if "Trans" in kind else name) for kind, name, _ in DESCRIBED]
        opened.attrs["layer_names"] = [name for _, name in described]
        for (kind, name), ours in zip(described, OURS, strict=True):
            group = opened.create_group(name)
            arrays = variables(model, ours) if ours else []
            names = [f"{name}/{variable}:0" for variable, _ in zip(KINDS.get(kind, ()), arrays, strict=False)]
            group.attrs["weight_names"] = names
            for inner, values in zip(names, arrays, strict=True):
                group[inner] = values.astype("f4")


def named(model, file):
    arrays = {}
    for (kind, _, _), group, ours in zip(DESCRIBED, GROUPS, OURS, strict=True):
        for variable, values in zip(KINDS.get(kind, ()), variables(model, ours) if ours else [], strict=False):
            arrays[f"net/{group}/{variable}"] = np.ascontiguousarray(values, "f4")
    tensors.write(file, arrays, {})


FORMS = {"net.weights.h5": newer, "net.keras": archive, "net.h5": older, "net.safetensors": named}


@pytest.mark.parametrize("layout", ["", "keras"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_its_files_gives_every_number(tmp_path, model, form, layout):
    FORMS[form](model, tmp_path / form)
    other = cnnspec.compile(text=TEXT, seed=8)
    other.load(tmp_path / form, layout=layout)
    for name, values in model.parameters.items():
        np.testing.assert_array_equal(other.parameters[name], values, err_msg=name)


def refusal(tmp_path, text, form, layout="keras"):
    with pytest.raises(SpecError) as error:
        cnnspec.compile(text=text).load(tmp_path / form, layout=layout)
    (finding,) = error.value.diagnostics
    return finding


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("conv 5x1x1", "conv 6x1x1", "for `conv2` of weight 6x4x1x1 there is"),
        (" -> relu\n  -> dense 3", " -> dense 4\n  -> dense 3", "for `dense2` of"),
        ("conv 5x1x1 bias off -> prelu", "conv 5x1x1 bias off", "for `upconv1`"),
    ],
)
@pytest.mark.parametrize("form", ["net.weights.h5", "net.keras"])
def test_another_network_is_refused_by_the_layer_where_they_part(tmp_path, model, form, old, new, said):
    FORMS[form](model, tmp_path / form)
    if "prelu" in old:  # all that the network has is there, and more
        said = "has layers that the network has not: p_re_lu"
    finding = refusal(tmp_path, TEXT.replace(old, new), form)
    assert finding.code == "CNN467" and said in finding.message


def test_another_number_beside_the_variance_is_refused(tmp_path, model):
    archive(model, tmp_path / "net.keras", second={"epsilon": 2e-5})
    finding = refusal(tmp_path, TEXT, "net.keras")
    assert "`bn1` adds 0.001 to its variance" in finding.message and finding.help == "write `eps 2e-05`"


def test_layers_beside_each_other_of_one_shape_are_never_guessed(tmp_path):
    text = "input 2x8x8\nadd( conv 3x3x3 | conv 3x3x3 ) -> gap -> dense 2 -> softmax\n"
    made = cnnspec.compile(text=text)
    arrays = {}
    for group, ours in (("conv2d", "conv1"), ("conv2d_1", "conv2"), ("dense", "dense1")):
        kernel, bias = (np.ascontiguousarray(values, "f4") for values in variables(made, ours))
        arrays |= {f"{group}/kernel": kernel, f"{group}/bias": bias}
    tensors.write(tmp_path / "x.safetensors", arrays, {})
    assert "`conv1` and `conv2` stand beside each other" in refusal(tmp_path, text, "x.safetensors").message


def test_two_kinds_that_could_stand_in_one_place_are_not_guessed(tmp_path):
    """A dense layer and a 1x1 convolution of its numbers, of which no order is known."""
    text = "input 4\ndense 4 -> relu -> dense 4 -> softmax\n"
    draw = np.random.default_rng(0)
    arrays = {"conv2d/kernel": draw.normal(size=(1, 1, 4, 4)), "conv2d/bias": draw.normal(size=4)}
    arrays |= {"dense/kernel": draw.normal(size=(4, 4)), "dense/bias": draw.normal(size=4)}
    tensors.write(tmp_path / "x.safetensors", arrays, {})
    assert "conv2d and dense could be meant" in refusal(tmp_path, text, "x.safetensors").message


def test_a_new_head_is_left_as_it_begins(tmp_path, model):
    named(model, tmp_path / "x.safetensors")
    other = cnnspec.compile(text=TEXT.replace("dense 3", "dense 5"), seed=8)
    before = other.parameters["dense2.weight"].copy()
    other.load(tmp_path / "x.safetensors", partial=True)
    np.testing.assert_array_equal(other.parameters["dense2.weight"], before)
    np.testing.assert_array_equal(other.parameters["dense1.weight"], model.parameters["dense1.weight"])


@pytest.mark.parametrize("form", FORMS)
def test_a_map_turns_axes_as_well(tmp_path, model, form):
    """Also of a square matrix, whose shape tells nothing, and of columns behind an image."""
    FORMS[form](model, tmp_path / form)
    plain = cnnspec.compile(text=TEXT, seed=8)
    theirs = weights.read(tmp_path / form).arrays
    layers = theirs if isinstance(theirs, Layers) else of_names(theirs)
    names, _ = fitted(layers, plain.graph, plain.parameters, tmp_path / form)
    if form.endswith("safetensors"):
        known = {"weight": ("kernel", "depthwise_kernel", "alpha", "gamma"), "bias": ("bias", "beta")}
        known |= {"running_mean": ("moving_mean",), "running_var": ("moving_variance",)}
        for ours, name in names.items():
            layer, _, kind = name.rpartition(".")
            (names[ours],) = [f"net/{layer}/{last}" for last in known[kind] if f"net/{layer}/{last}" in theirs]
    plain.load(tmp_path / form, names=names)
    for name, values in model.parameters.items():
        np.testing.assert_array_equal(plain.parameters[name], values, err_msg=name)


def test_a_mapped_square_matrix_is_turned(tmp_path):
    made = cnnspec.compile(text="input 3\ndense 3 -> softmax\n")
    kernel = np.arange(9, dtype="f4").reshape(3, 3)
    tensors.write(tmp_path / "x.safetensors", {"d/kernel": kernel, "d/bias": np.ones(3, "f4")}, {})
    made.load(tmp_path / "x.safetensors", names={"dense1.weight": "d/kernel", "dense1.bias": "d/bias"})
    np.testing.assert_array_equal(made.parameters["dense1.weight"], kernel.T)


@pytest.mark.parametrize("idle", [True, False])
def test_a_normalisation_of_the_data_is_a_scale_or_nothing(tmp_path, idle):
    """`Normalization`, as EfficientNet begins with it: mean 0 and variance 1 change nothing."""
    h5py = pytest.importorskip("h5py", reason="HDF5 is read by h5py, which is not installed")
    mean, variance = (np.zeros(2), np.ones(2)) if idle else (np.array([3.0, -1]), np.array([4.0, 0.25]))
    text = "input 2x4x4\n{}conv 3x3x3 -> gap -> dense 2 -> softmax\n"
    made = cnnspec.compile(text=text.format(""))
    with h5py.File(tmp_path / "n.weights.h5", "w") as opened:
        for group, arrays in (
            ("normalization", (mean, variance, np.array(7))),
            ("conv2d", variables(made, "conv1")),
            ("dense", variables(made, "dense1")),
        ):
            inner = opened.create_group(f"layers/{group}/vars")
            for k, values in enumerate(arrays):
                inner[str(k)] = values
    scaled = cnnspec.compile(text=text.format("scale bias on -> "))
    scaled.load(tmp_path / "n.weights.h5")
    np.testing.assert_allclose(scaled.parameters["scale1.weight"], variance**-0.5)
    np.testing.assert_allclose(scaled.parameters["scale1.bias"], -mean * variance**-0.5)
    if idle:
        made.load(tmp_path / "n.weights.h5")
    else:
        assert (
            "has layers that the network has not: normalization"
            in refusal(tmp_path, text.format(""), "n.weights.h5").message
        )


@pytest.mark.parametrize("kind", ["external link", "external data", "soft link", "cut", "empty", "bomb"])
def test_a_strangers_file_leads_nowhere(tmp_path, model, kind):
    h5py = pytest.importorskip("h5py", reason="HDF5 is read by h5py, which is not installed")
    newer(model, path := tmp_path / "net.weights.h5")
    if kind == "cut":
        os.truncate(path, path.stat().st_size // 2)
    elif kind == "empty":
        with h5py.File(path, "w"):
            pass
    else:
        (tmp_path / "secret").write_bytes(bytes(400))
        with h5py.File(path, "a") as opened:
            group = opened["layers/conv2d/vars"]
            shape = group["1"].shape
            del group["1"]
            if kind == "external link":
                with h5py.File(tmp_path / "secret", "w") as other:
                    other["b"] = np.zeros(shape)
                group["1"] = h5py.ExternalLink("secret", "/b")
            elif kind == "soft link":
                group["1"] = h5py.SoftLink("/layers/dense/vars/1")
            elif kind == "bomb":
                group.create_dataset("1", shape=(1 << 40,), dtype="f4", chunks=(1 << 10,))
            else:
                group.create_dataset("1", shape=shape, dtype="f4", external=[("secret", 0, 400)])
    finding = refusal(tmp_path, TEXT, path.name, layout="")
    assert finding.code in ("CNN450", "CNN451", "CNN455", "CNN467"), finding


def test_without_h5py_it_is_told_what_reads_it(tmp_path, monkeypatch):
    (tmp_path / "net.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(80))
    monkeypatch.setattr("cnnspec.train.keras.reading.find_spec", lambda name: None)
    finding = refusal(tmp_path, TEXT, "net.h5", layout="")
    assert finding.code == "CNN520" and 'pip install "cnnspec[keras]"' in finding.help


def test_names_of_others_are_not_taken_for_those_of_keras():
    assert of_names({"conv1.weight": np.zeros(1)}) is None and of_names({}) is None
    assert of_names({"a/kernel": np.zeros((2, 2)), "b": np.zeros(1)}) is None


def test_keras_itself_answers_the_same(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="Keras computes by PyTorch here, which is not installed")
    pytest.importorskip("h5py", reason="HDF5 is read by h5py, which is not installed")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    layers = keras.layers
    text = "input 3x10x10\nconv 4x3x3 -> bn eps 1e-3 -> relu -> dwconv 3x3 bias off -> conv 6x1x1"
    net = keras.Sequential(
        [keras.Input((10, 10, 3)), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU(),
         layers.SeparableConv2D(6, 3), layers.Flatten(), layers.Dense(3, activation="softmax")]
    )  # fmt: skip
    x = np.random.default_rng(0).normal(size=(2, 10, 10, 3)).astype("f4")
    wanted = net.predict(x, verbose=0)
    for file in ("a.weights.h5", "a.keras", "a.h5"):
        (net.save_weights if "weights" in file else net.save)(str(tmp_path / file))
        made = cnnspec.compile(text=f"{text} -> dense 3 -> softmax")
        made.load(tmp_path / file)
        np.testing.assert_allclose(made.predict(x.transpose(0, 3, 1, 2)), wanted, atol=1e-6)
