"""What is exported tells what it wants to be fed, and its classes: in itself, and where it is written."""

import importlib.util
import json
import runpy

import numpy as np
import pytest
import scripts

import cnnspec as package
from cnnspec.data.preparation import Preparation

CLASSES = ("cat", 'do"g\n', "émeu")


@pytest.fixture(scope="module", params=["bytes", "floats", "plain"])
def trained(request, tmp_path_factory):
    """A spec, weights that tell how images were prepared (in every class's own way), and some images as stored."""
    folder = tmp_path_factory.mktemp("net")
    (folder / "net.cnn").write_text("input 2x6x5\nconv 4x3x3 -> relu -> dense 3 -> softmax\n")
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (7, 2, 6, 5)).astype(np.uint8 if request.param != "floats" else np.float32)
    scaling = {"scale": [1 / 255], "offset": [0.0]}
    if request.param != "plain":
        scaling = {"scale": [0.0229, 0.031], "offset": [-1.7, -2.5]}
    document = {
        "version": 1, "versions": {}, "source": "npz", "input": [2, 6, 5], "range": [0, 255], **scaling,
        "stored": "floats" if request.param == "floats" else "bytes", "classes": list(CLASSES),
    }  # fmt: skip
    model = package.compile(folder / "net.cnn", seed=2)
    model.preparation = Preparation.from_json(document, "here")
    model.save(folder / "w.safetensors")
    seen, word = model.preparation.apply(x, "x")
    assert word == ""
    return folder, model, x, seen, model.predict(seen)


@pytest.fixture
def compiled(trained, cnnspec):
    folder = trained[0]

    def call(emit, name, *how):
        done = cnnspec(
            "compile", folder / "net.cnn", "--emit", emit, "--weights", folder / "w.safetensors", "-o", name, *how
        )
        assert done.code == 0, done.err
        return done

    return call


def test_the_command_says_what_the_network_is_fed(trained, compiled):
    model = trained[1]
    told = compiled("python", "net.py").err
    assert told.startswith(f"feed the network {model.preparation.fed()}: it prepares them; its 3 classes: ")
    assert '"cat", "do\\"g\\n", "\\u00e9meu"' in told.splitlines()[0]
    told = compiled("python", "net.py", "--raw").err
    assert told.startswith(f"feed the network {model.preparation.wants()}; its 3 classes: ")


@pytest.mark.parametrize("raw", [False, True], ids=["whole", "raw"])
def test_a_module_of_python_prepares_images_as_they_are_stored(here, trained, compiled, capsysbinary, raw):
    *_, x, seen, answers = trained
    compiled("python", "net.py", *["--raw"] * raw)
    names = runpy.run_path("net.py")
    network = names["load"]()
    np.testing.assert_array_equal(network.prepare(x), seen)
    np.testing.assert_allclose(network(seen if raw else x), answers, atol=1e-6)
    assert network.prepares is not raw and ("prepares nothing" in names["__doc__"]) is raw
    assert network.prepare.classes == CLASSES
    np.save("x.npy", x)
    capsysbinary.readouterr()
    names["main"](network, ["x.npy"])
    best = [names["printable"](CLASSES[k]) for k in answers.argmax(axis=1)]
    said = capsysbinary.readouterr().out.decode()
    assert all(f"{i}  " in said and name in said for i, name in enumerate(best)), said
    if x.dtype == np.uint8:
        with pytest.raises(ValueError, match="trained on bytes"):
            network.prepare(x - 1e3)
        np.testing.assert_allclose(network.prepare(x / 255), seen, atol=1e-5)
        np.testing.assert_array_equal(network.prepare(x.astype(np.int64)), seen)
        np.testing.assert_array_equal(network.prepare(x.astype(np.float64)), seen)
    else:  # that filled 0 to 255
        np.testing.assert_array_equal(network.prepare(x.astype(np.uint8)), seen)
        with pytest.raises(ValueError, match="trained on floats"):
            network.prepare._replace(bytes_as=None)(x.astype(np.uint8))


def test_a_module_of_pytorch_prepares_images_as_they_are_stored(here, trained, compiled):
    torch = pytest.importorskip("torch")
    _, model, x, seen, answers = trained
    for raw in (False, True):
        compiled("torch", "net.py", *["--raw"] * raw)
        names = runpy.run_path("net.py")
        net = names["Net"]()
        net.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in model.parameters.items()})
        net.eval()
        given = torch.from_numpy(x)
        np.testing.assert_allclose(names["prepare"](given).numpy(), seen, rtol=1e-6, atol=1e-6)
        with torch.no_grad():
            np.testing.assert_allclose(net(torch.from_numpy(seen) if raw else given).numpy(), answers, atol=1e-5)
        assert names["CLASSES"] == CLASSES
        if x.dtype == np.uint8:  # as torchvision's ToTensor makes them, or as whole floats
            np.testing.assert_allclose(names["prepare"](given / 255).numpy(), seen, atol=1e-5)
            np.testing.assert_allclose(names["prepare"](given.float()).numpy(), seen, rtol=1e-6, atol=1e-6)
        told = " ".join(names["__doc__"].split())
        assert model.preparation.wants() in told and ("prepares nothing" in told) is raw


@pytest.mark.parametrize("raw", [False, True], ids=["whole", "raw"])
def test_a_model_of_onnx_tells_in_its_metadata_and_comes_back_with_it(here, trained, compiled, cnnspec, raw):
    onnx = pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    _, model, x, _, answers = trained
    compiled("onnx", "net.onnx", *["--raw"] * raw)
    made = onnx.load("net.onnx")
    onnx.checker.check_model(made, full_check=True)
    assert model.preparation.told(raw) == made.doc_string and made.doc_string.isprintable()
    props = {entry.key: entry.value for entry in made.metadata_props}
    assert tuple(json.loads(props["classes"])) == CLASSES
    assert props["cnnspec.prepares"] == ("no" if raw else "yes")
    assert Preparation.from_json(json.loads(props["cnnspec.preparation"]), "net.onnx") == model.preparation
    assert cnnspec("import", "net.onnx", "-o", "back.cnn").code == 0
    np.save("x.npy", x)
    (here / "net.onnx").unlink()
    found = json.loads(cnnspec("predict", "back.safetensors", "x.npy", "--json").out)
    np.testing.assert_allclose([answer["output"] for answer in found], answers, atol=1e-5)
    assert [answer["best"][0][0] for answer in found] == [CLASSES[k] for k in answers.argmax(axis=1)]


@pytest.mark.parametrize("raw", [False, True], ids=["whole", "raw"])
def test_onnxruntime_answers_from_the_stored_images_as_predict_does(trained, compiled, raw):
    ort = pytest.importorskip("onnxruntime", reason="asks onnxruntime")
    pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    *_, x, seen, answers = trained
    compiled("onnx", "net.onnx", *["--raw"] * raw)
    session = ort.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert given.type == ("tensor(uint8)" if x.dtype == np.uint8 and not raw else "tensor(float)")
    for some in (x, x[:1]):
        (found,) = session.run(None, {given.name: seen[: len(some)] if raw else some})
        np.testing.assert_allclose(found, answers[: len(some)], atol=1e-6)


STORED = {
    "nhwc": (np.random.default_rng(0).integers(0, 256, (9, 6, 5, 3)).astype(np.uint8), "conv 2x3x3 -> dense 2"),
    "nhw": (np.random.default_rng(0).normal(5e3, 1, (9, 6, 5)), "conv 2x3x3 -> dense 2"),  # far from zero
    "nwc": (np.random.default_rng(0).normal(0, 9, (9, 8, 2)), "conv 2x3 -> dense 2"),
    "nc": (np.random.default_rng(0).integers(0, 9, (9, 5)).astype(np.int16), "dense 2"),
}


@pytest.mark.parametrize("axes", STORED)
def test_what_is_exported_takes_the_array_that_training_took(here, cnnspec, axes):
    """In the order of its axes, of its type, under `normalise on`: the file that was trained on is asked about."""
    x, text = STORED[axes]
    np.savez("d.npz", x=x, y=np.arange(9) % 2)
    source = f'npz "d.npz" axes {axes} test 0'
    (here / "net.cnn").write_text(
        f"{text} -> softmax\ndata {{ source {source} ; normalise on ; validation 0 }}\ntrain {{ epochs 1 }}\n"
    )
    assert cnnspec("run", "net.cnn", "--workers", 1).code == 0
    weights = "runs/net-001/weights/last.safetensors"
    asked = json.loads(cnnspec("predict", weights, "d.npz", "--json").out)
    answers = np.array([answer["output"] for answer in asked])

    def compiled(emit, name):
        done = cnnspec("compile", "net.cnn", "--emit", emit, "--weights", weights, "-o", name)
        assert done.code == 0, done.err

    compiled("python", "alone.py")
    np.testing.assert_allclose(runpy.run_path("alone.py")["load"]()(x), answers, atol=1e-5)
    onnx, ort, torch = (pytest.importorskip(name) for name in ("onnx", "onnxruntime", "torch"))
    compiled("onnx", "net.onnx")
    session = ort.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    given = x if x.dtype == np.uint8 else x.astype(np.float32)
    (name,) = (entry.name for entry in session.get_inputs())
    np.testing.assert_allclose(session.run(None, {name: given})[0], answers, atol=1e-5)
    compiled("torch", "net.py")
    net = runpy.run_path("net.py")["Net"]().eval()
    arrays = {name: torch.from_numpy(v.copy()) for name, v in package.open(weights).parameters.items()}
    net.load_state_dict(arrays)
    with torch.no_grad():
        np.testing.assert_allclose(net(torch.from_numpy(given)).numpy(), answers, atol=1e-5)
    assert cnnspec("import", "net.onnx", "-o", "back.cnn").code == 0
    again = json.loads(cnnspec("predict", "back.safetensors", "d.npz", "--json").out)
    np.testing.assert_allclose([answer["output"] for answer in again], answers, atol=1e-5)
    assert onnx.load("net.onnx").graph.input[0].type.tensor_type.shape.dim[-1].dim_value == x.shape[-1]


def test_each_of_several_inputs_is_prepared_in_its_own_way(here, cnnspec):
    random = np.random.default_rng(0)
    x = {
        "left": random.integers(0, 256, (20, 1, 4, 4)).astype(np.uint8),
        "right": random.normal(40, 3, (20, 2, 5)).astype(np.float32),
    }
    np.savez("d.npz", y=np.arange(20) % 2, **x)
    (here / "net.cnn").write_text(
        "input 1x4x4 as left\ninput 2x5 as right\n"
        "mul( @left -> dense 3 | @right -> dense 3 ) -> dense 2 -> softmax\n"
        'data { source npz "d.npz" ; normalise on }\ntrain { epochs 1 }\n'
    )
    done = cnnspec("run", "net.cnn", "--workers", 1)
    assert done.code == 0, done.err
    weights = "runs/net-001/weights/best.safetensors"
    model = package.open(weights)
    answers = model.predict({name: model.preparation.of(name).apply(some, name)[0] for name, some in x.items()})

    def compiled(emit, name):
        done = cnnspec("compile", "net.cnn", "--emit", emit, "--weights", weights, "-o", name)
        assert done.code == 0, done.err

    compiled("python", "alone.py")
    np.testing.assert_allclose(runpy.run_path("alone.py")["load"]()(x), answers, atol=1e-5)
    compiled("js", "net.js")
    torch, ort = (pytest.importorskip(name) for name in ("torch", "onnxruntime"))
    compiled("torch", "net.py")
    net = runpy.run_path("net.py")["Net"]().eval()
    net.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in model.parameters.items()})
    with torch.no_grad():
        np.testing.assert_allclose(net(*map(torch.from_numpy, x.values())).numpy(), answers, atol=1e-5)
    pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    compiled("onnx", "net.onnx")
    session = ort.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, x)[0], answers, atol=1e-5)
    assert cnnspec("import", "net.onnx", "-o", "back.cnn").code == 0
    again = package.open("back.safetensors")
    assert again.preparation == model.preparation
    pytest.importorskip("jax")
    compiled("jax", "jaxed.py")
    np.testing.assert_allclose(runpy.run_path("jaxed.py")["load"]()(x), answers, atol=1e-5)


def test_a_model_whose_first_nodes_others_changed_is_taken_with_them(here, trained, compiled, cnnspec):
    """A tool that folds or renames them leaves what it made: it is read as words, and nothing is prepared twice."""
    onnx = pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    *_, x, _, answers = trained
    compiled("onnx", "net.onnx")
    made = onnx.load("net.onnx")
    for node in made.graph.node:
        node.name = ""
    onnx.save(made, "net.onnx")
    done = cnnspec("import", "net.onnx", "-o", "back.cnn")
    if done.code:
        assert done.code == 1 and "CNN50" in done.err
        return
    model = package.compile("back.cnn")
    model.load("back.safetensors")
    assert model.preparation is None
    np.testing.assert_allclose(model.predict(x.astype(np.float32)), answers, atol=1e-5)


def test_weights_that_do_not_tell_are_said_not_to(trained, cnnspec):
    folder = trained[0]
    package.compile(folder / "net.cnn").save(folder / "bare.safetensors")
    done = cnnspec("compile", folder / "net.cnn", "--emit", "torch", "--weights", folder / "bare.safetensors")
    assert done.code == 0 and "does not tell how images are prepared" in done.err
    assert "prepare" not in done.out
    assert cnnspec("compile", folder / "net.cnn", "--emit", "torch", "--raw").code == 2
    assert cnnspec("compile", folder / "net.cnn", "--emit", "json", "--weights", folder / "w.safetensors").code == 2


def test_a_run_and_weights_that_tell_their_spec_are_written_without_it(here, trained, cnnspec):
    folder, model, *_ = trained
    given = cnnspec("compile", folder / "net.cnn", "--emit", "torch", "--weights", folder / "w.safetensors")
    alone = cnnspec("compile", folder / "w.safetensors", "--emit", "torch")
    assert alone.code == 0 and alone.out == given.out and model.preparation.fed() in alone.err
    assert cnnspec("compile", folder / "w.safetensors", "--emit", "torch", "--raw").code == 0
    assert json.loads(cnnspec("compile", folder / "w.safetensors", "--emit", "json").out)["nodes"]
    for more in (("--weights", folder / "w.safetensors"), ("--seed", 1), ("--input", "2x6x5"), ("--as", "timm")):
        refused = cnnspec("compile", folder / "w.safetensors", "--emit", "torch", *more)
        assert refused.code == 2 and "is trained" in refused.err
    np.savez("x.npz", x=np.zeros(3))
    refused = cnnspec("compile", here, "--emit", "torch")
    assert refused.code == 1 and "CNN46" in refused.err
    over = cnnspec("compile", folder / "w.safetensors", "--emit", "onnx", "-o", folder / "w.safetensors")
    assert over.code == 2 and "written over" in over.err


def test_columns_of_a_table_are_told_by_name_whatever_they_are_called(here, cnnspec):
    names = ['a"""', "b\\", "c\nimport os"]
    table = {
        "names": names, "label": 4, "label_name": "", "header": True, "separator": ",", "columns": [1, 2, 3],
        "width": 4, "categories": [None, None, ['x"""', "y"]], "missing": "mean", "fill": [0.5, -1.0, 0.0, 1.0],
    }  # fmt: skip
    document = {
        "version": 1, "versions": {}, "source": "csv", "input": [4], "range": [-9, 9], "scale": [2.0] * 4,
        "offset": [1.0] * 4, "stored": "floats", "classes": None, "table": table,
    }  # fmt: skip
    (here / "net.cnn").write_text("input 4\ndense 3\n")
    model = package.compile(here / "net.cnn", seed=0)
    model.preparation = Preparation.from_json(document, "here")
    model.save(here / "w.safetensors")
    x = np.array([[1, 2, 0, 1], [np.nan, 3, 1, 0], [4, np.nan, 1, 0]], np.float32)
    seen = 2 * np.where(np.isnan(x), np.array(table["fill"], np.float32), x) + 1
    wanted = model.predict(seen)
    np.save("x.npy", x)
    asked = json.loads(cnnspec("predict", "w.safetensors", "x.npy", "--json").out)
    np.testing.assert_allclose([answer["output"] for answer in asked], wanted, rtol=1e-5)
    said = cnnspec("compile", "w.safetensors", "--emit", "python", "-o", "net.py").err
    assert 'n x 4 (nc): "a\\"\\"\\"", "b\\\\", "c\\nimport os is x' in said and "NaN where one is missing" in said
    np.testing.assert_allclose(runpy.run_path("net.py")["load"]()(x), wanted, rtol=1e-5)
    if importlib.util.find_spec("torch"):
        import torch

        assert cnnspec("compile", "w.safetensors", "--emit", "torch", "-o", "net_torch.py").code == 0
        net = runpy.run_path("net_torch.py")["Net"]()
        net.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in model.parameters.items()})
        np.testing.assert_allclose(net(torch.from_numpy(x)).detach().numpy(), wanted, rtol=1e-5)
    if importlib.util.find_spec("jax"):
        assert cnnspec("compile", "w.safetensors", "--emit", "jax", "-o", "net_jax.py").code == 0
        np.testing.assert_allclose(runpy.run_path("net_jax.py")["load"]()(x), wanted, rtol=1e-5)
    if scripts.there():
        assert cnnspec("compile", "w.safetensors", "--emit", "js", "-o", "net.js").code == 0
        given = [None if np.isnan(v) else float(v) for v in x.reshape(-1)]
        (here / "p.mjs").write_text(f"""
            import {{ load }} from "./net.js"; import {{ writeFileSync }} from "node:fs";
            const net = await load(), rows = {json.dumps(given)}.map((v) => v ?? NaN);
            writeFileSync("a.json", JSON.stringify(Array.from(net.predict(rows).dense1)));
        """)
        (here / "package.json").write_text('{"type": "module"}')
        scripts.node("p.mjs", here)
        np.testing.assert_allclose(json.loads((here / "a.json").read_text()), wanted.reshape(-1), rtol=1e-5)
    if importlib.util.find_spec("onnx"):
        import onnx

        assert cnnspec("compile", "w.safetensors", "--emit", "onnx", "-o", "net.onnx").code == 0
        props = {entry.key: entry.value for entry in onnx.load("net.onnx").metadata_props}
        assert json.loads(props["columns"]) == [*names[:2], 'c\nimport os is x"""', "c\nimport os is y"]


def test_an_input_that_the_spec_leaves_open_is_that_of_the_weights(here, trained, cnnspec):
    folder = trained[0]
    (here / "open.cnn").write_text('conv 4x3x3 -> relu -> dense 3 -> softmax\ndata { source npz "gone.npz" }\n')
    done = cnnspec("compile", "open.cnn", "--emit", "torch", "--weights", folder / "w.safetensors")
    assert done.code == 0 and "(n, 2, 6, 5)" in done.out


def test_a_model_of_onnx_whose_preparation_was_edited_is_refused(here, trained, compiled, cnnspec):
    onnx = pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    compiled("onnx", "net.onnx")
    made = onnx.load("net.onnx")
    onnx.helper.set_model_props(made, {"cnnspec.preparation": '{"version": 1}'})
    onnx.save(made, "net.onnx")
    refused = cnnspec("import", "net.onnx", "-o", "back.cnn")
    assert refused.code == 1 and "CNN427" in refused.err and not (here / "back.cnn").exists()


@pytest.mark.parametrize(
    "head, kind, said",
    [
        ("conv 2x6x6 -> softmax", "classes", "class "),
        ("dense 2 -> softmax", "classes", "class "),
        ("dense 1 -> sigmoid", "classes", "class "),
        ("dense 2", "numbers", "dense1: ["),
    ],
)
def test_a_module_names_the_class_as_predict_does(here, cnnspec, capsysbinary, head, kind, said):
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (40, 1, 6, 6)).astype(np.uint8)
    y = np.array(["calm", "wild"])[np.arange(40) % 2] if kind == "classes" else random.random((40, 2))
    x[::2, :, :3] //= 4
    np.savez("d.npz", x=x, y=y)
    np.save("x.npy", x)
    (here / "net.cnn").write_text(
        f'{head}\ndata {{ source npz "d.npz" ; normalise on }}\ntrain {{ epochs 3 ; optimiser adam lr 1e-2 }}\n'
    )
    assert cnnspec("run", "net.cnn", "--workers", 1).code == 0
    weights = "runs/net-001/weights/last.safetensors"
    asked = json.loads(cnnspec("predict", weights, "x.npy", "--json").out)
    done = cnnspec("compile", "net.cnn", "--emit", "python", "--weights", weights, "-o", "alone.py")
    assert done.code == 0, done.err
    names = runpy.run_path("alone.py")
    capsysbinary.readouterr()
    names["main"](names["load"](), ["x.npy"])
    lines = capsysbinary.readouterr().out.decode().splitlines()
    assert len(lines) == 40 and all(said in line for line in lines)
    for line, answer in zip(lines, asked, strict=True):
        assert kind == "numbers" or f"class {answer['best'][0][0]} (" in line


def test_weights_never_go_over_the_data(here, trained, cnnspec):
    folder, weights = trained[0], trained[0] / "w.safetensors"
    np.savez("net.npz", x=np.zeros((3, 2)), y=np.arange(3))
    before = (here / "net.npz").read_bytes()
    arguments = ("compile", folder / "net.cnn", "--emit", "python", "--weights", weights, "-o")
    refused = cnnspec(*arguments, "net.py")
    assert refused.code == 1 and "CNN507" in refused.err and not (here / "net.py").exists()
    assert (here / "net.npz").read_bytes() == before
    assert cnnspec(*arguments, "net.py", "--embed").code == 0
    assert cnnspec(*arguments, "other.py").code == 0
    assert cnnspec(*arguments, "other.py").code == 0, "what was exported before is"
    assert cnnspec(*arguments, "net.npz").code == 2
    for over in (folder / "net.cnn", weights):
        kept = over.read_bytes()
        assert cnnspec(*arguments, over).code == 2 and over.read_bytes() == kept


@pytest.mark.parametrize("raw", [False, True], ids=["whole", "raw"])
def test_a_module_of_javascript_prepares_images_as_they_are_stored(here, trained, compiled, raw):
    scripts.need_node()
    _, model, x, seen, answers = trained
    said = compiled("js", "net.js", *["--raw"] * raw).err
    assert said.startswith(f"feed the network {model.preparation.wants() if raw else model.preparation.fed()}")
    program = """
        import { load } from "./net.js";
        import { readFileSync, writeFileSync } from "node:fs";
        const { stored, asked } = JSON.parse(readFileSync("asked.json")), net = await load();
        const given = stored === "bytes" ? new Uint8Array(asked) : new Float32Array(asked);
        const seen = net.prepare(given);
        const found = Array.from(net.predict(net.prepares ? given : seen).softmax1);
        const answer = { classes: net.classes, prepares: Boolean(net.prepares), seen: Array.from(seen), found };
        writeFileSync("answer.json", JSON.stringify(answer));
    """
    asked = {"stored": model.preparation.stored, "asked": x.reshape(-1).tolist()}
    (here / "asked.json").write_text(json.dumps(asked))
    (here / "program.mjs").write_text(program)
    (here / "package.json").write_text('{"type": "module"}')
    scripts.node("program.mjs", here)
    told = json.loads((here / "answer.json").read_text())
    assert told["classes"] == [*CLASSES] and told["prepares"] is not raw
    np.testing.assert_allclose(told["seen"], seen.reshape(-1), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(told["found"], answers.reshape(-1), rtol=1e-4, atol=1e-6)


def test_weights_of_javascript_never_go_over_others(here, trained, cnnspec):
    folder, weights = trained[0], trained[0] / "w.safetensors"
    (here / "w.safetensors").write_bytes(weights.read_bytes())
    arguments = ("compile", folder / "net.cnn", "--emit", "js", "-o")
    refused = cnnspec(*arguments, "w.js")
    assert refused.code == 1 and "CNN507" in refused.err and not (here / "w.js").exists()
    assert (here / "w.safetensors").read_bytes() == weights.read_bytes()
    assert cnnspec(*arguments, "w.js", "--weights", "w.safetensors").code == 2
    assert cnnspec(*arguments, "w.safetensors").code == 2
    assert cnnspec(*arguments, "w.js", "--embed").code == 0
    for _ in range(2):
        assert cnnspec(*arguments, "other.js").code == 0, "what was exported before is"
    for option, emit in (("--look", "python"), ("--embed", "torch"), ("--batch=2", "js"), ("--opset=13", "js")):
        refused = cnnspec("compile", folder / "net.cnn", "--emit", emit, "-o", "y", option)
        assert refused.code == 2 and f"{option.partition('=')[0]} belongs to --emit" in refused.err
