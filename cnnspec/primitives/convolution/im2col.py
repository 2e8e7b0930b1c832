"""Convolution by im2col: products of matrices over the rows of the output.

The input is widened once, and the product and the gradient of the filters share it. With many channels the
input's gradient is such a product too, by the flipped kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from ... import kernels
from ...ir import TensorType, parameter
from ...ir.geometry import Geometry, size_2d
from ...ir.op import Array, Node, Op, PlanWriter
from ...record import record
from ..dense import multiplying
from ..norm import block_rows
from .convolve import emit_at_once, emit_filter_gradient, image_4d, part
from .polyphase import moments_of, moments_type

PARTS = 500_000  # numbers of the products of some rows, which are summed together
SMALL = (32_768, 4_096)  # numbers of an image without and with padding that is best widened by one copy of a view


@record
class Im2col(Op):
    """The input of a convolution, widened so that every output row's matrix lies there as a view.

    Shared by the forward product and the gradient of the filters. With `polyphase` a row's pixels are sorted by
    w mod 4, as in polyphase rows (`winograd.py`), and its columns are zero beyond the image.
    """

    geometry: Geometry
    groups: int = 1
    polyphase: bool = False

    @property
    def tall(self) -> bool:
        """Whether the kernel's rows have to be copied too: dilated in height, they do not lie together."""
        return self.geometry.dilate[0] > 1 and self.geometry.kernel[0] > 1

    def type(self, x: TensorType) -> TensorType:
        height, width = size_2d(x)
        out_h, out_w = self.geometry.out(height, width)
        kernel_h, kernel_w = self.geometry.kernel
        rows = out_h if self.tall else height + sum(self.geometry.pad[0])
        taps = kernel_h * kernel_w if self.tall else kernel_w
        out_w += -out_w % 4 if self.polyphase else 0
        sizes = (self.groups, rows, taps, x["c"] // self.groups, out_w)
        return TensorType(tuple(zip("ghvcw", sizes, strict=True)))

    def flops(self, *inputs: TensorType) -> int:
        return 0

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        x4 = image_4d(x)
        padded = np.pad(x4, ((0, 0), (0, 0), *self.geometry.pad))
        kernel_h, kernel_w = self.geometry.kernel
        out_h, out_w = self.geometry.out(*x4.shape[2:])
        stride, dilate = self.geometry.stride, self.geometry.dilate
        taps = []
        for u in range(kernel_h if self.tall else 1):
            for v in range(kernel_w):
                across = slice(v * dilate[1], v * dilate[1] + (out_w - 1) * stride[1] + 1, stride[1])
                down = slice(u * dilate[0], u * dilate[0] + (out_h - 1) * stride[0] + 1, stride[0])
                taps.append(padded[:, :, down if self.tall else slice(None), across])
        wide = np.stack(taps)  # v n c h w
        if self.polyphase:
            wide = np.pad(wide, ((0, 0),) * 4 + ((0, -out_w % 4),))
            wide = np.concatenate([wide[..., r::4] for r in range(4)], axis=4)
        v, n, c, h, w = wide.shape
        return wide.reshape(v, n, self.groups, c // self.groups, h, w).transpose(1, 2, 4, 0, 3, 5)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        (_, kernel_w), (_, stride), (_, dilate) = (
            self.geometry.kernel,
            self.geometry.stride,
            self.geometry.dilate,
        )
        if self.tall:
            g = self.geometry
            e.call(kernels.conv.im2col, e[x], g.kernel, *g.arguments, out=e[node.name])
        else:
            pad, order = self.geometry.pad, {"phases": 4} if self.polyphase else {}
            size, surrounded = prod(e.shape(x)), any(map(any, pad))
            if e.n == 1 and not self.polyphase and (surrounded or size > SMALL[0]):
                made = e.source(kernels.conv.Im2colWidth, e[x], kernel_w, stride, dilate, pad, out=e[node.name])
                e.call(kernels.conv.Im2colWidth.copy, e.view("columns", made))
                return
            if not self.polyphase and size <= SMALL[surrounded]:
                windows = e.source(
                    kernels.conv.column_windows, padded(x, self.geometry, e), kernel_w, stride, dilate, self.groups
                )
                e.call(kernels.np.copyto, e[node.name], e.view("windows", windows))
                return
            e.call(kernels.conv.im2col_width, e[x], kernel_w, stride, dilate, pad, **order, out=e[node.name])

    def rows(self, node_name: str, e: PlanWriter) -> str:
        """The view whose rows are multiplied."""
        _, rows, *_ = e.shape(node_name)
        if self.tall:
            return e.view_of(node_name, "rows", e.source(kernels.conv.rows, e[node_name], 1, 1, rows))
        kernel, stride = self.geometry.kernel[0], self.geometry.stride[0]
        height = (rows - kernel) // stride + 1
        seen = e.view_of(node_name, "rows", e.source(kernels.conv.rows, e[node_name], kernel, stride, height))
        if not self.polyphase:
            return seen
        *_, width, n = e.shape(node_name)
        return e.view_of(node_name, "as_polyphase", e.source(kernels.gemm.in_blocks, f"{seen}[0]", width // 4 * n))


def padded(x: str, geometry: Geometry, e: PlanWriter) -> str:
    """The source of an image with its padding around it, which is made where there is any."""
    (top, bottom), (left, right) = geometry.pad
    height, channels, width, n = e.shape(x)
    if not any((top, bottom, left, right)):
        return e[x]
    shape = top + height + bottom, channels, left + width + right, n
    made = e.filled("padded", shape, 0) if n == 1 else e.scratch("padded", shape)
    if n > 1:
        e.call(kernels.conv.fill, made, 0)
    inside = e.view("inside", f"{made}[{top}:{top + height}, :, {left}:{left + width}]")
    e.call(kernels.np.copyto, inside, e[x])
    return made


@record
class Im2colGemm(Op):
    """y = weights times columns, a matrix product for each row of the output; or for so many filters `at_once` of
    all rows.

    With `moments` those for batch normalisation are a by-product, taken where the rows are made.
    """

    columns: Im2col
    y: TensorType
    moments: bool = False
    at_once: int = 0

    def type(self, columns: TensorType, w: TensorType) -> TensorType:
        return self.y

    def extras(self, columns: TensorType, w: TensorType) -> Mapping[str, TensorType]:
        return {"moments": moments_type(w["f"])} if self.moments else {}

    def macs(self, columns: TensorType, w: TensorType) -> int:
        return w.elements * self.y.elements // w["f"]

    def evaluate(self, columns: Array, w: Array) -> Array | tuple[Array, ...]:
        import numpy as np

        out_h, _ = size_2d(self.y)
        groups = self.columns.groups
        w4 = image_4d(w)
        kernel_h, kernel_w = w4.shape[2:]
        y = np.zeros((len(columns), self.y["c"], *size_2d(self.y)), columns.dtype)
        for u in range(kernel_h):
            if self.columns.tall:
                seen = columns[:, :, :, u * kernel_w : (u + 1) * kernel_w]
            else:
                stride = self.columns.geometry.stride[0]
                seen = columns[:, :, u : u + (out_h - 1) * stride + 1 : stride]
            for group in range(groups):
                f = part(len(w), groups, group)
                y[:, f] += np.einsum("nhvcw,fcv->nfhw", seen[:, group], w4[f, :, u])
        if self.columns.polyphase:
            y = np.ascontiguousarray(y.reshape(*y.shape[:3], 4, -1))
            return (y, moments_of(y)) if self.moments else y
        return y if self.y.kind == "image" else y[:, :, 0]

    def emit(self, node: Node, e: PlanWriter) -> None:
        columns, w = node.inputs
        groups = self.columns.groups
        if self.columns.polyphase:
            self.emit_phases(node, e)
            return
        filters = e.type(w)["f"]
        if self.at_once:
            emit_at_once(w, f"{self.columns.rows(columns, e)}[0]", self.at_once, node, e)
            return
        out = e.view("by_row", e.source(kernels.conv.by_group, e[node.name], groups))
        rows = self.columns.rows(columns, e)
        depth, length = e.type(w).elements // filters, prod(e.shape(node.name)[-2:])
        matrix = e.view("matrix", f"{e[w]}.reshape({groups}, 1, {filters // groups}, -1)")
        e.call(multiplying(filters // groups, depth, length), matrix, rows, out=out)

    def emit_phases(self, node: Node, e: PlanWriter) -> None:
        columns, w = node.inputs
        matrix, rows, out = e.matrix(w), self.columns.rows(columns, e), e.blocks(node.name)
        filters, (height, *rest) = e.type(w)["f"], e.shape(node.name)
        if not self.moments:
            by = multiplying(filters, e.type(w).elements // filters, prod(rest[-2:]))
            e.call(by, matrix, rows, out=out)
            return
        mine = e.partial_sums(f"{node.name}:moments", "part", (3, filters))
        e.call(
            kernels.polyphase.products_and_moments, matrix, rows, block_rows(height, rest), moments=mine, out=out
        )


@record
class Im2colFilterGradient(Op):
    """dw from the columns that the forward pass kept; `at_once` as one product over all pixels."""

    columns: Im2col
    w: TensorType
    at_once: bool = False

    def type(self, columns: TensorType, dy: TensorType) -> TensorType:
        return self.w

    def macs(self, columns: TensorType, dy: TensorType) -> int:
        return self.w.elements * dy.elements // self.w["f"]

    def evaluate(self, columns: Array, dy: Array) -> Array:
        import numpy as np

        dy4 = np.concatenate([dy[:, :, :, r] for r in range(4)], axis=3) if self.columns.polyphase else image_4d(dy)
        out_h = dy4.shape[2]
        groups, geometry = self.columns.groups, self.columns.geometry
        kernel_h, kernel_w = geometry.kernel
        dw = np.zeros(self.w.shape, dy.dtype)
        dw4 = image_4d(dw)
        for u in range(kernel_h):
            if self.columns.tall:
                seen = columns[:, :, :, u * kernel_w : (u + 1) * kernel_w]
            else:
                seen = columns[:, :, u : u + (out_h - 1) * geometry.stride[0] + 1 : geometry.stride[0]]
            for group in range(groups):
                f = part(dy.shape[1], groups, group)
                dw4[f, :, u] += np.einsum("nhvcw,nfhw->fcv", seen[:, group], dy4[:, f])
        return dw

    def emit(self, node: Node, e: PlanWriter) -> None:
        columns, dy = node.inputs
        if self.columns.polyphase:
            self.emit_phases(node, e)
            return
        rows = self.columns.rows(columns, e)
        emit_filter_gradient(node.name, dy, rows, self.columns.groups, self.w, e, self.at_once)

    def emit_phases(self, node: Node, e: PlanWriter) -> None:
        columns, dy = node.inputs
        filters, depth = self.w["f"], self.w.elements // self.w["f"]
        height, *rest = e.shape(dy)
        by_rows = e.op(dy).fused_into_reader
        block = block_rows(height, rest) if by_rows else max(1, min(height, PARTS // (4 * filters * depth)))
        scratch = e.scratch("parts", (block, 4, filters, depth))
        given = e[dy] if by_rows else e.blocks(dy)
        rows = self.columns.rows(columns, e)
        e.call(kernels.polyphase.polyphase_filter_gradient, given, rows, scratch=scratch, out=e.matrix(node.name))


@record
class FlipKernel(Op):
    """The kernel flipped (turned by 180 degrees), filters and channels exchanged: for the input gradient."""

    groups: int = 1

    def type(self, w: TensorType) -> TensorType:
        sides = {name: size for name, size in w.axes if name in ("u", "v")}
        return parameter(f=w["c"] * self.groups, c=w["f"] // self.groups, **sides)

    def evaluate(self, w: Array) -> Array:
        import numpy as np

        filters, channels = w.shape[:2]
        flipped = w[:, :, ::-1, ::-1] if w.ndim == 4 else w[:, :, ::-1]
        parts = flipped.reshape(self.groups, filters // self.groups, *w.shape[1:]).swapaxes(1, 2)
        return np.ascontiguousarray(parts.reshape(self.groups * channels, filters // self.groups, *w.shape[2:]))

    def emit(self, node: Node, e: PlanWriter) -> None:
        (w,) = node.inputs
        kernel = (1, *e.type(w).shape[2:])[-2:]
        taps = e.view("taps", f"{e[w]}.reshape({e.type(w)['f']}, {kernel[0]}, {kernel[1]}, -1)")
        made = e.type(node.name)
        out = e.view("flipped", f"{e[node.name]}.reshape({made['f']}, {kernel[0]}, {kernel[1]}, -1)")
        e.call(kernels.conv.flip_kernel, taps, self.groups, out=out)
