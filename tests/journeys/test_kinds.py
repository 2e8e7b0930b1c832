"""A day for each kind of task: trained to its figure, moved, asked there, exported, answered alike elsewhere."""

from __future__ import annotations

import csv
import json
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Kind:
    """A spec, what makes its data, the figure it reaches, the file it is asked about, and that file's numbers.

    `stored` gives for the inputs of an exported network the arrays that lie in the file, not prepared at all.
    """

    spec: str
    make: Callable[[Any, np.random.Generator], None]
    asked: str
    stored: Callable[[Any, Any], Arrays]


def photos(day, draw):
    """Two kinds of photos of all sizes, one of them rare: the upper or the lower half is bright."""
    image = pytest.importorskip("PIL.Image", reason="photos are read by Pillow, which is not installed")
    for name, count in (("up", 40), ("down", 8)):
        (day / f"photos/{name}").mkdir(parents=True)
        for number in range(count):
            height, width = draw.integers(10, 24, 2)
            pixels = draw.integers(0, 90, (height, width, 3)).astype(np.uint8)
            half = slice(0, height // 2) if name == "up" else slice(height // 2, None)
            pixels[half] += 150
            image.fromarray(pixels).save(day / f"photos/{name}/{number}.png")
    image.fromarray(pixels).save(day / "asked.png")


def of_photo(day, _):
    image = pytest.importorskip("PIL.Image")
    return {"input": np.asarray(image.open(day / "asked.png")).transpose(2, 0, 1)[None]}


def shop(day, draw):
    rows = [["id", "city", "rooms", "area", "kind"]]
    for number in range(120):
        city, rooms = ("Oslo", "Rome")[number % 2], 1 + number % 5
        area = "" if number % 30 == 7 else f"{20 * rooms + draw.normal():.2f}"
        rows.append([str(number), city, str(rooms), area, "dear" if rooms > 2 and number % 2 else "cheap"])
    day.write("shop.csv", "\n".join(map(",".join, rows)) + "\n")
    day.write("asked.csv", "area,city,rooms\n79.5,Rome,4\n,Oslo,2\n41,Rome,2\n")


def of_table(day, told):
    """The columns that the network names, of each row; NaN for what is missing."""
    with open(day / "asked.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    def number(row, column):
        name, _, category = column.partition(" is ")
        return float(row[name] == category) if category else float(row[name] or "nan")

    return {"input": np.array([[number(row, column) for column in told] for row in rows], np.float32)}


def flats(day, draw):
    rows = [f"{rooms},{area:.3f},{3 * rooms + 0.5 * area + 2:.3f}"
            for rooms, area in zip(draw.integers(1, 6, 120), draw.uniform(20, 90, 120), strict=True)]  # fmt: skip
    day.write("flats.csv", "\n".join(["rooms,area,price", *rows]) + "\n")
    day.write("asked.csv", "rooms,area\n3,50\n1,20.5\n")


def beats(day, draw):
    late = draw.integers(0, 2, 200)
    bump = np.exp(-(((np.arange(48) - 14 - 15 * late[:, None]) / 3) ** 2))
    x = 100 * (bump + draw.normal(0, 0.1, bump.shape)).astype(np.float32)
    np.savez(day / "beats.npz", x=x[:, :, None], y=np.where(late, "late", "early"))
    np.savez(day / "asked.npz", x=x[:6, :, None])


def masks(day, draw):
    x = draw.integers(0, 256, (60, 8, 8)).astype(np.uint8)
    np.savez(day / "scans.npz", scan=x, mask=(x > 127).astype(np.uint8))
    np.savez(day / "asked.npz", x=x[:3])


def signals(day, draw):
    x = (draw.random((200, 3)) @ draw.random((3, 40))).astype(np.float32)  # 40 numbers that are 3
    np.savez(day / "signals.npz", x=x)
    np.savez(day / "asked.npz", x=x[:4])


def siamese(day, draw):
    a, b = draw.integers(0, 2, (2, 200))
    pair = {name: (draw.normal(0, 10, (200, 1, 6, 6)) + 60 + 120 * which[:, None, None, None]).astype(np.uint8)
            for name, which in (("left", a), ("right", b))}  # fmt: skip
    np.savez(day / "pairs.npz", **pair, y=(a == b).astype(np.float32)[:, None])
    np.savez(day / "asked.npz", **{name: x[:9] for name, x in pair.items()})


def heads(day, draw):
    x = draw.integers(0, 120, (200, 1, 5, 5)).astype(np.uint8)
    left = draw.integers(0, 2, 200) == 1
    x[left, :, :, :2] += 100
    x[~left, :, :, 3:] += 100
    shade = x.mean((1, 2, 3))[:, None].astype(np.float32) / 255
    np.savez(day / "two.npz", x=x, shade=shade, side=np.where(left, "left", "right"))
    np.savez(day / "asked.npz", x=x[:5])


def arrays(day, _):
    with np.load(day / "asked.npz") as file:
        return {"input" if name == "x" else name: file[name] for name in file.files}


KINDS = {
    "photos": Kind("""conv 4x3x3 pad same -> relu -> maxpool 2 -> dense 2 -> softmax
data { source images "photos" resize 12x12 test 25% ; validation 0 ; balance on ; normalise on }
train { optimiser adam lr 1e-2 ; batch 8 ; epochs 10 ; seed 1 }
expect { recall of down >= 90% ; accuracy >= 90% }
""", photos, "asked.png", of_photo),
    "table": Kind("""dense 12 -> relu -> dense 2 -> softmax
data { source csv "shop.csv" label "kind" drop "id" missing mean test 25% ; normalise on ; validation 0 }
train { optimiser adam lr 2e-2 ; batch 8 ; epochs 25 }
expect { accuracy >= 90% }
""", shop, "asked.csv", of_table),
    "sequence": Kind("""conv 4x7 pad same -> relu -> maxpool 4 -> dense 2 -> softmax
data { source npz "beats.npz" axes nwc ; validation 10% ; normalise on }
train { optimiser adam lr 1e-2 ; batch 16 ; epochs 8 }
expect { accuracy >= 95% }
""", beats, "asked.npz", arrays),
    "masks": Kind("""conv 4x1x1 -> relu -> conv 2x1x1 -> softmax
data { source npz "scans.npz" images "scan" labels "mask" axes nhw ; augment flip ; normalise on }
train { optimiser adam lr 0.05 ; batch 8 ; epochs 12 }
expect { iou >= 85% ; auc >= 0.9 }
""", masks, "asked.npz", arrays),
    "autoencoder": Kind("""dense 3 -> dense 40
data { source npz "signals.npz" ; target itself ; validation 0 }
train { optimiser adam lr 2e-2 ; schedule cosine ; batch 20 ; epochs 60 ; cost mse }
expect { r2 >= 90% }
""", signals, "asked.npz", arrays),
    "siamese": Kind("""input 1x6x6 as left
input 1x6x6 as right
net look = flatten -> dense 4 -> tanh
@left -> look as seen
mul( @seen | @right -> look ) -> dense 1 -> sigmoid
data { source npz "pairs.npz" ; normalise on }
train { cost binary_cross_entropy ; optimiser adam lr 5e-2 ; epochs 15 }
expect { accuracy >= 95% }
""", siamese, "asked.npz", arrays),
    "heads": Kind("""input 1x5x5
flatten -> dense 16 -> relu as trunk
net side = @trunk -> dense 2 -> softmax
net shade = @trunk -> dense 1
data { source npz "two.npz" }
train { cost cross_entropy of side ; cost mse of shade ; optimiser adam lr 1e-2 ; batch 8 ; epochs 10 }
expect { accuracy >= 95% }
""", heads, "asked.npz", arrays),
    "regression": Kind("""dense 1
data { source csv "flats.csv" target numbers ; normalise on ; validation 0 }
train { cost mse ; optimiser sgd lr 0.05 ; batch 8 ; epochs 40 }
expect { r2 >= 95% ; mae <= 0.5 }
""", flats, "asked.csv", of_table),
}  # fmt: skip


def told(said):
    """The answers by the names of outputs; of a network with one output under ``."""
    rows = said.json()
    if "outputs" in rows[0]:
        return {name: np.array([row["outputs"][name]["output"] for row in rows]) for name in rows[0]["outputs"]}
    return {"": np.array([row["output"] for row in rows])}


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_from_data_to_an_answer_in_other_programs(day, kind):
    of = KINDS[kind]
    of.make(day, np.random.default_rng(0))
    day.write("net.cnn", of.spec)
    day.well("run", "net.cnn", "--workers", 1)  # whose budgets hold
    answers = told(day.well("predict", "runs/net-001", of.asked, "--json"))
    there = day.folder.parent / "there"
    there.mkdir()
    (day / "runs/net-001").rename(there / "net-001")
    (day / of.asked).rename(there / of.asked)
    for file in day.folder.iterdir():  # neither data nor spec
        file.rename(there.parent / f"away-{file.name}")
    moved = told(day.well("predict", there / "net-001", there / of.asked, "--json"))
    assert all((moved[name] == array).all() for name, array in answers.items())
    close = {"rtol": 1e-3, "atol": 0.02 if kind == "photos" else 1e-3}  # a resized pixel may round otherwise

    onnx = pytest.importorskip("onnx", reason="needs the extra cnnspec[onnx]")
    runtime = pytest.importorskip("onnxruntime")
    day.well("compile", there / "net-001", "--emit", "onnx", "-o", "net.onnx")
    meta = {entry.key: entry.value for entry in onnx.load(day / "net.onnx").metadata_props}
    given = of.stored(there, json.loads(meta.get("columns", "[]")))
    session = runtime.InferenceSession(str(day / "net.onnx"), providers=["CPUExecutionProvider"])
    found = session.run(None, given)
    for name, array in zip([value.name for value in session.get_outputs()], found, strict=True):
        wanted = answers.get(name.partition(".")[0], answers.get(""))
        np.testing.assert_allclose(array, wanted, err_msg=name, **close)

    torch = pytest.importorskip("torch")
    load = pytest.importorskip("safetensors.torch")
    day.well("compile", there / "net-001", "--emit", "torch", "-o", "net.py")
    net = runpy.run_path(str(day / "net.py"))["Net"]()
    tested = json.loads((there / "net-001/summary.json").read_text(encoding="utf-8"))["tested"]
    net.load_state_dict(load.load_file(there / f"net-001/weights/{tested}.safetensors"))
    with torch.no_grad():
        made = net.eval()(*(torch.from_numpy(array.copy()) for array in given.values()))
    for array, other in zip(made if isinstance(made, tuple) else [made], found, strict=True):
        np.testing.assert_allclose(array.numpy(), other, rtol=1e-4, atol=1e-5)
