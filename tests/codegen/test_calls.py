"""Calls of a plan are held to the kernels' signatures when they are written."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cnnspec import kernels
from cnnspec.codegen.calls import written


def test_a_call_as_source():
    assert written(kernels.np.multiply, ["b.x", "f(0.5)"], {"out": "b.y"}) == "np.multiply(b.x, f(0.5), out=b.y)"
    assert written(kernels.np.add.reduce, ["b.x"], {"axis": (0, 2), "out": "b.y"}) == (
        "np.add.reduce(b.x, axis=(0, 2), out=b.y)"
    )
    pads = ((0, 1), (0, 0))
    assert written(kernels.conv.im2col_width, ["b.x", 3, 1, 1, pads], {"phases": 4, "out": "b.c"}) == (
        "im2col_width(b.x, 3, 1, 1, ((0, 1), (0, 0)), phases=4, out=b.c)"
    )


def test_a_method_is_called_of_its_object():
    assert written(kernels.norm.BlockwiseNormGradient.write, ["b.rows"], {"out": "b.y"}) == "b.rows.write(out=b.y)"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["b.x"], {}), (["b.x"], {"scratch": "b.s", "out": "b.y"}), (["b.x", "b.z"], {"out": "b.y"})],
    ids=["one is missing", "one is unknown", "one too many"],
)
def test_what_a_kernel_does_not_take_fails_where_it_is_written(arguments, named):
    with pytest.raises(TypeError, match=r"^relu\(x.*: "):
        written(kernels.activation.relu, arguments, named)


def test_a_kernel_that_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'relu'"):
        kernels.relu  # noqa: B018


def test_the_room_of_kernels_is_there_before_numpy():
    code = "import sys; from cnnspec import kernels; assert 'numpy' not in sys.modules; kernels.np"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_functions_of_plans_are_those_of_the_modules_in_their_order():
    names = [module.__name__.rpartition(".")[2] for module in kernels.MODULES]
    assert names == list(kernels.NAMES)
    assert kernels.KERNELS["maxpool2"] is kernels.pool.maxpool2 and "np" not in kernels.KERNELS
