"""Convolutions."""

from __future__ import annotations

import jax.numpy as jnp
from jax import lax

from ...ir.geometry import Geometry
from ...words.conv import Conv, DwConv
from ...words.upconv import UpConv
from .call import Array, Call, Word, along
from .layout import FILTERS, FILTERS_BACK, IMAGES


def conv(op: Conv, call: Call, x: Array) -> Array:
    return convolve(op.geometry(call.types[0]), op.groups, op.bias, call, x)


def dwconv(op: DwConv, call: Call, x: Array) -> Array:
    return convolve(op.geometry(call.types[0]), x.shape[-1], op.bias, call, x)


def convolve(geometry: Geometry, groups: int, bias: bool, call: Call, x: Array) -> Array:
    y = lax.conv_general_dilated(
        x,
        call["weight"],
        along(geometry.stride, x),
        along(geometry.pad, x),
        rhs_dilation=along(geometry.dilate, x),
        dimension_numbers=(IMAGES[x.ndim], FILTERS[x.ndim], IMAGES[x.ndim]),
        feature_group_count=groups,
    )
    return y + call["bias"] if bias else y


def upconv(op: UpConv, call: Call, x: Array) -> Array:
    """A convolution with the kernel turned round, over pixels moved `stride` apart."""
    geometry, groups, w = op.geometry(call.types[0]), op.groups, call["weight"]
    rank, made = x.ndim - 2, call.node.type.shape[1:]
    stride, extent = along(geometry.stride, x), along(geometry.extent, x)
    before = [e - 1 - p[0] for e, p in zip(extent, along(geometry.pad, x), strict=True)]
    dilated = [(n - 1) * s + 1 for n, s in zip(x.shape[1:-1], stride, strict=True)]
    pad = [(b, m - n - b + e - 1) for b, m, n, e in zip(before, made, dilated, extent, strict=True)]
    if groups > 1:
        apart = w.reshape(*w.shape[:-1], groups, -1)
        w = jnp.moveaxis(apart, -2, -3).reshape(*w.shape[:-2], -1, apart.shape[-1])
    w = jnp.flip(w, axis=tuple(range(rank)))
    orders = IMAGES[x.ndim], FILTERS_BACK[x.ndim], IMAGES[x.ndim]
    dilate = along(geometry.dilate, x)
    y = lax.conv_general_dilated(x, w, (1,) * rank, pad, stride, dilate, orders, groups)
    return y + call["bias"] if op.bias else y


WORDS: dict[str, Word] = {
    "conv": conv,
    "dwconv": dwconv,
    "upconv": upconv,
}
