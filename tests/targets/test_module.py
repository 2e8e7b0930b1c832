"""The one-file module: alone with NumPy it computes what the engine computes, in use and while it learns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from networks import ROOT, STRUCTURES, examples, values_for

import cnnspec
from cnnspec.data.sources.by_name import called
from cnnspec.kernels import KERNELS, MODULES
from cnnspec.targets.python.kernel_source import definitions, sources
from cnnspec.targets.python.module import module_source, packed

BATCH = 4
KIND = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")  # of the processor, the same on both sides
RATES = [0.1, 0.05, 0.02]

# Runs where nothing but NumPy can be imported: for every module of the folder its outputs and some steps.
DRIVER = """
import importlib, json, sys
import numpy as np

for name in json.loads(sys.argv[1]):
    network = importlib.import_module(name).load()
    with np.load(name + ".given.npz") as file:
        given = dict(file)
    x = {key[2:]: values for key, values in given.items() if key.startswith("x_")}
    y = {key[2:]: values for key, values in given.items() if key.startswith("y_")}
    made = network(x if len(x) > 1 else x.popitem()[1])
    made = made if isinstance(made, dict) else {next(iter(network.outputs)): made}
    costs = []
    if hasattr(network, "learn"):
        x = {key[2:]: values[:4] for key, values in given.items() if key.startswith("x_")}
        costs = [network.learn(x, y, rate) for rate in RATES]
        network.save(name + ".learnt.npz")
    np.savez(name + ".made.npz", costs=costs, **{"made_" + key: values for key, values in made.items()})
others = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names) - {"numpy", "__main__"}
print(json.dumps(sorted(other for other in others if not other.startswith("net") and "cython" not in other)))
""".replace("RATES", repr(RATES))


@pytest.fixture(scope="module")
def lonely(tmp_path_factory):
    """A folder to import from that holds NumPy alone."""
    folder = tmp_path_factory.mktemp("only_numpy")
    site = Path(np.__file__).parents[1]
    for name in ("numpy", "numpy.libs"):
        if (site / name).exists():
            (folder / name).symlink_to(site / name)
    return folder


def alone(folder, lonely, *arguments):
    """Run Python where site-packages are out of reach."""
    kind = {name: os.environ[name] for name in KIND if name in os.environ}
    environment = {**kind, "PYTHONPATH": f"{folder}{os.pathsep}{lonely}", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-S", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def classes(kind, n, seed):
    """Targets that any cost takes: a distribution over the channels of every pixel."""
    values = np.random.default_rng(seed).random((n, *kind.shape)).astype("f4")
    return values / values.sum(axis=1, keepdims=True)


def compare(texts, folder, lonely, train, tolerance=1e-5):
    models = {}
    for k, text in enumerate(texts):
        model = cnnspec.compile(text=text, batch=BATCH, workers=1)
        name = f"net{k}"
        source = module_source(
            model.spec, model.parameters, train=train, batch=BATCH, beside=f"{name}.npz", embed=k % 2 > 0
        )
        (folder / f"{name}.py").write_text(source)
        if k % 2 == 0:
            (folder / f"{name}.npz").write_bytes(packed(model.parameters))
        x = {f"x_{key}": v for key, v in values_for(model.graph, n=6, seed=k, dtype="float32").items()}
        y = {f"y_{key}": classes(model.graph.type(key), BATCH, k) for key in model.graph.outputs} if train else {}
        np.savez(folder / f"{name}.given.npz", **x, **y)
        models[name] = model, {key[2:]: v for key, v in x.items()}, {key[2:]: v for key, v in y.items()}
    (folder / "driver.py").write_text(DRIVER)
    strangers = json.loads(alone(folder, lonely, "driver.py", json.dumps(list(models))).splitlines()[-1])
    assert not strangers
    for name, (model, x, y) in models.items():
        with np.load(folder / f"{name}.made.npz") as file:
            made = dict(file)
        ours = model.predict(x)
        ours = ours if isinstance(ours, dict) else {model.graph.outputs[0]: ours}
        for key, values in ours.items():
            near(made[f"made_{called(model.graph.outputs)[key]}"], values, tolerance, name, key)
        if train:
            first = {key: values[:BATCH] for key, values in x.items()}
            arrays = {**first, **{f"{key}.target": values for key, values in y.items()}}
            costs = [model.engine.learn(arrays, rate)[0] for rate in RATES]
            near(made["costs"], costs, tolerance, name, "costs")
            with np.load(folder / f"{name}.learnt.npz") as file:
                learnt = dict(file)
            assert learnt.keys() == set(model.parameters)
            for key, values in model.parameters.items():
                near(learnt[key], values, tolerance, name, key)


def near(theirs, ours, tolerance, *what):
    np.testing.assert_allclose(
        theirs, ours, rtol=tolerance, atol=tolerance * max(np.abs(ours).max(), 1e-3), err_msg=str(what)
    )


def test_words_and_structures_in_use(tmp_path, lonely):
    compare([*examples().values(), *STRUCTURES.values()], tmp_path, lonely, train=False)


def test_words_and_structures_while_they_learn(tmp_path, lonely):
    compare([*examples().values(), *STRUCTURES.values()], tmp_path, lonely, train=True)


def test_every_optimiser(tmp_path, lonely):
    optimisers = [
        "sgd",
        "sgd momentum 0.9 nesterov on weight_decay 1e-3 clip 0.1",
        "rmsprop momentum 0.5",
        "adagrad lr_decay 0.1",
        "adam weight_decay 0.01",
        "adamw clip 0.5",
        "lion weight_decay 0.1",
    ]
    net = "input 2x7x7\nconv 4x3x3 -> bn -> relu -> maxpool 2 -> dense 3 -> softmax\ntrain {{ optimiser {} }}"
    compare([net.format(optimiser) for optimiser in optimisers], tmp_path, lonely, train=True)


def test_specs_of_the_repository(tmp_path, lonely):
    names = ("digits", "card", "lenet5", "resnet20", "two-heads", "siamese", "sequence", "iris", "autoencoder")
    compare([(ROOT / "specs" / f"{name}.cnn").read_text() for name in names], tmp_path, lonely, train=False)


def test_its_main_classifies_an_npy_file(tmp_path, lonely):
    model = cnnspec.compile(text="input 1x6x6\nconv 2x3x3 -> relu -> dense 3 -> softmax", batch=BATCH)
    (tmp_path / "net.py").write_text(module_source(model.spec, model.parameters, embed=True))
    images = np.random.default_rng(0).random((5, 1, 6, 6), "f4")
    np.save(tmp_path / "images.npy", images)
    lines = alone(tmp_path, lonely, "net.py", "images.npy").splitlines()
    found = [int(line.split("class ")[1].split()[0]) for line in lines]
    assert found == model.predict(images).argmax(axis=1).tolist()
    np.save(tmp_path / "one.npy", images[2])
    (line,) = alone(tmp_path, lonely, "net.py", "one.npy").splitlines()
    assert f"class {found[2]} " in line


def test_threads_that_use_one_module_get_their_own_answers():
    """As a server's do: a second one asks while the first is being answered."""
    model = cnnspec.compile(text="input 1x6x6\nconv 2x3x3 -> relu -> dense 3 -> softmax", batch=BATCH)
    names = {"__name__": "net"}
    exec(module_source(model.spec, model.parameters, embed=True, batch=BATCH), names)
    network = names["load"]()
    x, other = np.random.default_rng(0).random((2, 6, 1, 6, 6), "f4")
    forward, found = network.plan.forward, []
    second = Thread(target=lambda: found.append(network(other)))

    def amid(b, p):
        if not second.ident:
            second.start()
            second.join(0.05)
        return forward(b, p)

    network.plan = network.plan._replace(forward=amid)
    found.append(network(x))
    second.join()
    for values, images in zip(found, (x, other), strict=True):
        near(values, model.predict(images), 1e-5)


def test_what_it_refuses(tmp_path, lonely):
    model = cnnspec.compile(text="input 1x6x6\ndense 3 -> softmax", batch=BATCH)
    (tmp_path / "net.py").write_text(module_source(model.spec, model.parameters, embed=True, train=True, batch=4))
    code = """
        import net, numpy as np
        network = net.load()
        for call in (
            lambda: network(np.zeros((2, 1, 5, 6))),
            lambda: network.set("dense1.weight", np.zeros((3, 35))),
            lambda: net.Net({"dense1.weight": np.zeros((3, 36)), "dense2.bias": np.zeros(3)}),
            lambda: network.learn(np.zeros((4, 1, 6, 6)), np.zeros(3, int)),
        ):
            try:
                call()
            except ValueError as error:
                print(error)
    """
    said = alone(tmp_path, lonely, "-c", "\n".join(line[8:] for line in code.splitlines())).splitlines()
    assert said == [
        "`input` takes arrays of shape ('n', 1, 6, 6), got (2, 1, 5, 6)",
        "dense1.weight has shape (3, 36), got (3, 35)",
        "these are not the weights of this network: dense1.bias, dense2.bias on one side only",
        "4 targets belong to a step, got (3,)",
    ]


def test_only_the_kernels_that_the_plan_calls_come_along():
    model = cnnspec.compile(text="input 4\ndense 3 -> softmax", batch=BATCH)
    source = module_source(model.spec, model.parameters)
    assert "def softmax(" in source
    assert "def maxpool" not in source and "def winograd" not in source and "class Learning" not in source


def test_no_two_kernel_modules_define_one_name_differently():
    """They come to stand in one file."""
    seen = {}
    for module in MODULES:
        for name, definition in definitions(module).own.items():
            assert seen.setdefault(name, definition.source) == definition.source, name


def test_every_kernel_can_be_taken_out_with_what_it_needs():
    for name in KERNELS:
        imports, texts = sources([name])
        text = "\n".join(["from __future__ import annotations", "import numpy as np", *imports, *texts])
        names = {}
        exec(compile(text, name, "exec"), names)
        assert callable(names[name])


def test_what_is_copied_into_a_module_has_names_of_its_own():
    """Of two definitions of one name the later one would serve both."""
    from collections import Counter

    from cnnspec.kernels import MODULES
    from cnnspec.runtime import load
    from cnnspec.targets.python import runtime
    from cnnspec.targets.python.kernel_source import definitions

    copied = (*MODULES, load, runtime)
    names = Counter(name for module in copied for name in definitions(module).own)
    assert not [name for name, count in names.items() if count > 1]
