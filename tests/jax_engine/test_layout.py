"""Images lie channels last on the devices, filters as convolutions read them: neither is turned in a step."""

import re

import numpy as np
import pytest

import cnnspec

pytest.importorskip("jax", reason="the engine on JAX is the extra cnnspec[jax], which is not installed")

NET = """input 3x9x8
conv 5x3x3 pad 1 bias off -> bn -> relu -> add( dwconv 3x3 pad 1 | id ) -> maxpool 2 -> conv 7x1x1
  -> upconv 4x2x2 stride 2 -> avgpool 2 -> concat( id | lrn 3 ) -> gap -> dense 3 -> softmax
train { optimiser adam ; batch 6 }
"""


def test_a_step_turns_the_images_that_it_is_given_and_nothing_else():
    model = cnnspec.compile(text=NET, engine="jax", devices=1)
    source = model.engine.plan("train", 6).source
    orders = re.findall(r"dim_numbers = (\[.*?\])x(\[.*?\])->(\[.*?\])", source)
    images, filters = "[b, 0, 1, f]", ("[0, 1, i, o]", "[0, 1, o, i]")
    over = [order for order in orders if order[0] == images]  # the others are the gradients of filters
    assert len(over) == 4 + 3 and len(orders) == 7 + 4
    assert all(kernel in filters and made == images for _, kernel, made in over)
    turned = re.findall(r"stablehlo\.transpose .* : \(tensor<((?:\d+x){4})f32>", source)
    assert turned == ["6x3x9x8x"], turned


def test_parameters_and_moments_are_set_and_read_in_pytorchs_order():
    model = cnnspec.compile(text=NET, engine="jax", devices=1)
    generator = np.random.default_rng(0)
    for held in (model.engine.parameters, *model.engine.moments.values()):
        for name, values in held.items():
            held[name] = made = generator.random(values.shape).astype("float32")
            assert np.array_equal(held[name], made) and held[name].flags.c_contiguous
    first = model.engine.parameters
    assert first["conv1.weight"].shape == (5, 3, 3, 3) and first.arrays["conv1.weight"].shape == (3, 3, 3, 5)
    assert first["dwconv1.weight"].shape == (5, 1, 3, 3) and first.arrays["dwconv1.weight"].shape == (3, 3, 1, 5)
