"""Convolutions."""

from __future__ import annotations

from jax import lax

from ...ops import Conv, DwConv
from ...ops.geometry import Geometry
from .call import Array, Call, along, column


def conv(op: Conv, call: Call, x: Array) -> Array:
    return convolve(op.geometry(call.types[0]), op.groups, op.bias, call, x)


def dwconv(op: DwConv, call: Call, x: Array) -> Array:
    return convolve(op.geometry(call.types[0]), x.shape[1], op.bias, call, x)


def convolve(geometry: Geometry, groups: int, bias: bool, call: Call, x: Array) -> Array:
    y = lax.conv_general_dilated(
        x,
        call["weight"],
        along(geometry.stride, x),
        along(geometry.pad, x),
        rhs_dilation=along(geometry.dilate, x),
        feature_group_count=groups,
    )
    return y + column(call["bias"], y) if bias else y
