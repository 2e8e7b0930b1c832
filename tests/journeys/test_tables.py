"""Days with tables: csv files as people keep them."""

from __future__ import annotations

import random

import numpy as np
import pytest


def shop(count=90, seed=3, labels=("cheap", "dear", "odd")):
    """Rows of two numbers that tell the label apart, and the label."""
    draw = random.Random(seed)
    rows = []
    for i in range(count):
        kind = i % len(labels)
        rows.append((f"{kind * 4 + draw.gauss(0, 0.3):.3f}", f"{draw.random():.3f}", labels[kind]))
    return rows


def table(rows, header="price,weight,kind"):
    return "\n".join(([header] if header else []) + [",".join(row) for row in rows]) + "\n"


SPEC = """dense 12 -> relu -> dense 3 -> softmax
data { source csv "shop.csv" ; normalise on ; validation 0 }
train { optimiser adam lr 2e-2 ; batch 8 ; epochs 25 }
"""


def test_text_labels_with_a_missing_cell_mended_and_tested_in_other_processes(day):
    rows = shop()
    rows[4] = (rows[4][0], rows[4][1], "nan")
    day.write("shop.csv", table(rows))
    day.write("shop.cnn", SPEC)
    said = day.tell("run", "shop.cnn", "--workers", 1)
    assert said.code == 1 and "shop.csv" in said.err and not (day / "runs").exists()
    day.write("shop.csv", table([row for row in rows if row[2] != "nan"]))
    assert day.well("run", "shop.cnn", "--workers", 1).number("test accuracy") == 1.0
    told = {day.well("eval", "runs/shop-001", PYTHONHASHSEED=seed).out for seed in ("0", "1", "77")}
    assert len(told) == 1
    day.write("ask.csv", "price,weight\n0.1,0.5\n3.9,0.2\n8.1,0.9\n")
    answers = day.well("predict", "runs/shop-001", "ask.csv", "--json", PYTHONHASHSEED="5").json()
    assert [answer["best"][0][0] for answer in answers] == ["cheap", "dear", "odd"]


def test_a_table_without_a_header_loses_no_row(day):
    day.write("iris.data", table(shop(), header=""))
    day.write("iris.cnn", SPEC.replace("shop.csv", "iris.data"))
    said = day.tell("run", "iris.cnn", "--workers", 1)
    if said.code == 1:  # told, with what to write
        assert "header off" in said.err
        day.write("iris.cnn", SPEC.replace("shop.csv", "iris.data").replace('.data"', '.data" header off'))
        said = day.well("run", "iris.cnn", "--workers", 1)
    assert "81 images" in said.out and "9 to test" in said.out  # a tenth of 90


def test_two_classes_by_one_sigmoid(day):
    rows = shop(labels=("no", "yes"))
    day.write("shop.csv", table(rows))
    day.write("yes.cnn", SPEC.replace("dense 3 -> softmax", "dense 1 -> sigmoid"))
    day.well("check", "yes.cnn")
    said = day.well("run", "yes.cnn", "--workers", 1)
    assert "binary_cross_entropy" in said.out and said.number("test accuracy") == 1.0
    assert "900.00%" not in said.out


def test_numbers_have_no_accuracy_and_a_line_is_found(day):
    """y = 3 a - 2 b + 1: least squares knows the answer."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(80, 2)).round(4)
    y = 3 * x[:, 0] - 2 * x[:, 1] + 1
    day.write("line.csv", "a,b,y\n" + "\n".join(f"{a},{b},{t:.6f}" for (a, b), t in zip(x, y, strict=True)))
    day.write("line.cnn", """dense 1
data { source csv "line.csv" target numbers ; validation 0 }
train { cost mse ; optimiser sgd lr 0.1 ; batch 8 ; epochs 60 }
""")  # fmt: skip
    said = day.well("run", "line.cnn", "--workers", 1)
    assert "accuracy" not in said.out and said.number("test cost") < 1e-6
    np.save(day / "ask.npy", np.array([[0, 0], [1, 0], [0, 1]], "f4"))
    answers = day.well("predict", "runs/line-001", "ask.npy", "--json").json()
    assert np.allclose([a["output"] for a in answers], [[1], [4], [-1]], atol=1e-3)
    day.write("line.cnn", (day / "line.cnn").read_text(encoding="utf-8") + "expect { accuracy >= 90% }\n")
    assert day.tell("check", "line.cnn").code == 1  # it could never be measured


def test_a_budget_that_nothing_could_measure_fails_the_run(day):
    day.write("shop.csv", table(shop()))
    spec = SPEC.replace("; normalise", "test 0 ; normalise").replace("epochs 25", "epochs 1")
    day.write("shop.cnn", spec + "expect { accuracy >= 99% }\n")
    said = day.tell("run", "shop.cnn", "--workers", 1)
    assert said.code == 1 and "accuracy" in said.err


@pytest.mark.parametrize("order", [("b", "a", "10", "9"), ("9", "10", "2", "1")])
def test_the_classes_of_a_table_are_in_one_order(day, order):
    rows = [(str(i), str(i % 7), order[i % 4]) for i in range(40)]
    day.write("shop.csv", table(rows))
    day.write("shop.cnn", SPEC.replace("dense 3", "dense 4").replace("epochs 25", "epochs 1"))
    day.well("run", "shop.cnn", "--workers", 1)
    day.write("ask.csv", "price,weight\n1,1\n")
    (answer,) = day.well("predict", "runs/shop-001", "ask.csv", "--json", "--top", 4).json()
    named = {name: share for name, share in answer["best"]}
    expected = sorted(order, key=int) if all(name.isdigit() for name in order) else sorted(order)
    assert np.allclose([named[name] for name in expected], answer["output"])
