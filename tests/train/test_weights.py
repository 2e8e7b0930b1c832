"""Weights into a model: what fits, what does not and is named, and maps of names."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cnnspec.diagnostics import Source, SpecError
from cnnspec.train import names, tensors, weights


def network(classes=10):
    shapes = {
        "conv1.weight": (8, 3, 3, 3), "conv1.bias": (8,), "bn1.weight": (8,), "bn1.running_mean": (8,),
        "dense1.weight": (classes, 32), "dense1.bias": (classes,),
    }  # fmt: skip
    return {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}


def trained(classes=10):
    generator = np.random.default_rng(1)
    return {name: generator.normal(size=a.shape).astype(np.float32) for name, a in network(classes).items()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "w.safetensors"


def refused(path, arrays, model=None, **parts):
    """The findings, and that nothing was set."""
    tensors.write(path, arrays, {})
    model = model or network()
    before = {name: values.copy() for name, values in model.items()}
    with pytest.raises(SpecError) as error:
        weights.load(path, model, **parts)
    assert all(np.array_equal(model[name], before[name]) for name in model)
    return [(d.code, d.message.replace(str(path), "FILE")) for d in error.value.diagnostics]


def test_all_of_them_are_set(path):
    model, arrays = network(), trained()
    tensors.write(path, arrays, {})
    assert weights.load(path, model) == weights.LoadReport()
    assert all(np.array_equal(model[name], arrays[name]) for name in model)


def test_missing_extra_and_misshapen_are_named_all_at_once(path):
    arrays = trained(classes=12)
    arrays["conv2.weight"] = arrays.pop("conv1.weight")
    assert refused(path, arrays) == [
        ("CNN455", "FILE lacks conv1.weight"),
        ("CNN456", "FILE holds conv2.weight, which the network has no place for"),
        (
            "CNN457",
            "FILE does not fit: dense1.weight is 12x32 there and 10x32 here; dense1.bias is 12 there and 10 here",
        ),
    ]


def test_long_lists_are_cut(path):
    arrays = trained() | {f"extra{i}": np.zeros(1) for i in range(12)}
    ((_, message),) = refused(path, arrays)
    assert message.endswith("extra7 and 4 more, which the network has no place for")


def test_partial_takes_what_fits_and_tells_the_rest(path):
    arrays, model = trained(classes=12), network()
    del arrays["bn1.weight"]
    arrays["head.weight"] = np.zeros(3)
    tensors.write(path, arrays, {})
    assert weights.load(path, model, partial=True) == weights.LoadReport(
        missing=("bn1.weight",),
        unexpected=("head.weight",),
        mismatched=("dense1.weight is 12x32 there and 10x32 here", "dense1.bias is 12 there and 10 here"),
    )
    assert np.array_equal(model["conv1.weight"], arrays["conv1.weight"]) and not model["dense1.weight"].any()


def test_partial_wants_something_that_fits(path):
    assert refused(path, {"other": np.zeros(3)}, partial=True) == [("CNN455", "FILE holds no parameter that fits")]


def test_torchs_counter_is_no_weight(path):
    tensors.write(path, trained() | {"bn1.num_batches_tracked": np.array(5)}, {})
    assert weights.load(path, network()) == weights.LoadReport()


def test_whole_numbers_and_numbers_that_are_none_are_refused(path):
    arrays = trained()
    arrays["conv1.bias"] = np.arange(8)
    arrays["bn1.weight"][3] = np.inf
    arrays["dense1.bias"][0] = np.nan
    assert refused(path, arrays) == [
        ("CNN453", "FILE holds conv1.bias as int64, and weights are floating-point"),
        ("CNN458", "FILE holds bn1.weight with infinity in it"),
        ("CNN458", "FILE holds dense1.bias with NaN in it"),
    ]


# ---- maps ---------------------------------------------------------------------------------------------

THEIRS = {
    "conv1.weight": "features.0.weight", "conv1.bias": "features.0.bias", "bn1.weight": "features.1.weight",
    "bn1.running_mean": "features.1.running_mean", "dense1.weight": "classifier.weight",
    "dense1.bias": "classifier.bias",
}  # fmt: skip


def renamed():
    return {THEIRS[name]: values for name, values in trained().items()}


def test_a_map_finds_them_under_their_names(path):
    tensors.write(path, renamed(), {})
    model = network()
    text = "# torch\n" + "".join(f"{ours}   {theirs}  # note\n" for ours, theirs in THEIRS.items())
    for source in (Source("map", text), Source("map", json.dumps(THEIRS))):
        assert names.read(source, model) == THEIRS
    weights.load(path, model, names=THEIRS)
    assert all(np.array_equal(model[name], values) for name, values in trained().items())


def test_names_that_differ_suggest_a_map(path):
    tensors.write(path, renamed(), {})
    with pytest.raises(SpecError) as error:
        weights.load(path, network())
    assert all("--map FILE" in finding.help for finding in error.value.diagnostics)


def test_what_a_map_promises_must_be_there(path):
    arrays = renamed()
    del arrays["features.0.bias"]
    assert refused(path, arrays, names=THEIRS) == [("CNN455", "FILE lacks conv1.bias (as features.0.bias)")]


def test_the_template_is_a_map_that_works(path):
    tensors.write(path, renamed() | {"features.1.num_batches_tracked": np.array(1), "spare": np.zeros(2)}, {})
    text = names.template(network(), tensors.read(path).arrays)
    assert names.read(Source("map", text), network()) == THEIRS
    assert text.splitlines()[1] == "conv1.weight      features.0.weight        # 8x3x3x3"
    assert text.splitlines()[-1] == "# not used: spare  # 2"


def test_the_template_counts_as_people_do_and_leaves_what_it_does_not_know():
    ours = {f"conv{i}.weight": np.zeros((4, 4, 1, 1)) for i in range(1, 12)} | {"scale1.weight": np.zeros(9)}
    theirs = {f"layer{i}.weight": np.zeros((4, 4, 1, 1)) for i in (1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9)}
    text = names.template(ours, theirs)
    assert names.read(Source("map", text), ours) == {f"conv{i}.weight": f"layer{i}.weight" for i in range(1, 12)}
    assert "scale1.weight  ?" in text


def test_a_template_keeps_names_that_agree():
    model = network()
    pairs = names.read(Source("map", names.template(model, trained())), model)
    assert pairs == {name: name for name in model}


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("conv1.weight a\nconv9.weight b\n", "the network has no parameter conv9.weight", "map:2:1"),
        ("conv1.weight a\n  conv1.weight b\n", "conv1.weight stands there twice", "map:2:3"),
        ("conv1.weight\n", "a line has our name and theirs, not 1 words", "map:1:1"),
        ("\n\nconv1.weight = a # b\n", "a line has our name and theirs, not 3 words", "map:3:1"),
        ('{"conv9.weight": "a"}', "the network has no parameter conv9.weight", "None"),
        ('{"conv1.weight": 3}', "map maps names to something else than names", "None"),
    ],
)
def test_mistakes_in_a_map_have_their_place(text, message, place):
    with pytest.raises(SpecError) as error:
        names.read(Source("map", text), network())
    (finding,) = error.value.diagnostics
    assert (finding.code, finding.message, str(finding.span)) == ("CNN459", message, place)


def test_a_map_that_is_no_json():
    for text in ("{conv1.weight: a}", "{" * 100_000, '{"conv1.weight": "a"'):
        with pytest.raises(SpecError) as error:
            names.read(Source("map", text), network())
        assert error.value.diagnostics[0].code == "CNN459"


def test_a_state_dict_of_torch_loads_and_ours_loads_into_torch(path):
    torch = pytest.importorskip("torch", reason="PyTorch writes the file")
    from safetensors.torch import load_file, save_file

    module = torch.nn.ModuleDict(
        {"conv1": torch.nn.Conv2d(3, 8, 3), "bn1": torch.nn.BatchNorm2d(8), "dense1": torch.nn.Linear(32, 10)}
    )
    save_file(module.state_dict(), path)
    model = {
        name: np.zeros(values.shape, np.float32)
        for name, values in module.state_dict().items()
        if not name.endswith("tracked")
    }
    weights.load(path, model)
    assert np.array_equal(model["conv1.weight"], module["conv1"].weight.detach().numpy())
    for values in model.values():
        values += 1
    tensors.write(path, model, {"spec": "..."})
    module.load_state_dict(load_file(path), strict=False)
    assert np.array_equal(model["dense1.weight"], module["dense1"].weight.detach().numpy())
