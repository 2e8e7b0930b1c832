"""`cnnspec predict` takes files, folders and standard input, and answers as a table, JSON, CSV and masks."""

import csv
import io
import json
import os

import numpy as np
import pytest

import cnnspec as package
from cnnspec.data.dataset import Scaling, TableSchema
from cnnspec.data.preparation import Preparation

TELLER = "input 1x6x6\ndense 2 -> softmax\n"
PIXELS = "input 1x4x5\nconv 3x1x1 -> softmax\n"


def saved(path, text, classes=("cat", "dog"), seed=1, **known):
    """Weights of a fresh network that know how bytes become its input, as those of a run do."""
    model = package.compile(text=text, seed=seed)
    shape = model.graph.type(model.graph.inputs[0]).shape
    how = {"stored": "bytes", "range": (0, 255), "source": "npz", **known}
    model.preparation = Preparation(shape, Scaling((1 / 255,)), how.pop("stored"), how.pop("range"), classes, **how)
    model.save(path)
    return model


def images(count, *shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape)).astype(np.uint8)


@pytest.fixture
def teller(here):
    """A network of two classes in w.safetensors, four images in x.npy, and what it says of them."""
    model = saved(here / "w.safetensors", TELLER)
    x = images(4, 1, 6, 6)
    np.save(here / "x.npy", x)
    return model.predict(model.prepare(x))


def test_a_table_has_a_row_an_image_and_a_column_a_rank(cnnspec, teller):
    found = cnnspec("predict", "w.safetensors", "x.npy")
    head, *lines = found.out.splitlines()
    assert found.code == 0 and head.split() == ["image", "class", "2nd"] and len(lines) == 4
    for k, line in enumerate(lines):
        best = int(teller[k].argmax())
        assert line.split() == [
            f"x.npy[{k}]", ("cat", "dog")[best], f"{teller[k, best]:.1%}",
            ("dog", "cat")[best], f"{teller[k, 1 - best]:.1%}",
        ]  # fmt: skip
    assert len({line.index("%") for line in lines}) == 1, "columns stand below one another"
    assert "2nd" not in cnnspec("predict", "w.safetensors", "x.npy", "--top", 1).out
    assert cnnspec("predict", "w.safetensors", "x.npy", "--top", 0).code == 2


def test_csv_has_a_column_a_class_to_the_last_bit(cnnspec, teller):
    found = cnnspec("predict", "w.safetensors", "x.npy", "--csv")
    rows = list(csv.reader(io.StringIO(found.out)))
    assert found.code == 0 and rows[0] == ["image", "class", "cat", "dog"]
    values = np.array([row[2:] for row in rows[1:]], np.float64)
    assert np.array_equal(values.astype(np.float32), teller)
    assert [row[1] for row in rows[1:]] == [("cat", "dog")[k] for k in teller.argmax(1)]
    assert cnnspec("predict", "w.safetensors", "x.npy", "--csv", "--json").code == 2


def test_a_name_with_a_comma_and_a_line_end_is_one_cell_and_one_line(here, cnnspec):
    saved(here / "w.safetensors", TELLER, classes=('a,"b', "c\nd"))
    np.save("x.npy", images(1, 1, 6, 6))
    rows = list(csv.reader(io.StringIO(cnnspec("predict", "w.safetensors", "x.npy", "--csv").out, newline="")))
    assert rows[0] == ["image", "class", 'a,"b', "c\nd"]
    assert len(cnnspec("predict", "w.safetensors", "x.npy").out.splitlines()) == 2


def test_standard_input_is_taken_for_what_it_is(here, cnnspec, teller):
    raw = (here / "x.npy").read_bytes()
    asked = json.loads(cnnspec("predict", "w.safetensors", "-", "--json", stdin=raw).out)
    assert [answer["output"] for answer in asked] == teller.tolist()
    assert asked[0]["image"] == "standard input[0]"
    archive = io.BytesIO()
    np.savez(archive, x=np.load("x.npy"))
    again = json.loads(cnnspec("predict", "w.safetensors", "-", "--json", stdin=archive.getvalue()).out)
    assert again == asked


@pytest.mark.parametrize("raw", [b"", b"x", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff", b"PK\x03\x04rest"])
def test_what_is_nothing_on_standard_input_is_refused_by_that_name(here, cnnspec, teller, raw):
    refused = cnnspec("predict", "w.safetensors", "-", stdin=raw)
    assert refused.code == 1 and "standard input" in refused.err and not refused.out
    assert "tmp" not in refused.err.lower() and "Traceback" not in refused.err


def test_an_array_is_known_by_its_beginning_whatever_its_name(here, cnnspec, teller):
    (here / "x.npy").rename("x.bin")
    asked = json.loads(cnnspec("predict", "w.safetensors", "x.bin", "--json").out)
    assert [answer["output"] for answer in asked] == teller.tolist()


def test_a_folder_is_asked_about_file_by_file_in_order(here, cnnspec, teller):
    x = np.load("x.npy")
    for name, k in (("b/1.npy", 1), ("a/2.npy", 2), ("b/.hidden.npy", 3), ("b/.git/3.npy", 3), ("top.npy", 0)):
        (here / "ask" / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(here / "ask" / name, x[k])
    (here / "ask" / "notes.txt").write_text("no image")
    found = cnnspec("predict", "w.safetensors", "ask", "--json")
    asked = json.loads(found.out)
    assert [answer["image"] for answer in asked] == [
        os.path.join("ask", *name) for name in (("a", "2.npy"), ("b", "1.npy"), ("top.npy",))
    ]
    np.testing.assert_allclose([answer["output"] for answer in asked], teller[[2, 1, 0]], atol=1e-6)
    assert "passed over 1 of the files in ask" in found.err
    (here / "empty").mkdir()
    refused = cnnspec("predict", "w.safetensors", "empty")
    assert refused.code == 1 and "CNN414" in refused.err


def test_one_file_that_cannot_be_prepared_does_not_cost_the_others(here, cnnspec, teller):
    np.save("wide.npy", images(1, 1, 9, 9))
    (here / "torn.npy").write_bytes((here / "x.npy").read_bytes()[:-1])
    found = cnnspec("predict", "w.safetensors", "wide.npy", "x.npy", "torn.npy", "--json")
    assert found.code == 1 and len(json.loads(found.out)) == 4
    assert "CNN408" in found.err and "wide.npy" in found.err and "CNN404" in found.err and "torn.npy" in found.err


def test_many_images_of_many_files_are_those_of_one(here, cnnspec):
    model = saved(here / "w.safetensors", TELLER)
    x = images(150, 1, 6, 6)
    (here / "ask").mkdir()
    for k in range(150):
        np.save(here / "ask" / f"{k:03}.npy", x[k])
    asked = json.loads(cnnspec("predict", "w.safetensors", "ask", "--json").out)
    np.testing.assert_allclose([one["output"] for one in asked], model.predict(model.prepare(x)), atol=1e-6)


# ---- numbers -------------------------------------------------------------------------------------------


def test_numbers_have_names(here, cnnspec):
    table = TableSchema(("w", "h"), 3, "price")
    model = saved(here / "w.safetensors", "input 2\ndense 1\n", None, stored="floats", table=table, source="csv")
    (here / "ask.csv").write_text("h,w\n2,1\n4,3\n")
    expected = model.predict(np.array([[1, 2], [3, 4]]) / np.float32(255))
    found = cnnspec("predict", "w.safetensors", "ask.csv")
    assert found.out.splitlines()[0].split() == ["image", "price"]
    assert found.out.splitlines()[2].split() == ["ask.csv[1]", f"{expected[1, 0]:.4g}"]
    asked = json.loads(cnnspec("predict", "w.safetensors", "ask.csv", "--json").out)
    assert [one["numbers"] for one in asked] == [{"price": value} for (value,) in expected.tolist()]
    assert cnnspec("predict", "w.safetensors", "ask.csv", "--csv").out.startswith("image,price\nask.csv[0],")
    text = "w,h\n1,2\n"
    told = json.loads(cnnspec("predict", "w.safetensors", "-", "--json", stdin=text.encode()).out)
    assert told[0]["numbers"] == asked[0]["numbers"]


def test_several_numbers_have_their_places_for_names(here, cnnspec):
    saved(here / "w.safetensors", "input 4\ndense 12\n", None)
    np.save("x.npy", images(2, 4))
    found = cnnspec("predict", "w.safetensors", "x.npy")
    assert found.out.splitlines()[0].split() == ["image", *(f"dense1[{k}]" for k in range(8)), "..."]
    asked = json.loads(cnnspec("predict", "w.safetensors", "x.npy", "--json").out)
    assert list(asked[0]["numbers"]) == [f"dense1[{k}]" for k in range(12)]
    assert list(asked[0]["numbers"].values()) == asked[0]["output"]


# ---- masks ---------------------------------------------------------------------------------------------


def test_a_mask_is_written_as_png(here, cnnspec):
    model = saved(here / "w.safetensors", PIXELS, ("sky", "tree", "road"))
    x = images(2, 1, 4, 5)
    np.save("x.npy", x)
    right = model.predict(model.prepare(x)).argmax(1)
    found = cnnspec("predict", "w.safetensors", "x.npy", "--masks", "out/masks", "--json")
    assert found.code == 0, found.err
    asked = json.loads(found.out)
    for k, answer in enumerate(asked):
        shares = {name: float((right[k] == i).mean()) for i, name in enumerate(("sky", "tree", "road"))}
        assert dict(answer["best"]) == pytest.approx(shares)
        assert answer["mask"] == os.path.join("out/masks", f"x-{k}.mask.png")
        assert (here / answer["mask"]).read_bytes().startswith(b"\x89PNG")
    table = cnnspec("predict", "w.safetensors", "x.npy", "--masks", "out/masks").out
    assert table.splitlines()[0].split() == ["image", "pixels", "2nd", "3rd", "mask"]
    image = pytest.importorskip("PIL.Image")
    for k, answer in enumerate(asked):
        assert np.array_equal(np.asarray(image.open(answer["mask"])), right[k])


def test_one_sigmoid_of_each_pixel_is_a_mask_of_two_classes(here, cnnspec):
    model = saved(here / "w.safetensors", "input 1x4x5\nconv 1x3x3 pad 1 -> sigmoid\n", ("ground", "cell"))
    np.save("x.npy", images(1, 1, 4, 5))
    right = model.predict(model.prepare(np.load("x.npy")))[0, 0] > 0.5
    (answer,) = json.loads(cnnspec("predict", "w.safetensors", "x.npy", "--json").out)
    assert dict(answer["best"]) == pytest.approx({"ground": 1 - right.mean(), "cell": right.mean()})


def test_masks_of_files_that_are_called_alike_are_all_kept(here, cnnspec):
    saved(here / "w.safetensors", PIXELS, None)
    for folder in "ab":
        (here / folder).mkdir()
        np.save(here / folder / "1.npy", images(1, 1, 4, 5))
    np.save("1.mask.png", images(1, 1, 4, 5))
    os.rename("1.mask.png.npy", "1.mask.png")
    kept = (here / "1.mask.png").read_bytes()
    found = cnnspec("predict", "w.safetensors", "a", "b", "1.mask.png", "--masks", ".", "--json")
    assert found.code == 0, found.err
    written = [answer["mask"] for answer in json.loads(found.out)]
    assert len(set(written)) == 3 and (here / "1.mask.png").read_bytes() == kept


def test_where_pixels_have_no_classes_there_is_no_mask(here, cnnspec, teller):
    refused = cnnspec("predict", "w.safetensors", "x.npy", "--masks", "out")
    assert refused.code == 1 and "CNN476" in refused.err and not (here / "out").exists()
    saved(here / "w.safetensors", "input 1x4x5\nconv 2x3x3 pad 1\n", None)
    np.save("x.npy", images(1, 1, 4, 5))
    refused = cnnspec("predict", "w.safetensors", "x.npy", "--masks", "out")
    assert refused.code == 1 and "CNN476" in refused.err


# ---- pictures of any size ------------------------------------------------------------------------------


def test_a_drawing_is_fitted_to_handwritten_digits_and_only_if_asked(here, cnnspec):
    model = saved(here / "w.safetensors", "input 1x28x28\ndense 10 -> softmax\n", tuple("0123456789"))
    drawn = np.full((280, 280), 255, np.uint8)
    drawn[40:240, 50:80] = 0
    np.save("drawn.npy", drawn)
    found = cnnspec("predict", "w.safetensors", "drawn.npy", "--fit", "--json")
    assert found.code == 0 and "as MNIST was" in found.err
    from cnnspec.data.asked.fitted import as_digit

    right = model.predict(model.prepare(as_digit(drawn, 28, "it")))
    assert np.array_equal(model.predict(model.prepare(drawn, fit=True)), right)
    assert json.loads(found.out)[0]["output"] == right[0].tolist()
    refused = cnnspec("predict", "w.safetensors", "drawn.npy")
    assert refused.code == 1 and "CNN408" in refused.err
    np.save("small.npy", drawn[::10, ::10])
    assert "`--fit` mends it" in cnnspec("predict", "w.safetensors", "small.npy").err
    np.save("dark.npy", 255 - drawn[::10, ::10])
    assert not cnnspec("predict", "w.safetensors", "dark.npy").err
    np.save("white.npy", drawn[:20, :20])
    refused = cnnspec("predict", "w.safetensors", "white.npy", "--fit")
    assert refused.code == 1 and "CNN475" in refused.err
    assert cnnspec("predict", "w.safetensors", "drawn.npy", "--fit", "--prepared").code == 2


def test_nothing_is_fitted_to_a_network_without_pixels(here, cnnspec):
    table = TableSchema(("w", "h"), 3, columns=(1, 2), width=3, categories=(None, None))
    saved(here / "w.safetensors", "input 2\ndense 2 -> softmax\n", stored="floats", table=table, source="csv")
    (here / "ask.csv").write_text("w,h\n2,1\n")
    assert cnnspec("predict", "w.safetensors", "ask.csv").code == 0
    refused = cnnspec("predict", "w.safetensors", "ask.csv", "--fit")
    assert refused.code == 1 and "CNN408" in refused.err and "images of pixels" in refused.err


def test_photos_of_any_size_are_fitted_too(here, cnnspec):
    image = pytest.importorskip("PIL.Image")
    saved(here / "w.safetensors", "input 3x8x8\ndense 2 -> softmax\n")
    image.fromarray(images(1, 50, 90, 3)[0]).save("photo.png")
    refused = cnnspec("predict", "w.safetensors", "photo.png")
    assert refused.code == 1 and "--fit" in refused.err
    assert cnnspec("predict", "w.safetensors", "photo.png", "--fit").code == 0


# ---- from Python ---------------------------------------------------------------------------------------


def test_a_program_asks_about_arrays_and_files_alike(here, teller):
    model = package.open("w.safetensors")
    x = np.load("x.npy")
    right = [{"cat": cat, "dog": dog} for cat, dog in teller.tolist()]
    for given in (x, x[:, 0], x / 255, "x.npy", here / "x.npy", ["x.npy"], list(x), [x[:1], x[1:]], x.tolist()):
        assert [pytest.approx(one, abs=1e-6) for one in right] == model.classify(given)
    for k in range(4):
        assert model.classify(x[k]) == model.classify(x[k, 0]) == model.classify([x[k]])
    assert model.classify(["x.npy", x[0]], top=1)[4] == model.classify(x[0], top=1)[0]


@pytest.mark.parametrize(
    "given, code, told",
    [
        (np.zeros((4, 9, 9), np.uint8), "CNN408", "x holds uint8 (4, 9, 9)"),
        ([np.zeros((6, 6), np.uint8), np.zeros((5, 6), np.uint8)], "CNN408", "x[1] holds uint8 (5, 6)"),
        ([[1, 2], [3]], "CNN408", "x is no array"),
        (None, "CNN426", "x holds object"),
        ([], "CNN408", "x holds float64 (0,)"),
        (np.zeros((1, 1, 6, 6), complex), "CNN426", "x holds complex128"),
        ("gone.npy", "CNN401", "gone.npy"),
        (["x.npy", "gone.npy"], "CNN401", "gone.npy"),
        (np.full((1, 1, 6, 6), -3), "CNN426", "x holds int64 from -3"),
    ],
)
def test_a_mistake_of_a_program_names_the_argument(here, teller, given, code, told):
    with pytest.raises(package.SpecError) as refused:
        package.open("w.safetensors").classify(given)
    (finding,) = refused.value.diagnostics
    assert finding.code == code and told in finding.message
