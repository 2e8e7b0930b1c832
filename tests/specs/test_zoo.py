"""The networks of specs/: their figures are the published ones, and nothing is wrong or doubtful in them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pace import took_under

from cnnspec.diagnostics import Source
from cnnspec.ir.facts import facts
from cnnspec.lang import read

SPECS = Path(__file__).parents[2] / "specs"
ALL = sorted(path.stem for path in SPECS.glob("*.cnn"))

# parameters and multiply-adds as torchvision publishes them with its weights (`num_params` and `_ops`), for
# three channels of 224x224 and a thousand classes
TORCHVISION = {
    "alexnet": (61_100_840, 0.714e9),
    "vgg16": (138_357_544, 15.47e9),
    "googlenet": (6_624_904, 1.498e9),
    "resnet18": (11_689_512, 1.814e9),
    "resnet50": (25_557_032, 4.089e9),
    "squeezenet": (1_248_424, 0.819e9),
    "densenet121": (7_978_856, 2.834e9),
    "mobilenetv2": (3_504_872, 0.301e9),
    "shufflenetv2": (2_278_604, 0.145e9),
    "efficientnet-b0": (5_288_548, 0.386e9),
    "convnext-tiny": (28_589_128, 4.456e9),
}


def conv(f: int, c: int, k: int, pixels: int, bias: bool = True) -> tuple[int, int]:
    """Parameters and multiply-adds of a convolution: f filters of c channels and k taps, for so many pixels."""
    return f * c * k + f * bias, f * c * k * pixels


def dense(f: int, c: int) -> tuple[int, int]:
    return f * c + f, f * c


def together(*parts: tuple[int, int], bn: int = 0) -> tuple[int, int]:
    """The sum of parts, with two numbers for each of `bn` normalised channels."""
    parameters, macs = (sum(figures) for figures in zip(*parts, strict=True))
    return parameters + 2 * bn, macs


def unet() -> tuple[int, int]:
    """The 2015 paper's figure 1, from top left to top right; sizes of pictures as written there."""
    down = [(1, 64, 570, 568), (64, 128, 282, 280), (128, 256, 138, 136), (256, 512, 66, 64), (512, 1024, 30, 28)]
    up = [(1024, 512, 54, 52), (512, 256, 102, 100), (256, 128, 198, 196), (128, 64, 390, 388)]
    parts = [conv(64, 64, 1, 388**2), conv(2, 64, 1, 388**2)][1:]
    for c, f, first, second in (*down, *up):
        parts += [conv(f, c, 9, first**2), conv(f, f, 9, second**2)]
    # a 2x2 transposed convolution: each pixel that it reads makes four
    parts += [conv(f, c, 4, side**2) for (c, f, *_), side in zip(up, (28, 52, 100, 196), strict=True)]
    return together(*parts)


# counted by hand, layer after layer, from the papers or from the drawing board
BY_HAND = {
    "lenet5": (61_706, 416_520),
    "resnet20": together(
        conv(16, 3, 9, 1024, False),
        *[conv(16, 16, 9, 1024, False)] * 6,
        *[conv(32, 16, 9, 256, False), *[conv(32, 32, 9, 256, False)] * 5, conv(32, 16, 1, 256, False)],
        *[conv(64, 32, 9, 64, False), *[conv(64, 64, 9, 64, False)] * 5, conv(64, 32, 1, 64, False)],
        dense(10, 64),
        bn=7 * 16 + 7 * 32 + 7 * 64,
    ),
    "unet": unet(),
    "dcgan": together(
        conv(512, 100, 16, 1, False),
        conv(256, 512, 16, 4**2, False),
        conv(128, 256, 16, 8**2, False),
        conv(64, 128, 16, 16**2, False),
        conv(3, 64, 16, 32**2, False),
        bn=512 + 256 + 128 + 64,
    ),
    "autoencoder": together(
        conv(16, 3, 9, 64**2, False),
        conv(32, 16, 9, 32**2, False),
        conv(64, 32, 9, 16**2, False),
        conv(32, 64, 9, 16**2, False),
        conv(16, 32, 9, 32**2, False),
        conv(16, 16, 9, 64**2, False),
        conv(4, 16, 1, 64**2),
        bn=16 + 32 + 64 + 32 + 16 + 16,
    ),
    "siamese": (
        together(conv(16, 1, 25, 0), conv(32, 16, 9, 0), dense(64, 800), dense(1, 64))[0],
        2 * together(conv(16, 1, 25, 24**2), conv(32, 16, 9, 10**2), dense(64, 800))[1] + 64,
    ),
    "two-heads": together(
        conv(16, 1, 9, 28**2, False), conv(32, 16, 9, 14**2, False), dense(64, 1568), dense(10, 64), dense(2, 64),
        bn=16 + 32,
    ),
    "sequence": together(
        conv(16, 3, 9, 128), conv(32, 16, 5, 64), conv(64, 32, 3, 32), dense(32, 64), dense(6, 32)
    ),
    "iris": together(dense(16, 4), dense(8, 16), dense(3, 8)),
}  # fmt: skip


def reading(name: str):
    path = SPECS / f"{name}.cnn"
    return read(Source(str(path), path.read_text()), fixes=False)


@pytest.mark.parametrize("name", [*TORCHVISION, *BY_HAND])
def test_figures(name):
    parameters, macs = {**TORCHVISION, **BY_HAND}[name]
    known = facts(reading(name).graph)
    assert known.parameters == parameters
    assert known.macs == pytest.approx(macs, rel=0.01)


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_wrong_and_nothing_is_doubtful(name):
    """No findings, budgets among them, but those that the file itself silences with its reason."""
    from cnnspec import check

    assert not check(SPECS / f"{name}.cnn").diagnostics


@pytest.mark.parametrize("name", ALL)
def test_a_person_would_write_it_so(name):
    text = (SPECS / f"{name}.cnn").read_text()
    assert text.startswith((f"# {name}.cnn: ", "conv"))  # the shortest file says nothing of itself
    assert len(text.splitlines()) < 40
    if name not in ("card", "mnist-cnn", "digits"):
        assert "params == " in text


@pytest.mark.parametrize("name", [*TORCHVISION, "unet"])
def test_a_check_takes_under_a_second(name):
    """Of processor time, beyond start-up; the first reading has loaded what is loaded once."""
    reading("card")
    began = time.thread_time()
    reading(name)
    assert took_under(1, began)
