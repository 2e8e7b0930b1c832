"""`cnnspec predict` prepares what it is given as the training data were, by what the run remembers."""

import io
import json
import shutil
from contextlib import redirect_stdout

import numpy as np
import pytest

from cnnspec.cli import run
from cnnspec.train import tensors


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """Make a folder by a function, once in this module, the current folder being it; a copy of it for each test."""
    made = {}

    def copy(make, here):
        if make not in made:
            folder = tmp_path_factory.mktemp(make.__name__)
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(folder)
                made[make] = folder, make(folder)
        folder, told = made[make]
        shutil.copytree(folder, here, dirs_exist_ok=True)
        return told

    return copy


def train(name):
    with redirect_stdout(io.StringIO()):  # else the first test that asks would find its words in its own output
        assert run(["run", name, "--workers", "1"]) == 0


@pytest.fixture
def floats(here, once):
    """A run on floats of mean 50 under `normalise on`, which tells two classes apart; and its data."""
    return once(make_floats, here)


def make_floats(here):
    random = np.random.default_rng(0)
    x = random.normal(50, 10, (40, 1, 6, 6)).astype("f4")
    y = (random.random(40) > 0.5).astype(int)
    x[y == 1, :, :3] += 30
    np.savez(here / "f.npz", x=x, y=y)
    (here / "n.cnn").write_text(
        'input 1x6x6\ndense 2 -> softmax\ndata { source npz "f.npz" ; normalise on ; validation 0 }\n'
        "train { epochs 30 ; batch 8 ; optimiser adam lr 1e-2 }\n"
    )
    train("n.cnn")
    return x, y


def classes(outcome):
    assert outcome.code == 0, outcome.err
    return [int(answer["best"][0][0]) for answer in json.loads(outcome.out)]


def test_floats_are_normalised_as_in_training(here, cnnspec, floats):
    x, y = floats
    np.save("all.npy", x)
    np.save("double.npy", x.astype(np.float64))
    found = cnnspec("predict", "runs/n-001", "all.npy", "--json")
    assert np.mean(np.array(classes(found)) == y) > 0.95
    assert cnnspec("predict", "runs/n-001", "double.npy", "--json").out == found.out.replace("all", "double")


def test_neither_the_data_nor_the_spec_are_needed_nor_change_anything(here, cnnspec, floats):
    x, y = floats
    np.save("x.npy", x)
    before = cnnspec("predict", "runs/n-001", "x.npy", "--json").out
    np.savez("f.npz", x=x * 7 - 3, y=1 - y)
    assert cnnspec("predict", "runs/n-001", "x.npy", "--json").out == before
    (here / "n.cnn").unlink()
    (here / "f.npz").unlink()
    for trained in ("runs/n-001", "runs/n-001/weights/last.safetensors"):
        assert cnnspec("predict", trained, "x.npy", "--json").out == before


def test_trace_and_report_prepare_an_image_likewise(here, cnnspec, floats):
    from cnnspec.explain.subject import open_subject

    x, y = floats
    np.save("x.npy", x[:4])
    (here / "f.npz").unlink()
    subject = open_subject(here / "runs" / "n-001", image=here / "x.npy")
    assert [example.label for example in subject.examples] == y[:4].tolist()
    assert cnnspec("trace", "runs/n-001", "--at", "softmax1", "--image", "x.npy").code == 0


def test_floats_as_the_network_sees_them_are_said_to_be(here, cnnspec, floats):
    x, _ = floats
    kept = json.loads((here / "runs/n-001/settings.json").read_text())["preparation"]
    np.save("x.npy", x)
    np.save("p.npy", (x * np.float32(kept["scale"][0]) + np.float32(kept["offset"][0])))
    outputs = [
        [answer["output"] for answer in json.loads(cnnspec("predict", "runs/n-001", *asked, "--json").out)]
        for asked in (("p.npy", "--prepared"), ("x.npy",))
    ]
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-5)  # the last bit is the machine's
    np.save("bytes.npy", np.zeros((1, 6, 6), np.uint8))
    assert "CNN426" in cnnspec("predict", "runs/n-001", "bytes.npy", "--prepared").err


def test_bytes_for_a_network_of_floats_are_refused(here, cnnspec, floats):
    np.save("bytes.npy", np.zeros((1, 6, 6), np.uint8))
    refused = cnnspec("predict", "runs/n-001", "bytes.npy")
    assert refused.code == 1 and "bytes.npy holds bytes, and the network was trained on floats from" in refused.err
    assert not refused.out


def test_a_run_from_before_takes_its_data_and_says_so(here, cnnspec, floats):
    x, _ = floats
    np.save("x.npy", x)
    now = cnnspec("predict", "runs/n-001", "x.npy", "--json")
    assert now.err == ""
    settings = here / "runs/n-001/settings.json"
    document = json.loads(settings.read_text())
    kept = document.pop("preparation")
    settings.write_text(json.dumps({**document, "scaling": {"scale": kept["scale"]}, "classes": kept["classes"]}))
    for path in (here / "runs/n-001/weights").iterdir():
        found = tensors.read(path)
        found.metadata.pop("preparation")
        tensors.write(path, found.arrays, found.metadata)
    old = cnnspec("predict", "runs/n-001", "x.npy", "--json")
    assert old.out == now.out and "does not tell how its images were prepared" in old.err
    assert cnnspec("eval", "runs/n-001").code == 0


@pytest.mark.parametrize("change", [{"scale": [1, 2]}, {"scale": None}, {"input": [2, 3, 3]}, {"range": "wide"}])
def test_an_edited_preparation_is_refused(here, cnnspec, floats, change):
    np.save("x.npy", floats[0])
    settings = here / "runs/n-001/settings.json"
    document = json.loads(settings.read_text())
    settings.write_text(json.dumps({**document, "preparation": {**document["preparation"], **change}}))
    for command in (("predict", "runs/n-001", "x.npy"), ("eval", "runs/n-001")):
        refused = cnnspec(*command)
        code = "CNN461" if change == {"input": [2, 3, 3]} else "CNN427"  # the weights tell another one
        assert refused.code == 1 and f"error[{code}]" in refused.err, refused.err


def test_eval_takes_other_data_prepared_as_the_first_were(here, cnnspec, floats):
    x, y = floats
    np.savez("other.npz", x=x + 15, y=y)
    found = cnnspec("eval", "runs/n-001", "--set", f'data.source=npz "{here}/other.npz" test 0.99', "--json")
    assert found.code == 0, found.err
    # by today's own mean, which is moved as the data are, nearly all of them would be right
    assert json.loads(found.out)["accuracy"] < 0.9
    np.savez("bytes.npz", x=x.astype(np.uint8), y=y)
    refused = cnnspec("eval", "runs/n-001", "--set", f'data.source=npz "{here}/bytes.npz"')
    assert refused.code == 1 and "CNN426" in refused.err


# ---- pictures --------------------------------------------------------------------------------------------


@pytest.fixture
def pictures(here, once):
    """A run on grey pictures of many sizes, brought to 12x12: light above, or light below."""
    pytest.importorskip("PIL.Image")
    return once(make_pictures, here)


def make_pictures(here):
    from PIL import Image as image

    random = np.random.default_rng(0)
    for k, name in enumerate(("up", "down")):
        (here / "pics" / name).mkdir(parents=True)
        for i in range(10):
            array = random.integers(0, 60, (16 + i, 20 + i), dtype=np.uint8)
            array[(slice(0, 8), slice(8, None))[k]] += 180
            image.fromarray(array).save(here / f"pics/{name}/{i}.png")
    (here / "p.cnn").write_text(
        'input 1x12x12\ndense 2 -> softmax\ndata { source images "pics" colour off resize 12x12 ; validation 0 }\n'
        "train { epochs 20 ; batch 4 ; optimiser adam lr 1e-2 }\n"
    )
    train("p.cnn")
    return image


def test_a_picture_of_any_size_and_mode_is_prepared_as_the_data_block_did(here, cnnspec, pictures):
    shutil.move("pics", "elsewhere")
    (here / "p.cnn").unlink()
    files = [f"elsewhere/{name}/{i}.png" for name in ("up", "down") for i in range(10)]
    found = json.loads(cnnspec("predict", "runs/p-001", *files, "--json").out)
    assert [answer["best"][0][0] for answer in found] == ["up"] * 10 + ["down"] * 10
    whole = pictures.open(files[0])
    for mode in ("RGB", "RGBA", "P", "L", "CMYK"):
        whole.convert(mode).resize((97, 61)).save(f"{mode}.{'tif' if mode == 'CMYK' else 'png'}")
    for mode in ("RGB", "RGBA", "P", "L"):
        (answer,) = json.loads(cnnspec("predict", "runs/p-001", f"{mode}.png", "--json").out)
        assert answer["best"][0][0] == "up", mode


def test_a_picture_is_brought_to_no_size_where_the_data_were_not(here, cnnspec, pictures):
    (here / "d.cnn").write_text("dense 10 -> softmax\ndata { source digits ; limit 50 }\ntrain { epochs 1 }\n")
    assert cnnspec("run", "d.cnn", "--workers", 1).code == 0
    refused = cnnspec("predict", "runs/d-001", "pics/up/0.png")
    assert refused.code == 1 and "is 1x16x20, and the network takes 1x28x28" in refused.err
    assert "bring it to 28x28 pixels" in refused.err
    pictures.fromarray(np.zeros((28, 28, 3), np.uint8)).save("black.png")
    np.save("black.npy", np.zeros((1, 28, 28), np.uint8))
    outputs = [json.loads(cnnspec("predict", "runs/d-001", f"black.{end}", "--json").out)[0]["output"]
               for end in ("png", "npy")]  # fmt: skip
    assert outputs[0] == outputs[1]


# ---- weights of a model ----------------------------------------------------------------------------------


def test_a_model_that_loads_weights_keeps_their_preparation(here, floats):
    import cnnspec

    model = cnnspec.compile("n.cnn")
    assert model.preparation is None
    model.load("runs/n-001/weights/last.safetensors")
    assert model.preparation.classes == ("0", "1") and model.preparation.stored == "floats"
    model.save("again.safetensors")
    first, again = (tensors.read(here / name).metadata["preparation"]
                    for name in ("runs/n-001/weights/last.safetensors", "again.safetensors"))  # fmt: skip
    assert first == again
    x, y = floats
    assert np.mean(model.predict(model.prepare(x)).argmax(1) == y) > 0.95
    with pytest.raises(cnnspec.SpecError, match="CNN426"):
        model.prepare(x.astype(np.uint8))
    fresh = cnnspec.compile("n.cnn")
    with pytest.raises(cnnspec.SpecError, match="CNN428"):
        fresh.prepare(x)
    fresh.load("runs/n-001/weights/last.safetensors", partial=True)
    assert fresh.preparation is None, "what was loaded in part is another network"


# ---- tables, archives, files of MNIST --------------------------------------------------------------------


@pytest.fixture
def table(here, once):
    """A run on two columns of a csv, the label between them."""
    return once(make_table, here)


def make_table(here):
    random = np.random.default_rng(0)
    rows = [(a, k, b) for k, (a, b) in (((i % 2), random.normal((4 * (i % 2), 900), (1, 90))) for i in range(60))]
    text = "width,kind,weight\n" + "".join(f"{a:.3f},{('small', 'tall')[k]},{b:.2f}\n" for a, k, b in rows)
    (here / "t.csv").write_text(text)
    (here / "t.cnn").write_text(
        'dense 2 -> softmax\ndata { source csv "t.csv" label "kind" ; normalise on ; validation 0 }\n'
        "train { epochs 40 ; batch 16 ; optimiser adam lr 1e-1 }\n"
    )
    train("t.cnn")
    (here / "t.csv").unlink()
    return rows


@pytest.mark.parametrize(
    "header, line",
    [
        ("width,kind,weight", "{a},small,{b}"),
        ("width,weight", "{a},{b}"),
        ("weight , id,  width", "{b},x7,{a}"),
        ("kind,weight,width", ",{b}, {a}"),
    ],
)
def test_rows_of_a_table_are_read_by_the_names_of_its_columns(here, cnnspec, table, header, line):
    whole = header + "\n" + "".join(line.format(a=f"{a:.3f}", b=f"{b:.2f}") + "\n" for a, _, b in table)
    (here / "asked.csv").write_text(whole, encoding="utf-8-sig")
    found = json.loads(cnnspec("predict", "runs/t-001", "asked.csv", "--json").out)
    assert len(found) == 60
    right = [answer["best"][0][0] == ("small", "tall")[k] for answer, (_, k, _) in zip(found, table, strict=True)]
    assert np.mean(right) > 0.9


@pytest.mark.parametrize(
    "text, code, told",
    [
        ("width,kind\n1,small\n", "CNN418", "asked.csv has no column weight"),
        ("1,2\n3,4\n", "CNN418", "has no column width, weight"),
        ("width,weight\n1,two\n", "CNN417", "line 2, column 2 of asked.csv: `two` is not a number"),
        ("width,weight\n1\n", "CNN417", "line 2 of asked.csv has 1 columns, and the first has 2"),
        ("width,weight\n1,\n", "CNN417", "the cell is empty"),
        ("width,weight\n1,nan\n", "CNN411", "nan"),
        ("width,weight,width\n1,2,3\n", "CNN418", "several columns called width"),
        ("width,weight\n", "CNN414", "no rows"),
        ("", "CNN414", "no rows"),
    ],
)
def test_a_table_that_is_not_like_the_first_is_refused(here, cnnspec, table, text, code, told):
    (here / "asked.csv").write_text(text)
    refused = cnnspec("predict", "runs/t-001", "asked.csv")
    assert refused.code == 1 and code in refused.err and told in refused.err and not refused.out


def test_a_table_without_a_header_has_its_numbers_with_or_without_the_label(here, cnnspec):
    (here / "t.csv").write_text("".join(f"{k};{k * 5 + i / 10};{-k}\n" for i in range(20) for k in (0, 1)))
    (here / "t.cnn").write_text(
        'dense 2 -> softmax\ndata { source csv "t.csv" label 1 header off separator ";" ; validation 0 }\n'
        "train { epochs 40 ; batch 16 ; optimiser adam lr 1e-1 }\n"
    )
    assert cnnspec("run", "t.cnn", "--workers", 1).code == 0
    outputs = []
    for name, text in (("with.csv", "1;5;-1\n0;0;0\n"), ("without.csv", "5;-1\n0;0\n")):
        (here / name).write_text(text)
        found = json.loads(cnnspec("predict", "runs/t-001", name, "--json").out)
        assert [answer["best"][0][0] for answer in found] == ["1", "0"]
        outputs.append([answer["output"] for answer in found])
    assert outputs[0] == outputs[1]
    (here / "wide.csv").write_text("1;2;3;4\n")
    assert "has 4 columns, and the network takes 2 or 3" in cnnspec("predict", "runs/t-001", "wide.csv").err


def test_columns_that_are_called_alike_are_told_apart_by_their_order(here, cnnspec):
    (here / "t.csv").write_text("a,a,kind\n" + "".join(f"{k * 9},{i % 3},{k}\n" for i in range(20) for k in (0, 1)))
    (here / "t.cnn").write_text(
        'dense 2 -> softmax\ndata { source csv "t.csv" ; validation 0 }\n'
        "train { epochs 30 ; optimiser adam lr 1e-1 }\n"
    )
    assert cnnspec("run", "t.cnn", "--workers", 1).code == 0
    (here / "asked.csv").write_text("kind,a,a\n,9,0\n,0,2\n")
    found = json.loads(cnnspec("predict", "runs/t-001", "asked.csv", "--json").out)
    assert [answer["best"][0][0] for answer in found] == ["1", "0"]
    for header in ("a,b", "a,a,a"):
        (here / "asked.csv").write_text(f"{header}\n9{',0' * header.count(',')}\n")
        assert "CNN418" in cnnspec("predict", "runs/t-001", "asked.csv").err


def test_an_archive_is_asked_about_by_its_images(here, cnnspec, floats):
    x, y = floats
    np.save("x.npy", x)
    outputs = [answer["output"] for answer in json.loads(cnnspec("predict", "runs/n-001", "x.npy", "--json").out)]
    for arrays in ({"x": x, "y": y}, {"x_train": x * 2, "y_train": y, "x_test": x, "y_test": y}, {"pictures": x}):
        np.savez("asked.npz", **arrays)
        found = json.loads(cnnspec("predict", "runs/n-001", "asked.npz", "--json").out)
        assert [answer["output"] for answer in found] == outputs
    np.savez("asked.npz", a=x, b=x)
    refused = cnnspec("predict", "runs/n-001", "asked.npz")
    assert refused.code == 1 and "asked.npz has a, b, and neither x nor x_test" in refused.err


def test_the_files_of_mnist_are_asked_about_as_they_are(here, cnnspec):
    from cnnspec.data.formats.idx import write_idx

    (here / "d.cnn").write_text("dense 10 -> softmax\ndata { source digits ; limit 50 }\ntrain { epochs 1 }\n")
    assert cnnspec("run", "d.cnn", "--workers", 1).code == 0
    x = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    write_idx(here / "t10k-images-idx3-ubyte.gz", x)
    np.save("x.npy", x)
    outputs = [
        [answer["output"] for answer in json.loads(cnnspec("predict", "runs/d-001", name, "--json").out)]
        for name in ("x.npy", "t10k-images-idx3-ubyte.gz")
    ]
    assert outputs[0] == outputs[1] and len(outputs[0]) == 3
