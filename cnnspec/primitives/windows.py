"""The primitives of pooling: reductions of the pixels of each window."""

from __future__ import annotations

from collections.abc import Mapping

from .. import kernels
from ..ir import TensorType, data
from ..ir.geometry import Geometry, Pads, Pair, size_2d
from ..ir.op import Array, GraphBuilder, Node, Op, PlanWriter, Slides
from ..record import record
from .convolution.convolve import image_4d, looks
from .convolution.polyphase import as_image, as_polyphase, polyphase_type

ROWS = 65_536  # numbers of the rows of windows that are compared at a time, in the cache


@record
class GlobalMeanGradient(Op):
    """The gradient of a mean over the image: dy / pixels for every pixel."""

    x: TensorType

    def type(self, dy: TensorType) -> TensorType:
        return self.x

    def evaluate(self, dy: Array) -> Array:
        import numpy as np

        count = self.x.elements // self.x["c"]
        each = dy.reshape(*dy.shape, *[1] * len(self.x.spatial)) / count
        return np.broadcast_to(each, (len(dy), *self.x.shape)).copy()

    def emit(self, node: Node, e: PlanWriter) -> None:
        (dy,) = node.inputs
        scratch = e.scratch("each", e.shape(node.name)[1:])
        e.call(kernels.channels.image_means_gradient, e[dy], scratch=scratch, out=e[node.name])


@record
class Negate(Op):
    """-x"""

    can_alias = (0,)

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        return (b.add(Negate(), dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        return -x

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        e.call(kernels.np.multiply, e[x], -1, out=e[node.name])  # `negative` errs where numbers lie apart


@record
class Windows(Slides):
    """The base of the primitives of pooling."""

    @property
    def quartered(self) -> bool:
        """2x2 windows side by side, the common case, has kernels of its own."""
        return self.geometry == Geometry((2, 2), (2, 2))

    @property
    def arguments(self) -> tuple[Pair | Pads, ...]:
        """What kernels take after their arrays: kernel, stride, pad, and dilate where taps are apart."""
        found = self.geometry
        return found.kernel, found.stride, found.pad, *((found.dilate,) if found.dilate != (1, 1) else ())

    def type(self, x: TensorType) -> TensorType:
        return x.resized(self.geometry.out(*size_2d(x))[-len(x.spatial) :])

    def flops(self, x: TensorType) -> int:
        return self.type(x).elements * self.geometry.kernel[0] * self.geometry.kernel[1]

    def seen(self, x: Array, fill: float) -> Array:
        """The windows' pixels: one array [taps, n, c, i, j]."""
        import numpy as np

        x4 = image_4d(x)
        padded = np.pad(x4, ((0, 0), (0, 0), *self.geometry.pad), constant_values=fill)
        out = self.geometry.out(*x4.shape[2:])
        return np.stack([view for _, _, view in looks(self.geometry, padded, *out)])


@record
class MaxWindows(Windows):
    """The largest value of each window; of 2x2 it saves that of each row for the gradient, unless told not to."""

    saves: bool = True

    def for_polyphase(self, *inputs: TensorType) -> Op | None:
        return PolyphasePool() if self.quartered else None

    def extras(self, x: TensorType) -> Mapping[str, TensorType]:
        if not (self.quartered and x.kind == "image" and self.saves):
            return {}
        return {"top": self.type(x), "bottom": self.type(x)}

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        if self.geometry.kernel == (1, 1) and not any(
            map(any, self.geometry.pad)
        ):  # the largest of one is its mean
            mean = MeanWindowsGradient(self.geometry, x=b.type(node.inputs[0]))
            return (b.add(mean, dy, name=f"{node.name}.dx", like=node),)
        saved = (f"{node.name}:top", f"{node.name}:bottom") if node.extras else ()
        op = MaxWindowsGradient(self.geometry)
        return (b.add(op, dy, node.inputs[0], node.name, *saved, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array | tuple[Array, ...]:
        import numpy as np

        seen = self.seen(x, -np.inf)
        y = seen.max(axis=0)
        if x.ndim == 3:
            return y[:, :, 0]
        if not (self.quartered and self.saves):
            return y
        return y, np.maximum(seen[0], seen[1]), np.maximum(seen[2], seen[3])

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        if node.extras:
            saved = {name: e[f"{node.name}:{name}"] for name in ("top", "bottom")}
            e.call(kernels.pool.maxpool2, e[x], **saved, out=e[node.name])
        elif self.quartered and e.type(x).kind == "image":
            self.emit_rows_first(x, node, e)
        elif self.geometry.kernel == (1, 1) and not any(map(any, self.geometry.pad)):
            down, across = self.geometry.stride
            e.call(kernels.np.copyto, e[node.name], e.view("pixels", f"{e[x]}[::{down}, :, ::{across}]"))
        else:
            lent = {}
            if e.type(x).kind == "image":
                _, channels, width, n = e.shape(x)
                rows = max(1, min(e.shape(node.name)[0], ROWS // (channels * width * n)))
                lent["rows"] = e.scratch("rows", (rows, channels, width, n))
            e.call(kernels.pool.maxpool, e[x], *self.arguments, **lent, out=e[node.name])

    def emit_rows_first(self, x: str, node: Node, e: PlanWriter) -> None:
        """The larger of two rows, all their channels in one run, then of two pixels."""
        height, channels, width, n = e.shape(node.name)
        wide = e.shape(x)[2]
        larger = e.scratch("rows", (height, channels, wide, n))
        upper, lower = (e.view(name, f"{e[x]}[{k}:{2 * height}:2]") for k, name in enumerate(("upper", "lower")))
        left, right = (
            e.view(name, f"{larger}[:, :, {k}:{2 * width}:2]") for k, name in enumerate(("left", "right"))
        )
        e.call(kernels.np.maximum, upper, lower, out=larger)
        e.call(kernels.np.maximum, left, right, out=e[node.name])


@record
class MaxWindowsGradient(Windows):
    """The gradient goes to the maximum of each window."""

    def type(self, dy: TensorType, x: TensorType, *rest: TensorType) -> TensorType:
        return x

    def flops(self, dy: TensorType, x: TensorType, *rest: TensorType) -> int:
        return dy.elements * self.geometry.kernel[0] * self.geometry.kernel[1]

    def evaluate(self, dy: Array, x: Array, y: Array | None, *saved: Array) -> Array:
        import numpy as np

        argmax = self.seen(x, -np.inf).argmax(axis=0)
        return scatter(self.geometry, image_4d(x), image_4d(dy), argmax).reshape(x.shape)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x, y, *saved = node.inputs
        shape = e.shape(dy)
        if saved:
            upper, lower = e.scratch("upper", shape), e.scratch("lower", shape)
            argmax_mask = e.scratch("argmax_mask", shape, "bool")
            e.call(
                kernels.pool.maxpool2_gradient,
                e[dy],
                e[x],
                e[saved[0]],
                e[saved[1]],
                upper=upper,
                lower=lower,
                argmax_mask=argmax_mask,
                out=e[node.name],
            )
        else:
            height, channels, width, images = e.shape(x)
            step, rows = self.geometry.stride[1], (max(height, shape[0]), *shape[1:])
            columns = {}
            if step > 1:
                phases = (2, step, height, channels, -(-width // step), images)
                columns["columns"] = e.scratch("columns", phases)
            e.call(
                kernels.pool.maxpool_gradient,
                e[dy],
                e[x],
                e[y],
                *self.arguments,
                **columns,
                scratch=e.scratch("rows", (4, *rows)),
                argmax_mask=e.scratch("argmax_mask", rows, "bool"),
                out=e[node.name],
            )


def scatter(geometry: Geometry, x: Array, dy: Array, argmax: Array) -> Array:
    """dy to the winning pixel of each window, looking at one window after the other."""
    import numpy as np

    padded = np.pad(np.zeros_like(x), ((0, 0), (0, 0), *geometry.pad))
    (down, across), (apart, aside) = geometry.stride, geometry.dilate
    for n, c, i, j in np.ndindex(dy.shape):
        u, v = divmod(int(argmax[n, c, i, j]), geometry.kernel[1])
        padded[n, c, i * down + u * apart, j * across + v * aside] += dy[n, c, i, j]
    (top, _), (left, _) = geometry.pad
    return padded[:, :, top : top + x.shape[2], left : left + x.shape[3]]


@record
class PolyphasePool(Op):
    """Max pooling by 2x2 windows, from polyphase rows to an image: a window's pixels lie in four whole blocks.

    `onward` to polyphase rows again, where the pooled image fills every tile.
    """

    onward: bool = False

    def pooled(self, x: TensorType) -> TensorType:
        """The type of the pooled rows, before they become an image."""
        return TensorType((("c", x["c"]), ("h", x["h"] // 2), ("r", 2), ("t", x["t"])))

    def type(self, x: TensorType) -> TensorType:
        image = TensorType((("c", x["c"]), ("h", x["h"] // 2), ("w", 2 * x["t"])))
        return polyphase_type(image) if self.onward else image

    def extras(self, x: TensorType) -> Mapping[str, TensorType]:
        return {"top": self.pooled(x), "bottom": self.pooled(x)}

    def flops(self, x: TensorType) -> int:
        return x.elements

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        saved = (f"{node.name}:top", f"{node.name}:bottom")
        return (b.add(PolyphasePoolGradient(), dy, node.inputs[0], *saved, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> tuple[Array, ...]:
        import numpy as np

        y, top, bottom = self.windows().evaluate(as_image(x, 4 * x.shape[4]))
        rows = (np.ascontiguousarray(a.reshape(*a.shape[:3], -1, 2).swapaxes(3, 4)) for a in (top, bottom))
        return as_polyphase(y) if self.onward else y, *rows

    @property
    def row_geometry(self) -> Geometry:
        return self.windows().geometry

    def windows(self) -> MaxWindows:
        return MaxWindows(Geometry((2, 2), (2, 2)))

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        saved = {name: e[f"{node.name}:{name}"] for name in ("top", "bottom")}
        e.call(kernels.polyphase.polyphase_maxpool2, e[x], **saved, out=e[node.name])


@record
class PolyphasePoolGradient(Op):
    """The gradient goes to the maximum of each window."""

    def type(self, dy: TensorType, x: TensorType, *saved: TensorType) -> TensorType:
        return x

    def flops(self, dy: TensorType, *rest: TensorType) -> int:
        return 4 * dy.elements

    def evaluate(self, dy: Array, x: Array, *saved: Array) -> Array:
        image = as_image(x, 4 * x.shape[4])
        dy = as_image(dy, 4 * dy.shape[4]) if dy.ndim == 5 else dy
        return as_polyphase(MaxWindowsGradient(Geometry((2, 2), (2, 2))).evaluate(dy, image, None))

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x, top, bottom = node.inputs
        shape = e.shape(top)
        upper, lower = e.scratch("upper", shape), e.scratch("lower", shape)
        argmax_mask = e.scratch("argmax_mask", shape, "bool")
        e.call(
            kernels.polyphase.polyphase_maxpool2_gradient,
            e[dy],
            e[x],
            e[top],
            e[bottom],
            upper=upper,
            lower=lower,
            argmax_mask=argmax_mask,
            out=e[node.name],
        )


@record
class MeanWindows(Windows):
    """The mean of each window."""

    count_pad: bool = False

    def counts(self, x: TensorType) -> Array:
        """Pixels that count in each window, [i,j]."""
        import numpy as np

        height, width = size_2d(x)
        if self.count_pad:
            ones = np.ones([n + sum(p) for n, p in zip((height, width), self.geometry.pad, strict=True)])
        else:
            ones = np.pad(np.ones((height, width)), self.geometry.pad)
        out = self.geometry.out(height, width)
        return sum(view[0, 0] for _, _, view in looks(self.geometry, ones[None, None], *out))

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        x = b.type(node.inputs[0])
        op = MeanWindowsGradient(self.geometry, self.count_pad, x)
        return (b.add(op, dy, name=f"{node.name}.dx", like=node),)

    def evaluate(self, x: Array) -> Array:
        import numpy as np

        kind = data(*x.shape[1:])
        y = (self.seen(x, 0.0).sum(axis=0) / self.counts(kind)).astype(x.dtype)
        return y if x.ndim == 4 else np.ascontiguousarray(y[:, :, 0])

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        out = e[node.name]
        e.call(kernels.pool.window_sums, e[x], *self.arguments, out=out)
        e.call(kernels.np.multiply, out, self.shares(e.type(x), node.name, e), out=out)

    def shares(self, x: TensorType, name: str, e: PlanWriter) -> str:
        """Plan source of 1 / count, one number or one for each window."""
        counts = self.counts(x)
        if counts.min() == counts.max():
            return e.number(1 / float(counts[0, 0]))
        return e.constant("shares", (1 / counts)[:, None, :, None])


@record
class MeanWindowsGradient(MeanWindows):
    """The gradient of a mean over windows: each pixel adds dy / count of its windows."""

    x: TensorType = data(1, 1, 1)

    def type(self, dy: TensorType) -> TensorType:
        return self.x

    def flops(self, dy: TensorType) -> int:
        return dy.elements * self.geometry.kernel[0] * self.geometry.kernel[1]

    def evaluate(self, dy: Array) -> Array:
        import numpy as np

        shares = image_4d(dy) / self.counts(self.x)
        height, width = size_2d(self.x)
        (top, bottom), (left, right) = self.geometry.pad
        padded = np.zeros((*dy.shape[:2], height + top + bottom, width + left + right), dy.dtype)
        for _, _, seen in looks(self.geometry, padded, *shares.shape[2:]):
            seen += shares
        dx = padded[:, :, top : top + height, left : left + width]
        return dx if dy.ndim == 4 else dx[:, :, 0]

    def emit(self, node: Node, e: PlanWriter) -> None:
        (dy,) = node.inputs
        shared = e[dy]
        if self.geometry.kernel != (1, 1) or any(map(any, self.geometry.pad)):
            shared = e.scratch("shared", e.shape(dy))
            e.call(kernels.np.multiply, e[dy], self.shares(self.x, node.name, e), out=shared)
        e.call(kernels.pool.window_sums_gradient, shared, *self.arguments, out=e[node.name])
