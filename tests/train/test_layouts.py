"""Weights as torchvision and timm publish them, in the specs of the same networks: without a map, or not at all.

The names are written down by rule, in the order of the computation; shapes are the spec's. Where torchvision is
installed, its own networks are the oracle (slow).
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import cnnspec
from cnnspec.api import compile, read_spec
from cnnspec.cli import program
from cnnspec.diagnostics import Source, SpecError
from cnnspec.ir.owned import parameters_of
from cnnspec.train import names, tensors
from cnnspec.train.layouts import bare, published, same_numbers
from cnnspec.train.names import template

SPECS = Path(__file__).parents[2] / "specs"
BN = ("weight", "bias", "running_mean", "running_var")


def conv(layer):
    return [f"{layer}.weight"]


def whole(layer):
    return [f"{layer}.weight", f"{layer}.bias"]


def bn(layer):
    return [f"{layer}.{kind}" for kind in BN]


def alexnet():
    for k in (0, 3, 6, 8, 10):
        yield from whole(f"features.{k}")
    for k in (1, 4, 6):
        yield from whole(f"classifier.{k}")


def resnet(blocks, convs):
    yield from conv("conv1") + bn("bn1")
    for stage, count in enumerate(blocks, 1):
        for k in range(count):
            for i in range(1, convs + 1):
                yield from conv(f"layer{stage}.{k}.conv{i}") + bn(f"layer{stage}.{k}.bn{i}")
            if k == 0 and (stage > 1 or convs == 3):
                yield from conv(f"layer{stage}.{k}.downsample.0") + bn(f"layer{stage}.{k}.downsample.1")
    yield from whole("fc")


def squeezenet():
    yield from whole("features.0")
    for k in (3, 4, 5, 7, 8, 9, 10, 12):
        for part in ("squeeze", "expand1x1", "expand3x3"):
            yield from whole(f"features.{k}.{part}")
    yield from whole("classifier.1")


def mobilenetv2():
    yield from conv("features.0.0") + bn("features.0.1")
    for k in range(1, 18):
        for i in range(1 if k == 1 else 2):
            yield from conv(f"features.{k}.conv.{i}.0") + bn(f"features.{k}.conv.{i}.1")
        last = 1 if k == 1 else 2
        yield from conv(f"features.{k}.conv.{last}") + bn(f"features.{k}.conv.{last + 1}")
    yield from conv("features.18.0") + bn("features.18.1") + whole("classifier.1")


def densenet(blocks=(6, 12, 24, 16)):
    yield from conv("features.conv0") + bn("features.norm0")
    for stage, count in enumerate(blocks, 1):
        for k in range(1, count + 1):
            for i in (1, 2):
                layer = f"features.denseblock{stage}.denselayer{k}"
                yield from bn(f"{layer}.norm{i}") + conv(f"{layer}.conv{i}")
        if stage < len(blocks):
            yield from bn(f"features.transition{stage}.norm") + conv(f"features.transition{stage}.conv")
    yield from bn("features.norm5") + whole("classifier")


def googlenet():
    def cbr(layer):
        return conv(f"{layer}.conv") + bn(f"{layer}.bn")

    for k in (1, 2, 3):
        yield from cbr(f"conv{k}")
    for block in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        for branch in ("branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1", "branch4.1"):
            yield from cbr(f"inception{block}.{branch}")
    yield from whole("fc")


def shufflenetv2():
    yield from conv("conv1.0") + bn("conv1.1")
    for stage, count in ((2, 4), (3, 8), (4, 4)):
        for k in range(count):
            if k == 0:
                for i in (0, 2):
                    yield from conv(f"stage{stage}.0.branch1.{i}") + bn(f"stage{stage}.0.branch1.{i + 1}")
            for i in (0, 3, 5):
                yield from conv(f"stage{stage}.{k}.branch2.{i}") + bn(f"stage{stage}.{k}.branch2.{i + 1}")
    yield from conv("conv5.0") + bn("conv5.1") + whole("fc")


def efficientnet():
    yield from conv("features.0.0") + bn("features.0.1")
    for stage, count in enumerate((1, 2, 2, 3, 3, 4, 1), 1):
        for k in range(count):
            block = f"features.{stage}.{k}.block"
            first = 0 if stage == 1 else 1  # the first block does not expand
            for i in range(first + 1):
                yield from conv(f"{block}.{i}.0") + bn(f"{block}.{i}.1")
            yield from whole(f"{block}.{first + 1}.fc1") + whole(f"{block}.{first + 1}.fc2")
            yield from conv(f"{block}.{first + 2}.0") + bn(f"{block}.{first + 2}.1")
    yield from conv("features.8.0") + bn("features.8.1") + whole("classifier.1")


def convnext():
    yield from whole("features.0.0") + whole("features.0.1")
    for stage, count in ((1, 3), (3, 3), (5, 9), (7, 3)):
        for k in range(count):
            for i in (0, 2, 3, 5):
                yield from whole(f"features.{stage}.{k}.block.{i}")
            yield f"features.{stage}.{k}.layer_scale"
        if stage < 7:
            yield from whole(f"features.{stage + 1}.0") + whole(f"features.{stage + 1}.1")
    yield from whole("classifier.0") + whole("classifier.2")


def convnext_of_timm():
    yield from whole("stem.0") + whole("stem.1")
    for stage, count in enumerate((3, 3, 9, 3)):
        if stage:
            yield from whole(f"stages.{stage}.downsample.0") + whole(f"stages.{stage}.downsample.1")
        for k in range(count):
            for part in ("conv_dw", "norm", "mlp.fc1", "mlp.fc2"):
                yield from whole(f"stages.{stage}.blocks.{k}.{part}")
            yield f"stages.{stage}.blocks.{k}.gamma"
    yield from whole("head.norm") + whole("head.fc")


def mobilenetv2_of_timm():
    yield from conv("conv_stem") + bn("bn1")
    for stage, count in enumerate((1, 2, 3, 4, 3, 3, 1)):
        for k in range(count):
            parts = ("conv_dw", "conv_pw") if stage == 0 else ("conv_pw", "conv_dw", "conv_pwl")
            for i, part in enumerate(parts, 1):
                yield from conv(f"blocks.{stage}.{k}.{part}") + bn(f"blocks.{stage}.{k}.bn{i}")
    yield from conv("conv_head") + bn("bn2") + whole("classifier")


CASES = {
    "torchvision alexnet": alexnet,
    "torchvision resnet18": lambda: resnet((2, 2, 2, 2), 2),
    "torchvision resnet50": lambda: resnet((3, 4, 6, 3), 3),
    "torchvision squeezenet": squeezenet,
    "torchvision mobilenetv2": mobilenetv2,
    "torchvision densenet121": densenet,
    "torchvision googlenet": googlenet,
    "torchvision shufflenetv2": shufflenetv2,
    "torchvision efficientnet-b0": efficientnet,
    "torchvision convnext-tiny": convnext,
    "timm convnext-tiny": convnext_of_timm,
    "timm mobilenetv2": mobilenetv2_of_timm,
}


def shapes(spec):
    return {name: p.type.shape for name, p in parameters_of(read_spec(SPECS / f"{spec}.cnn").graph).items()}


def file_of(case):
    """Our shapes, what a published file has, in no order, and which of its names means which of our parameters."""
    ours, theirs = shapes(case.split()[1]), list(CASES[case]())
    assert len(ours) == len(theirs)
    meant = dict(zip(ours, theirs, strict=True))
    found = {meant[name]: shape for name, shape in ours.items()}
    mixed = random.Random(4).sample(sorted(found), len(found))
    return ours, {name: found[name] for name in mixed}, meant


@pytest.mark.parametrize("case", CASES)
def test_published_weights_need_no_map(case):
    ours, theirs, meant = file_of(case)
    assert published(ours, theirs) == meant
    assert published(ours, theirs, source=case.split()[0]) == meant
    wrapped = {f"state_dict.module.{name}": shape for name, shape in theirs.items()}
    means = [name.removesuffix("running_mean") for name in wrapped if name.endswith("running_mean")]
    counters: dict[str, tuple[int, ...]] = {f"{layer}num_batches_tracked": () for layer in means}
    found = published(ours, wrapped | counters)
    assert found == {name: f"state_dict.module.{other}" for name, other in meant.items()}


def test_heads_that_only_help_to_train_are_passed_over():
    ours, theirs, meant = file_of("torchvision googlenet")
    assert published(ours, theirs | {"aux1.fc1.weight": (1024, 2048), "aux1.fc1.bias": (1024,)}) == meant


@pytest.mark.parametrize("case", ["torchvision resnet18", "torchvision densenet121"])
def test_a_file_of_another_network_is_none(case):
    ours, theirs, _ = file_of(case)
    for other in CASES:
        if other != case:
            assert published(shapes(other.split()[1]), theirs) is None
    assert published(ours, theirs, source="timm") == published(ours, theirs), "timm names these alike"
    assert published(ours, {**theirs, "extra.weight": (3, 3)}) is None
    lacking = dict(theirs)
    lacking.popitem()
    assert published(ours, lacking) is None
    swapped = dict(theirs)
    first = next(name for name in theirs if name.endswith("conv2.weight"))
    swapped[first] = (7, *theirs[first][1:])
    assert published(ours, swapped) is None


def test_of_a_new_head_all_but_the_head_is_meant():
    ours, theirs, meant = file_of("torchvision resnet18")
    head = [name for name, other in meant.items() if other.startswith("fc.")]
    smaller = ours | {name: (7, *ours[name][1:]) for name in head}
    assert published(smaller, theirs) is None
    assert published(smaller, theirs, new_head=True) == {n: other for n, other in meant.items() if n not in head}


def test_axes_of_size_1_at_the_end_do_not_count():
    assert same_numbers((10, 512), (10, 512, 1, 1)) and same_numbers((96,), (96, 1, 1))
    assert not same_numbers((1, 8, 3, 3), (8, 1, 3, 3)), "one filter of eight channels, or eight of one"
    assert not same_numbers((4, 1, 3), (4, 3)) and not same_numbers((3,), (1, 3))


def test_only_what_stands_before_every_name_is_a_prefix():
    assert bare(["module.a.weight", "module.b.bias", "module.n.num_batches_tracked"]) == {
        "a.weight": "module.a.weight", "b.bias": "module.b.bias",
    }  # fmt: skip
    assert bare(["module.a.weight", "b.bias"]) == {"module.a.weight": "module.a.weight", "b.bias": "b.bias"}
    assert bare(["_orig_mod.module.a.w"]) == {"a.w": "_orig_mod.module.a.w"}


# ---- in use ----------------------------------------------------------------------------------------------

TINY = """\
input 3x8x8
block cb(c, k = 3, s = 1) = conv {c}x{k}x{k} stride {s} pad {k//2} bias off -> bn
block basic(c, s = 1) = add( cb(c, s = s) -> relu -> cb(c) | id ) -> relu
block down(c) = add( cb(c, s = 2) -> relu -> cb(c) | cb(c, 1, 2) ) -> relu
cb(4) -> relu -> basic(4) -> down(6) -> gap -> dense CLASSES as head -> softmax
"""


def tiny_names():
    yield from conv("conv1") + bn("bn1")
    for stage in (1, 2):
        for i in (1, 2):
            yield from conv(f"layer{stage}.0.conv{i}") + bn(f"layer{stage}.0.bn{i}")
    yield from conv("layer2.0.downsample.0") + bn("layer2.0.downsample.1") + whole("fc")


@pytest.fixture
def tiny(tmp_path):
    """A small residual network, and its weights as torchvision would publish them."""
    (tmp_path / "net.cnn").write_text(TINY.replace("CLASSES", "5"))
    model = compile(tmp_path / "net.cnn", seed=3)
    arrays = {theirs: model.parameters[ours] for ours, theirs in zip(model.parameters, tiny_names(), strict=True)}
    arrays["fc.weight"] = arrays["fc.weight"][..., None, None]  # as a 1x1 convolution has it
    tensors.write(tmp_path / "w.safetensors", {f"module.{n}": a for n, a in arrays.items()}, {})
    return tmp_path, model


def same(model, other, but=""):
    return all(
        np.array_equal(v, other.parameters[n]) for n, v in model.parameters.items() if n.split(".")[0] != but
    )


def test_a_model_loads_them(tiny):
    folder, model = tiny
    other = compile(folder / "net.cnn", seed=9)
    other.load(folder / "w.safetensors")
    assert same(model, other)
    with pytest.raises(SpecError, match="does not hold this network as timm publishes it"):
        compile(text="input 3x8x8\ndense 4\n").load(folder / "w.safetensors", layout="timm")


def test_commands_take_them(tiny):
    folder, model = tiny
    where = ["--weights", str(folder / "w.safetensors")]
    made = CliRunner().invoke(program, ["compile", str(folder / "net.cnn"), "--emit", "python", *where, "-o",
                                        str(folder / "made.py"), "--as", "torchvision"])  # fmt: skip
    assert made.exit_code == 0, made.output
    packed = np.load(folder / "made.npz")
    first = np.sort(model.parameters["head.weight"].ravel())
    assert any(np.array_equal(np.sort(values.ravel()), first) for values in packed.values())
    shown = CliRunner().invoke(program, ["map", str(folder / "net.cnn"), where[1]])
    found = names.read(Source("map", shown.output), model.parameters)
    assert list(found) == list(model.parameters) and found["head.bias"] == "module.fc.bias"


def test_a_spec_begins_with_them_under_a_new_head(tiny):
    folder, model = tiny
    x = np.random.default_rng(0).normal(size=(8, 3, 8, 8)).astype("float32")
    np.savez(folder / "data.npz", x=x, y=np.arange(8) % 2)
    data = 'data { source npz "data.npz" test 0.25 ; validation 0 }\n'
    train = 'train { weights "w.safetensors" as torchvision partial on ; freeze "*cb*" ; epochs 1 ; batch 3 }\n'
    (folder / "fine.cnn").write_text(TINY.replace("CLASSES", "2") + data + train)
    run = cnnspec.run(folder / "fine.cnn", out=folder / "runs", workers=1)
    tuned = run.open()
    assert same(model, tuned, but="head")
    with pytest.raises(SpecError, match="CNN467"):
        cnnspec.run(folder / "fine.cnn", overrides=['train.weights="w.safetensors" as timm'], out=folder / "runs")


def test_eval_and_predict_take_them_with_their_spec(tiny):
    folder, model = tiny
    x = np.random.default_rng(0).normal(size=(10, 3, 8, 8)).astype("float32")
    y = np.arange(10) % 5
    np.savez(folder / "data.npz", x=x, y=y)
    data = 'data { source npz "data.npz" test 0.5 }\n'
    (folder / "data.cnn").write_text((folder / "net.cnn").read_text() + data)
    np.save(folder / "one.npy", x[:1])
    weights, spec = str(folder / "w.safetensors"), ["--spec", str(folder / "data.cnn")]
    tested = CliRunner().invoke(program, ["eval", weights, *spec, "--part", "all", "--json"])
    assert tested.exit_code == 0, tested.output
    assert json.loads(tested.stdout)["cost"] == pytest.approx(model.cost(x, y), rel=1e-5)
    asked = CliRunner().invoke(program, ["predict", weights, str(folder / "one.npy"), *spec, "--json"])
    assert asked.exit_code == 0, asked.output
    assert "prepared" in asked.stderr
    with pytest.raises(SpecError, match="CNN463"):
        cnnspec.open(weights)


def test_a_file_of_torch_is_refused_with_the_lines_that_turn_it(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"PK\x03\x04" + bytes(60))
    with pytest.raises(SpecError) as error:
        compile(text="input 3x8x8\ndense 4\n").load(path)
    (finding,) = error.value.diagnostics
    assert finding.code == "CNN451"
    assert 'save_file(torch.load("model.pt", weights_only=True), "model.safetensors")' in finding.help.replace(
        "'", '"'
    )


def test_a_map_may_be_of_layers_and_patterns():
    ours = {f"stage{k}.conv{i}.{kind}": 0 for k in (1, 2) for i in (1, 2) for kind in ("weight", "bias")}
    text = "stage1.*  layer1.*\nstage2.conv1  a\nstage2.conv2.bias  b\n"
    found = names.read(Source("map", text), ours)
    assert found["stage1.conv2.bias"] == "layer1.conv2.bias" and found["stage2.conv1.weight"] == "a.weight"
    assert found["stage2.conv2.bias"] == "b" and "stage2.conv2.weight" not in found
    for wrong, message in (
        ("stage1.* x", "stage1.* has a `*`, and x has not one"),
        ("stage3.* x.*", "the network has no parameter stage3.*"),
        ("stage1 a\nstage1.conv1.bias b", "stage1.conv1.bias stands there twice"),
    ):
        with pytest.raises(SpecError, match="CNN459") as error:
            names.read(Source("map", wrong), ours)
        assert error.value.diagnostics[0].message == message


def test_a_template_guesses_nothing():
    """Names of a DenseNet of nobody's: `transition` comes last in the alphabet, not in the network."""
    ours, theirs, _ = file_of("torchvision densenet121")
    theirs = {f"our.{name}": np.zeros(shape, "int8") for name, shape in theirs.items()}
    text = template({name: np.zeros(shape, "int8") for name, shape in ours.items()}, theirs)
    found = names.read(Source("map", text), ours)
    _, _, meant = file_of("torchvision densenet121")
    assert all(f"our.{meant[name]}" == other for name, other in found.items())
    assert " ? " in text and found


@pytest.mark.slow
@pytest.mark.parametrize(("ours", "theirs"), [("resnet18", "resnet18"), ("densenet121", "densenet121"),
    ("squeezenet", "squeezenet1_0"), ("shufflenetv2", "shufflenet_v2_x1_0"), ("googlenet", "googlenet"),
    ("mobilenetv2", "mobilenet_v2"), ("efficientnet-b0", "efficientnet_b0"), ("convnext-tiny", "convnext_tiny"),
    ("resnet50", "resnet50"), ("alexnet", "alexnet")])  # fmt: skip
def test_torchvision_answers_the_same(ours, theirs, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    models = pytest.importorskip("torchvision", reason="torchvision is the oracle").models
    torch.manual_seed(1)
    net = getattr(models, theirs)(**({"init_weights": False} if theirs == "googlenet" else {})).eval()
    with torch.no_grad():
        for name, values in net.state_dict().items():
            if name.endswith("running_var") or (values.ndim == 1 and name.endswith("weight")):
                values.uniform_(0.6, 1.4)
            elif name.endswith(("bias", "running_mean")):
                values.normal_(0, 0.1)
        x = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype("float32")
        logits = net(torch.tensor(x)).numpy()
    tensors.write(tmp_path / "w.safetensors", {n: v.numpy() for n, v in net.state_dict().items()}, {})
    model = compile(SPECS / f"{ours}.cnn", batch=1)
    model.load(tmp_path / "w.safetensors")
    found = model.activations(x)
    (before,) = model.graph[model.graph.outputs[0]].inputs
    assert np.abs(found[before] - logits).max() <= 1e-5 * np.abs(logits).max()
