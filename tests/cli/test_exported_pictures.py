"""What is exported takes pictures of any size, where the data block of its training brought them to one."""

import json
import runpy

import numpy as np
import pytest
import scripts

import cnnspec as package
from cnnspec.data.preparation import Preparation

SIZES = ((12, 16), (7, 33), (61, 9), (95, 130))
STEP = 1 / 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A spec whose answer is the picture that it sees, pixel by pixel, and the weights of its run."""
    folder = tmp_path_factory.mktemp("net")
    (folder / "net.cnn").write_text("input 3x12x16\nscale -> relu\n")
    document = {
        "version": 1, "versions": {}, "source": "images", "colour": True, "input": [3, 12, 16], "resize": [12, 16],
        "range": [0, 255], "scale": [STEP] * 3, "offset": [0.5, 1.0, 0.0], "stored": "bytes", "classes": ["a", "b"],
    }  # fmt: skip
    model = package.compile(folder / "net.cnn", seed=0)
    model.preparation = Preparation.from_json(document, "here")
    model.save(folder / "w.safetensors")
    return folder


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: "x".join(map(str, size)))
def picture(request, folder):
    """A file, its pixels [1, 3, h, w] as they are, and what the network answers about the file."""
    Image = pytest.importorskip("PIL.Image", reason="needs the extra cnnspec[data]")
    height, width = request.param
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    pixels[: height // 2, :, 1] = 255
    path = folder / f"{height}x{width}.png"
    Image.fromarray(pixels).save(path)
    return path, pixels.transpose(2, 0, 1)[None]


@pytest.fixture
def agrees(folder, picture, cnnspec):
    path, _ = picture
    (asked,) = json.loads(cnnspec("predict", folder / "w.safetensors", path, "--json").out)
    wanted = np.array(asked["output"])[None]

    def check(found):
        """No pixel is further away than one step of 255: Pillow rounds twice on the way."""
        steps = np.abs(np.asarray(found) - wanted) / STEP
        assert found.shape == wanted.shape and steps.max() < 1.01 and (steps > 0.01).mean() < 0.35

    return check


@pytest.fixture
def compiled(folder, cnnspec):
    def call(emit, name, *how):
        done = cnnspec(
            "compile", folder / "net.cnn", "--emit", emit, "--weights", folder / "w.safetensors", "-o", name, *how
        )
        assert done.code == 0, done.err
        fed = "n x 3 x h x w (nchw) of any height and width, brought to 12x16, red, green and blue, upright"
        assert "--raw" in how or fed in done.err

    return call


def test_arrays_of_any_size_are_answered_as_their_files_are(folder, picture, agrees, cnnspec, here):
    _, x = picture
    for array in (x, x[0], x[0].transpose(1, 2, 0), x.astype(np.float32)):
        np.save("x.npy", array)
        done = cnnspec("predict", folder / "w.safetensors", "x.npy", "--json")
        assert done.code == 0, done.err
        agrees(np.array([json.loads(done.out)[0]["output"]]))
    np.save("x.npy", np.zeros((2, 4, 9, 9), np.uint8))
    done = cnnspec("predict", folder / "w.safetensors", "x.npy")
    assert done.code == 1 and "CNN408" in done.err


def test_a_model_of_onnx(here, picture, agrees, compiled, cnnspec):
    onnx = pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    runtime = pytest.importorskip("onnxruntime")
    compiled("onnx", "net.onnx")
    made = onnx.load("net.onnx")
    onnx.checker.check_model(made, full_check=True)
    sizes = [size.dim_param or size.dim_value for size in made.graph.input[0].type.tensor_type.shape.dim]
    assert sizes == ["n", 3, "h", "w"] and made.opset_import[0].version == 18
    session = runtime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
    agrees(session.run(None, {session.get_inputs()[0].name: picture[1]})[0])


def test_a_model_of_onnx_of_an_older_opset_leaves_the_size_to_its_user(here, folder, compiled, cnnspec):
    onnx = pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    arguments = ["compile", folder / "net.cnn", "--emit", "onnx", "--weights", folder / "w.safetensors"]
    arguments += ["-o", "n.onnx"]
    refused = cnnspec(*arguments, "--opset", 17)
    assert refused.code == 1 and "CNN508" in refused.err and "resize 12x16" in refused.err
    assert cnnspec(*arguments, "--opset", 17, "--raw").code == 0
    assert onnx.load("n.onnx").opset_import[0].version == 17


def test_a_model_of_onnx_comes_back_as_the_network_that_it_was(here, folder, compiled, cnnspec):
    pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    compiled("onnx", "net.onnx")
    assert cnnspec("import", "net.onnx", "-o", "back.cnn").code == 0
    text = (here / "back.cnn").read_text()
    assert "input 3x12x16" in text and "resize" not in text


def test_a_module_of_pytorch(here, picture, agrees, compiled):
    torch = pytest.importorskip("torch")
    compiled("torch", "net.py")
    names = runpy.run_path("net.py")
    net = names["Net"]()
    x = torch.from_numpy(picture[1].copy())
    for given in (x, x / 255):
        agrees(net(given).detach().numpy())


def test_a_module_of_python(here, picture, agrees, compiled):
    compiled("python", "net.py")
    network = runpy.run_path("net.py")["load"]()
    for given in (picture[1], picture[1] / 255, picture[1].astype(np.int64)):
        agrees(network(given))


def test_a_module_of_jax(here, picture, agrees, compiled):
    pytest.importorskip("jax", reason="needs the extra cnnspec[jax]")
    compiled("jax", "net.py")
    agrees(runpy.run_path("net.py")["load"]()(picture[1]))


def test_a_module_of_javascript_takes_what_a_canvas_gives(here, picture, agrees, compiled):
    scripts.need_node()
    compiled("js", "net.js")
    pixels = picture[1][0].transpose(1, 2, 0)
    opaque = np.concatenate([pixels, np.full((*pixels.shape[:2], 1), 255, np.uint8)], axis=2)
    (here / "p.mjs").write_text(f"""
        import {{ load }} from "./net.js"; import {{ writeFileSync }} from "node:fs";
        const net = await load(), data = new Uint8ClampedArray({opaque.reshape(-1).tolist()});
        const picture = {{ data, width: {pixels.shape[1]}, height: {pixels.shape[0]} }};
        const told = [picture, [picture, picture]].map((x) => Array.from(Object.values(net.predict(x))[0]));
        let refused = "";
        try {{ net.predict([picture, 3]); }} catch (error) {{ refused = error.message; }}
        writeFileSync("a.json", JSON.stringify([...told, refused]));
    """)
    (here / "package.json").write_text('{"type": "module"}')
    scripts.node("p.mjs", here)
    one, two, refused = json.loads((here / "a.json").read_text())
    agrees(np.array(one).reshape(1, 3, 12, 16))
    assert two == one + one and "others are not" in refused


def test_pictures_of_a_canvas_are_grey_on_their_background_where_training_made_them_so(here, cnnspec):
    scripts.need_node()
    image = pytest.importorskip("PIL.Image", reason="needs the extra cnnspec[data]")
    document = {
        "version": 1, "versions": {}, "source": "images", "colour": False, "input": [1, 4, 4], "range": [0, 255],
        "scale": [1], "offset": [0], "stored": "bytes", "classes": None, "background": "#2040f0",
    }  # fmt: skip
    (here / "net.cnn").write_text("input 1x4x4\nscale -> relu\n")
    model = package.compile(here / "net.cnn", seed=0)
    model.preparation = Preparation.from_json(document, "here")
    model.save(here / "w.safetensors")
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4, 4)).astype(np.uint8)
    image.fromarray(pixels).save("x.png")
    wanted = json.loads(cnnspec("predict", "w.safetensors", "x.png", "--json").out)[0]["output"]
    assert cnnspec("compile", "w.safetensors", "--emit", "js", "-o", "net.js").code == 0
    (here / "p.mjs").write_text(f"""
        import {{ load }} from "./net.js"; import {{ writeFileSync }} from "node:fs";
        const net = await load(), data = new Uint8ClampedArray({pixels.reshape(-1).tolist()}), refused = [];
        const told = Array.from(Object.values(net.predict({{ data, width: 4, height: 4 }}))[0]);
        try {{ net.predict({{ data, width: 2, height: 8 }}); }} catch (error) {{ refused.push(error.message); }}
        writeFileSync("a.json", JSON.stringify([told, refused]));
    """)
    (here / "package.json").write_text('{"type": "module"}')
    scripts.node("p.mjs", here)
    told, refused = json.loads((here / "a.json").read_text())
    assert np.abs(np.array(told) - np.ravel(wanted)).max() <= 1
    assert refused == ["the network takes pictures of 4x4, and this one is 8x2"]


def test_a_size_that_is_not_the_networks_is_refused(folder, cnnspec, here):
    document = {
        "version": 1, "versions": {}, "source": "images", "input": [3, 12, 16], "resize": [16, 12],
        "range": [0, 255], "scale": [1], "offset": [0], "stored": "bytes", "classes": None,
    }  # fmt: skip
    with pytest.raises(package.SpecError) as error:
        Preparation.from_json(document, "a file")
    assert "CNN427" in str(error.value) and "/resize" in str(error.value)
