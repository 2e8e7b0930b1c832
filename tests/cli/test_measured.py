"""What a run measures: one set of numbers in every place where it is told, and held by `expect`."""

import csv
import json

import numpy as np
import pytest

from cnnspec.api import read_spec
from cnnspec.diagnostics import SpecError
from cnnspec.experiment.measured import missed
from cnnspec.settings.measures import MEASURES
from cnnspec.validation import fault_of

TRAIN = "train { epochs 2 ; batch 16 ; optimiser adam lr 0.01 }\n"


@pytest.fixture
def archives(here):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(120, 6)).astype("f4")
    names = np.array(["plain", 'a, "b"', "<b>&amp;"])
    np.savez(here / "three.npz", x=x, y=names[x[:, :3].argmax(axis=1)])
    np.savez(here / "two.npz", x=x, y=(x[:, 0] > 0).astype(int))
    np.savez(here / "numbers.npz", x=x, y=x[:, :2] + x[:, 2:4])
    masks = np.kron(generator.integers(0, 2, (60, 3, 3)), np.ones((2, 2), int))
    np.savez(here / "masks.npz", x=(masks[:, None] + generator.normal(0, 0.1, (60, 1, 6, 6))).astype("f4"), y=masks)
    return here


def ran(cnnspec, here, file, end, more=""):
    data = f'data {{ source npz "{file}.npz" test 30% ; validation 20% }}\n'
    (here / "m.cnn").write_text(f"input 6\ndense 8 -> relu -> {end}\n{data}{TRAIN}{more}")
    return cnnspec("run", "m.cnn", "--workers", 1)


@pytest.mark.parametrize(
    "file, end, names",
    [
        ("three", "dense 3 -> softmax", ["accuracy", "precision", "recall", "f1"]),
        ("two", "dense 1 -> sigmoid", ["accuracy", "precision", "recall", "f1", "auc"]),
        ("two", "dense 2 -> softmax", ["accuracy", "precision", "recall", "f1", "auc"]),
        ("numbers", "dense 2", ["mae", "rmse", "r2"]),
    ],
)
def test_every_place_tells_the_same(archives, cnnspec, file, end, names):
    outcome = ran(cnnspec, archives, file, end)
    assert outcome.code == 0, outcome.err
    folder = archives / "runs" / "m-001"
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert fault_of(summary, "summary") is None
    test = summary["test"]
    assert [m.name for m in MEASURES if m.name in test] == names
    assert test.get("accuracy") == summary["test_accuracy"]
    for measure in MEASURES:
        if measure.name in names[1:]:
            assert f"{measure.title} {measure.shown(test[measure.name])}" in outcome.out
    with (folder / "results.csv").open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    lines = [json.loads(line) for line in (folder / "measures.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["epoch"] for line in lines] == [int(row["epoch"]) for row in rows] == [1, 2]
    for row, told in zip(rows, lines, strict=True):
        for measure in MEASURES:
            cell = row[f"validation_{measure.name}"]
            assert (float(cell) if cell else None) == told.get(measure.name)
    again = json.loads(cnnspec("eval", folder, "--json").out)
    assert {name: again[name] for name in names} == pytest.approx({name: test[name] for name in names})
    shown = cnnspec("eval", folder).out
    written = (folder / "measures.txt").read_text(encoding="utf-8")
    assert shown.split("\n", 2)[2] == written
    if "classes" in test:
        kinds = ["plain", 'a, "b"', "<b>&amp;"] if file == "three" else ["0", "1"]
        assert sorted(one["name"] for one in test["classes"]) == sorted(kinds)
        assert sum(map(sum, test["confusion"])) == sum(one["count"] for one in test["classes"]) == 36
        assert all(one["name"] in written for one in test["classes"])


def test_masks_that_move_along_with_their_images_are_learnt_and_measured(archives, cnnspec):
    moved = "augment flip direction both ; augment shift 1 ; augment cutmix"
    (archives / "m.cnn").write_text(
        "input 1x6x6\nconv 4x3x3 pad same -> relu -> conv 2x3x3 pad same -> softmax\n"
        f'data {{ source npz "masks.npz" ; validation 20% ; {moved} }}\n'
        "train { epochs 12 ; batch 8 ; optimiser adam lr 0.02 }\nexpect { iou >= 80% ; accuracy >= 90% }\n"
    )
    assert cnnspec("check", "m.cnn").code == 0
    outcome = cnnspec("run", "m.cnn", "--workers", 1)
    assert outcome.code == 0, outcome.err
    summary = json.loads((archives / "runs/m-001/summary.json").read_text(encoding="utf-8"))
    assert fault_of(summary, "summary") is None
    test = summary["test"]
    assert all(one["iou"] > 0.8 for one in test["classes"]) and sum(map(sum, test["confusion"])) == 6 * 36
    assert f"IoU {test['iou']:.2%}" in outcome.out and (archives / "runs/m-001/report.html").is_file()


def test_a_resumed_run_measures_what_the_whole_one_did(archives, cnnspec):
    assert ran(cnnspec, archives, "three", "dense 3 -> softmax").code == 0
    folder = archives / "runs" / "m-001"
    whole = (folder / "measures.jsonl").read_bytes()
    (folder / "measures.jsonl").write_bytes(whole + b'{"epoch": 3, "accuracy": 0}\n{"epoch": 4, "ac')
    assert cnnspec("run", "--resume", folder, "--workers", 1).code == 0
    assert (folder / "measures.jsonl").read_bytes() == whole


def test_budgets_of_measures_are_held(archives, cnnspec):
    met = "expect { accuracy >= 1% ; precision >= 0 ; recall >= 0 ; f1 >= 0.001 ; auc >= 0 ; cost <= 100 }\n"
    assert ran(cnnspec, archives, "two", "dense 2 -> softmax", met).code == 0
    outcome = ran(cnnspec, archives, "two", "dense 2 -> softmax", "expect { auc > 1 ; f1 > 1 ; recall > 100% }\n")
    assert outcome.code == 1 and outcome.err.count("error[CNN612]") == 3
    assert "error[CNN612]: f1 is " in outcome.err and "and the spec expects > 100.00%" in outcome.err
    numbers = "expect { mae <= 1e-9 ; rmse < 0 ; r2 >= 2 ; cost <= 100 }\n"
    outcome = ran(cnnspec, archives, "numbers", "dense 2", numbers)
    assert outcome.code == 1 and outcome.err.count("error[CNN612]") == 3


def test_a_budget_may_speak_of_one_class(archives, cnnspec):
    met = 'expect { recall of plain >= 0 ; precision of "a, \\"b\\"" >= 0 }\n'.replace('\\"', "'")
    data = np.load(archives / "three.npz")
    np.savez(archives / "three.npz", x=data["x"], y=np.char.replace(data["y"], '"', "'"))
    assert ran(cnnspec, archives, "three", "dense 3 -> softmax", met).code == 0
    outcome = ran(cnnspec, archives, "three", "dense 3 -> softmax", "expect { f1 of plain > 1 ; f1 >= 0 }\n")
    summary = json.loads((archives / "runs/m-002/summary.json").read_text(encoding="utf-8"))
    (plain,) = [one for one in summary["test"]["classes"] if one["name"] == "plain"]
    assert outcome.code == 1 and outcome.err.count("error[") == 1
    assert f"error[CNN612]: f1 of `plain` is {plain['f1']:.2%}, and the spec expects > 100.00%" in outcome.err
    (archives / "m.cnn").write_text((archives / "m.cnn").read_text().replace("f1 of plain", "f1 of plane"))
    told = cnnspec("check", "m.cnn")
    assert told.code == 1 and "f1 of `plane` is never measured: three has no such class" in told.out
    assert "the classes are" in told.out and "plain" in told.out


@pytest.mark.parametrize(
    "shape, net", [((3, 6, 6), "conv 3x3x3 pad same -> sigmoid"), ((6,), "dense 6 -> sigmoid"), ((6,), "dense 6")]
)
def test_bytes_that_a_network_answers_itself_are_shown_as_it_sees_them(here, cnnspec, shape, net):
    np.savez(here / "a.npz", x=np.random.default_rng(0).integers(0, 256, (40, *shape)).astype(np.uint8))
    (here / "m.cnn").write_text(f'{net}\ndata {{ source npz "a.npz" test 30% ; target itself }}\n{TRAIN}')
    outcome = cnnspec("run", "m.cnn", "--workers", 1)
    assert outcome.code == 0 and "drawn" not in outcome.out + outcome.err
    page = (here / "runs/m-001/report.html").read_text(encoding="utf-8")
    assert "taken for 2" not in page and ("taken for 0" in page or len(shape) > 1)


def test_and_of_several_outputs_of_a_class_of_the_first(archives, cnnspec):
    data = np.load(archives / "three.npz")
    np.savez(archives / "both.npz", x=data["x"], word=data["y"], sign=(data["x"][:, 0] > 0).astype(int))
    text = (
        "input 6 as x\nnet word = @x -> dense 3 -> softmax\nnet sign = @x -> dense 1 -> sigmoid\n"
        'data { source npz "both.npz" test 30% }\nexpect { f1 of NAME >= 0 }\n'
    )
    for name, code in (("plain", 0), ("plane", 1)):
        (archives / "m.cnn").write_text(text.replace("NAME", name))
        told = cnnspec("check", "m.cnn")
        assert told.code == code and ("f1 of `plane` is never measured" in told.out) == (code == 1)


@pytest.mark.parametrize(
    "line, code, said",
    [
        ("accuracy of 3 >= 1%", "CNN203", "`accuracy` is not of a class"),
        ("params of 3 <= 9", "CNN203", "`params` is not of a class"),
        ("recall in 3 >= 1%", "CNN202", "a budget has no `in`"),
        ("recall of 3x4 >= 1%", "CNN203", "wants the name of a class"),
        ('recall of "" >= 1%', "CNN203", "wants the name of a class"),
        ("recall of 3 @dense1 >= 1%", "CNN001", "cannot stand here"),
        ("recall of >= 1%", "CNN001", "cannot stand here"),
        ("recall of 3 >= 100", "CNN203", "is a share of 1"),
    ],
)
def test_a_budget_of_a_class_that_cannot_be_is_refused(line, code, said):
    with pytest.raises(SpecError) as error:
        read_spec(text=f"dense 10 -> softmax\nexpect {{ {line} }}\n")
    assert code in str(error.value) and said in str(error.value)


def test_a_class_that_no_test_image_is_of_is_told_so():
    spec = read_spec(text="dense 10 -> softmax\nexpect { recall of 3 >= 50% ; recall of 4 >= 10% }")
    each = [{"name": str(k), "recall": None if k == 3 else 0.5} for k in range(4)]
    summary = {"test_accuracy": 1.0, "test_cost": 0.1, "test": {"recall": 0.5, "classes": each}}
    third, fourth = missed(spec, summary)
    assert third.code == fourth.code == "CNN610"
    assert "no test image is of this class" in third.label and third.message.startswith("recall of `3` was not")
    assert fourth.label == "there is no such class" and fourth.help == "the classes are 0, 1, 2, 3"


def test_budgets_of_classes_live_in_json_too(here, cnnspec):
    (here / "net.cnn").write_text('input 4\ndense 10 -> softmax\nexpect { f1 of "a b" >= 50% ; f1 >= 1% }\n')
    assert cnnspec("compile", "net.cnn", "--emit", "json", "-o", "net.cnn.json").code == 0
    first, second = read_spec(here / "net.cnn.json").expect
    assert (first.of, first.what, second.of) == ("a b", "f1 of `a b`", "")
    text = (here / "net.cnn.json").read_text().replace('"quantity": "f1"', '"quantity": "accuracy"')
    (here / "net.cnn.json").write_text(text)
    told = cnnspec("check", "net.cnn.json")
    assert told.code == 1 and "accuracy is not of a class" in told.out


@pytest.mark.parametrize(
    "file, end, expected, why",
    [
        ("three", "dense 3 -> softmax", "mae <= 1", "the answers are classes, which have no mae"),
        ("three", "dense 3 -> softmax", "auc >= 1%", "an ROC curve is of two classes"),
        ("three", "dense 3 -> softmax", "top5 >= 1%", "it is of more than 5 classes"),
        ("two", "dense 1 -> sigmoid", "iou >= 1%", "it is of masks"),
        ("numbers", "dense 2\ntrain { cost mse }", "f1 >= 1%", "the answers are numbers, which have no f1"),
        ("numbers", "dense 2\ntrain { cost mse }", "auc >= 1%", "the answers are numbers, which have no auc"),
    ],
)
def test_check_finds_what_is_never_measured(archives, cnnspec, file, end, expected, why):
    data = f'data {{ source npz "{file}.npz" test 30% }}\n'
    (archives / "m.cnn").write_text(f"input 6\n{end}\n{data}expect {{ {expected} }}\n")
    outcome = cnnspec("check", "m.cnn")
    if outcome.code == 0:  # rows of floats may be classes all the same: only reading them tells
        assert file == "numbers"
        outcome = cnnspec("run", "m.cnn", "--workers", 1)
        assert "error[CNN610]" in outcome.err and why in outcome.err
    else:
        assert f"is never measured: {why}" in outcome.out and "CNN611" in outcome.out


@pytest.mark.parametrize(
    "net, name, why",
    [
        ("input 4\ndense 1\n", "f1", "numbers, which have no f1"),
        ("input 4\ndense 5 -> softmax\n", "top5", "more than 5 classes"),
        ("input 4\ndense 6 -> softmax\n", "top5", ""),
        ("input 4\ndense 2 -> softmax\n", "auc", ""),
        ("input 4\ndense 1 -> sigmoid\n", "auc", ""),
        ("input 4\ndense 3 -> softmax\n", "auc", "of two classes"),
        ("input 4\ndense 3 -> softmax\n", "iou", "of masks"),
        ("input 1x4x4\nconv 3x3x3 pad same -> softmax\n", "iou", ""),
        ("input 1x4x4\nconv 2x3x3 pad same -> softmax\n", "auc", ""),
        ("input 1x4x4\nconv 3x3x3 pad same -> softmax\n", "auc", "of two classes"),
        ("input 1x4x4\nconv 3x3x3 pad same -> softmax\n", "top5", "more than 5 classes"),
        ("input 4\ndense 1\n", "r2", ""),
        ("input 4\ndense 3 -> softmax\n", "mae", ""),  # of shares, say
    ],
)
def test_the_network_alone_tells_some_of_it(net, name, why):
    text = f'{net}data {{ source npz "none.npz" }}\nexpect {{ {name} >= 0 }}\n'
    if not why:
        assert read_spec(text=text).expect
        return
    with pytest.raises(SpecError, match=f"(?s)CNN611.*{name} is never measured: .*{why}"):
        read_spec(text=text)


def test_what_is_not_defined_on_the_test_images_is_told_so():
    spec = read_spec(text="input 4\ndense 1 -> sigmoid\nexpect { auc >= 50% }")
    summary = {"test_accuracy": 1.0, "test_cost": 0.1, "test": {"accuracy": 1.0, "auc": None}}
    (found,) = missed(spec, summary)
    assert found.code == "CNN610" and "one of the two classes does not occur" in found.label
