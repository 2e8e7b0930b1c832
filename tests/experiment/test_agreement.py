"""What a run refuses before its first step, `check` finds at its place; and the run makes no folder."""

import numpy as np
import pytest

from cnnspec.cli import run as command
from cnnspec.data.known import describe
from cnnspec.data.load import load
from cnnspec.experiment.agreement import of_answers
from cnnspec.ir import data as typed
from cnnspec.settings.data import Csv, Data, Digits, Idx, Npz, Source


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Small data of every kind of source, in a folder."""
    from cnnspec.data.formats.idx import write_idx

    folder = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(0)
    y = np.arange(40) % 2
    np.savez(folder / "two.npz", x=random.random((40, 1, 6, 6)), y=y)
    np.savez(folder / "last.npz", x=random.integers(0, 255, (40, 8, 8, 3)).astype(np.uint8), y=y)
    np.savez(folder / "numbers.npz", x=random.random((40, 5)), y=random.random((40, 3)))
    np.savez(folder / "pixels.npz", x=random.random((40, 1, 6, 6)), y=random.integers(0, 2, (40, 6, 6)))
    np.savez(folder / "other.npz", a=y)
    shares = np.tile([0.2, 0.3, 0.5], (40, 1))
    np.savez(folder / "shares.npz", x=random.random((40, 5)), y=shares)
    shares[17] = 0.5
    np.savez(folder / "no-shares.npz", x=random.random((40, 5)), y=shares)
    np.savez(folder / "nan.npz", x=np.where(np.arange(40 * 36).reshape(40, 1, 6, 6) == 700, np.nan, 1), y=y)
    np.savez(folder / "fewer.npz", x=random.random((40, 1, 6, 6)), y=y[:30])
    np.savez(folder / "places.npz", x=random.random((40, 3, 9)), y=random.random((40, 9)))
    (folder / "damaged.npz").write_bytes((folder / "two.npz").read_bytes()[:-40])
    (folder / "three.csv").write_text("a,b,kind\n" + "1,2,x\n3,4,y\n5,6,z\n" * 10)
    (folder / "price.csv").write_text("a,b,price\n" + "1,2,3.5\n3,4,7\n" * 10)
    (folder / "headless.csv").write_text("1,2,x\n3,4,y\n" * 10)
    (folder / "either.csv").write_text("1,2,x\n3,4,y\n3,4,y\n")
    (folder / "gaps.csv").write_text("a,b,kind\n" + "1,,x\n3,,y\n" * 3)
    (folder / "text.csv").write_text("a,b,kind\n1,2,x\n3,four,y\n")
    (folder / "idx").mkdir()
    write_idx(folder / "idx" / "train-images-idx3-ubyte", random.integers(0, 255, (40, 7, 5)).astype(np.uint8))
    write_idx(folder / "idx" / "train-labels-idx1-ubyte", y.astype(np.uint8))
    (folder / "empty").mkdir()
    return folder


REFUSED = {
    "an input of other channels": (
        "input 3x28x28\ngap -> dense 10 -> softmax\ndata { source digits }", "1:1", "CNN408"),
    "an input of another size": (
        "input 1x32x32\ngap -> dense 10 -> softmax\ndata { source mnist }", "1:1", "CNN408"),
    "photos into a network of digits": (
        "input 1x28x28\ngap -> dense 10 -> softmax\ndata { source cifar10 }", "1:1", "CNN408"),
    "a vector where there are images": ("input 784\ndense 10 -> softmax\ndata { source digits }", "1:1", "CNN408"),
    "a kernel that is too large for the data": (
        "conv 4x30x30 -> gap -> dense 10 -> softmax\ndata { source digits }", "1:8", "CNN103"),
    "too many classes": ("input 1x28x28\ndense 12 -> softmax\ndata { source digits }", "2:1", "CNN410"),
    "too few classes": ("dense 9 -> relu -> softmax\ndata { source fashion_mnist }", "1:1", "CNN410"),
    "one class for each pixel": ("conv 10x3x3 -> softmax\ndata { source digits }", "1:1", "CNN410"),
    "yes or no where there are ten": ("dense 1 -> sigmoid\ndata { source digits }", "1:1", "CNN410"),
    "two outputs": (
        "input 1x28x28\nflatten as a\nnet b = @a -> dense 10 -> softmax\nnet c = @a -> dense 4\n"
        "data { source digits }", "5:8", "CNN306"),
    "a shift out of sight": (
        "dense 10 -> softmax\ndata { source digits ; augment flip ; augment shift 28 }", "2:39", "CNN430"),
    "two that mix": (
        "dense 10 -> softmax\ndata { source digits ; augment mixup ; augment cutmix }", "2:40", "CNN430"),
    "a mix for classes alone": (
        "dense 10\ndata { source digits ; augment mixup }\ntrain { cost hinge }", "2:24", "CNN430"),
    "colours of grey": ("dense 10 -> softmax\ndata { source digits ; augment saturation 20% }", "2:24", "CNN430"),
    "a flip of a vector": ('dense 3 -> softmax\ndata { source csv "three.csv" ; augment flip }', "2:33", "CNN430"),
    "classes of a table": ('dense 2 -> softmax\ndata { source csv "three.csv" }', "1:1", "CNN410"),
    "columns of a table": ('input 3\ndense 3 -> softmax\ndata { source csv "three.csv" }', "1:1", "CNN408"),
    "a table that may have a header": ('dense 2 -> softmax\ndata { source csv "either.csv" }', "2:8", "CNN418"),
    "a column without a mean": ('dense 2 -> softmax\ndata { source csv "gaps.csv" missing mean }', "2:8", "CNN433"),
    "a word among the numbers": ('dense 2 -> softmax\ndata { source csv "text.csv" }', "2:8", "CNN417"),
    "two outputs for a price": ('dense 2\ndata { source csv "price.csv" target numbers }', "1:1", "CNN410"),
    "three regression targets": ('dense 2\ndata { source npz "numbers.npz" }', "1:1", "CNN410"),
    "channels last": ('input 3x8x8\ngap -> dense 2 -> softmax\ndata { source npz "last.npz" }', "3:8", "CNN408"),
    "classes of an archive": ('dense 3 -> softmax\ndata { source npz "two.npz" }', "1:1", "CNN410"),
    "an archive of other arrays": ('dense 3 -> softmax\ndata { source npz "other.npz" }', "2:8", "CNN413"),
    "an archive cut short": ('dense 3 -> softmax\ndata { source npz "damaged.npz" }', "2:8", "CNN405"),
    "a number that is none": ('dense 2 -> softmax\ndata { source npz "nan.npz" }', "2:8", "CNN411"),
    "fewer labels than images": ('dense 2 -> softmax\ndata { source npz "fewer.npz" }', "2:8", "CNN409"),
    "shares that do not add up": ('dense 3 -> softmax\ndata { source npz "no-shares.npz" }', "1:12", "CNN410"),
    "numbers for an output of places": ('conv 2x1 -> sigmoid\ndata { source npz "places.npz" }', "1:1", "CNN410"),
    "images of another shape": ('input 1x5x7\ndense 2 -> softmax\ndata { source idx "idx" }', "1:1", "CNN408"),
    "no class has a folder": ('dense 2 -> softmax\ndata { source images "empty" }', "2:8", "CNN414"),
    "a folder where an archive should be": ('dense 2 -> softmax\ndata { source npz "empty" }', "2:8", "CNN401"),
}  # fmt: skip

FITTING = {
    "digits": "dense 10 -> softmax\ndata { source digits ; limit 60 }",
    "log of the softmax": "dense 10 -> logsoftmax\ndata { source digits ; limit 60 }",
    "two classes": 'dense 2 -> softmax\ndata { source npz "two.npz" ; augment flip }',
    "axes told": 'input 3x8x8\ngap -> dense 2 -> softmax\ndata { source npz "last.npz" axes nhwc }',
    "numbers": 'dense 3\ndata { source npz "numbers.npz" }',
    "shares": 'dense 3 -> softmax\ndata { source npz "shares.npz" }',
    "a table": 'dense 3 -> softmax\ndata { source csv "three.csv" }',
    "a table without a header": 'dense 2 -> softmax\ndata { source csv "headless.csv" }',
    "a price": 'dense 1\ndata { source csv "price.csv" target numbers }',
    "files of IDX": 'dense 2 -> softmax\ndata { source idx "idx" }',
}


@pytest.mark.parametrize("what", REFUSED)
def test_check_finds_what_a_run_refuses(folder, monkeypatch, capsys, what):
    text, place, code = REFUSED[what]
    monkeypatch.chdir(folder)
    (folder / "net.cnn").write_text(text)
    assert command(["check", "net.cnn", "--format", "concise"]) == 1
    found = capsys.readouterr().out
    assert f"net.cnn:{place}: error[{code}]" in found, found
    if "mnist" not in text and "cifar10" not in text:  # whose files may not be here
        assert command(["run", "net.cnn", "--workers", "1", "--out", "here"]) == 1
        told = capsys.readouterr().err
        assert code in told and f"net.cnn:{place}" in told, told
        assert not (folder / "here").exists()


@pytest.mark.parametrize("wrong, code", [("size", "CNN416"), ("text", "CNN415"), ("cut", "CNN415")])
def test_a_folder_of_few_images_is_looked_through(folder, tmp_path, monkeypatch, capsys, wrong, code):
    image = pytest.importorskip("PIL.Image")
    monkeypatch.chdir(tmp_path)
    array = np.random.default_rng(0).integers(0, 255, (20, 20, 3)).astype(np.uint8)
    for name in ("a/1", "a/2", "b/1", "b/2"):
        path = tmp_path / "pics" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.fromarray(array[:10] if wrong == "size" and name == "b/2" else array).save(path)
    if wrong == "text":
        path.write_text("no image")
    if wrong == "cut":
        path.write_bytes(path.read_bytes()[:-300])
    (tmp_path / "net.cnn").write_text('dense 2 -> softmax\ndata { source images "pics" }')
    assert command(["check", "net.cnn"]) == 1
    found = capsys.readouterr().out
    assert code in found and "b/2.png" in found
    assert command(["run", "net.cnn", "--workers", "1"]) == 1
    assert code in capsys.readouterr().err and not (tmp_path / "runs").exists()


def test_large_data_are_known_by_their_headers_alone(folder, monkeypatch, capsys):
    from cnnspec.data import load as loading
    from cnnspec.data import small

    monkeypatch.chdir(folder)
    monkeypatch.setattr(small, "NUMBERS", 100)
    monkeypatch.setattr(loading, "load", None)
    (folder / "net.cnn").write_text('dense 2 -> softmax\ndata { source npz "nan.npz" }')
    assert command(["check", "net.cnn"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("what", FITTING)
def test_what_check_passes_is_trained(folder, monkeypatch, capsys, what):
    monkeypatch.chdir(folder)
    (folder / "net.cnn").write_text(FITTING[what] + "\ntrain { epochs 1 ; batch 16 }\n")
    assert command(["check", "net.cnn"]) == 0, capsys.readouterr().out
    assert command(["run", "net.cnn", "--workers", "1", "--out", "runs"]) == 0, capsys.readouterr().err


def test_weights_that_do_not_fit_leave_no_folder(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (folder / "net.cnn").write_text("dense 10 -> softmax\ndata { source digits ; limit 60 }\n")
    (folder / "wrong.safetensors").write_bytes(b"no weights")
    assert command(["run", "net.cnn", "--workers", "1", "--out", "here", "--weights", "wrong.safetensors"]) == 1
    assert "CNN45" in capsys.readouterr().err and not (folder / "here").exists()


def test_a_source_that_nobody_states_is_no_ones_mistake(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (folder / "net.cnn").write_text("input 3x224x224\ngap -> dense 1000 -> softmax\n")
    assert command(["check", "net.cnn"]) == 0
    assert command(["run", "net.cnn", "--workers", "1", "--out", "here"]) == 1
    assert "CNN408" in capsys.readouterr().err and not (folder / "here").exists()


def test_files_that_are_missing_are_errors_where_their_folder_is_named(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.cnn").write_text('dense 2 -> softmax\ndata { source csv "three.csv" }')
    assert command(["check", "net.cnn"]) == 0
    assert command(["check", "net.cnn", "--data", str(tmp_path)]) == 1
    assert "error[CNN401]: there is no" in capsys.readouterr().out
    assert command(["check", "net.cnn", "--data", str(folder)]) == 1
    assert "error[CNN410]: the network has 2 outputs, and three has 3 classes" in capsys.readouterr().out


def test_a_finding_can_be_ignored_as_others_can(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    text = "input 3x28x28\ngap -> dense 10 -> softmax\ndata { source digits }\n"
    (folder / "net.cnn").write_text(text.replace("28\n", "28  # cnnspec: ignore CNN408\n", 1))
    assert command(["check", "net.cnn"]) == 0, capsys.readouterr().out
    (folder / "net.cnn").write_text(text)
    assert command(["check", "net.cnn", "--ignore", "CNN408"]) == 0, capsys.readouterr().out


def test_a_graph_in_json_is_held_to_its_data_too(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (folder / "net.cnn").write_text('input 3\ndense 3 -> softmax\ndata { source csv "three.csv" }')
    assert command(["compile", "net.cnn", "--emit", "json", "-o", "net.cnn.json"]) == 0
    assert command(["check", "net.cnn.json"]) == 1
    assert "CNN408" in capsys.readouterr().out


@pytest.mark.parametrize(
    "settings",
    [Data(), Data(source=Npz("two.npz")), Data(source=Npz("numbers.npz")), Data(source=Csv("three.csv")),
     Data(source=Csv("price.csv", target="numbers")), Data(source=Idx("idx")), Data(validation=0)],
    ids=lambda settings: settings.source.written() + str(settings.validation),
)  # fmt: skip
def test_what_is_known_before_reading_is_what_is_read(folder, settings):
    early, late = describe(settings, folder), load(settings, root=folder).known
    assert (early.name, early.input) == (late.name, late.input)
    assert (early.test, early.validation) == (late.test, late.validation)
    assert early.outputs == late.outputs and early.numbers in (late.numbers, None)


def test_the_input_of_an_image_and_one_answer_for_each_place():
    known = describe(Data(source=Digits()))
    assert isinstance(Digits(), Source)
    assert of_answers(typed(10), "softmax", (), known) is None
    assert of_answers(typed(10, 1, 1), "softmax", (), known) is None
    assert of_answers(typed(10, 2, 1), "softmax", (), known).code == "CNN410"
    assert of_answers(typed(1), "sigmoid", (), known).code == "CNN410"
