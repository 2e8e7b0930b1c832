"""Batch normalisation together with the max pooling that follows it, on residue rows (ops/winograd.py)."""

from __future__ import annotations

from collections.abc import Mapping

from ..ir import TensorType
from ..record import record
from .norm import BLOCK, BatchNorm, BatchNormGradient, BatchNormSums, block_rows, mask_of
from .winograd import PoolResidues, in_pixels, in_residues


@record
class PooledBatchNorm(BatchNorm):
    """Batch normalisation, then the largest of each 2x2 window, and relu of that where a pass gave it.

    Made block by block, so that what lies between has no memory. For the gradient there remains who won, `wins`:
    of each window's upper pixels the left one, of its lower ones the left one, of both winners the upper one.
    """

    any_rows = False
    pool: PoolResidues = PoolResidues()

    def type(self, x: TensorType, *rest: TensorType) -> TensorType:
        return self.pool.type(x)

    def extras(self, x: TensorType, weight: TensorType, *rest: TensorType) -> Mapping[str, TensorType]:
        sizes = {**dict(self.pool.pooled(x).axes), "h": 3 * (x["h"] // 2)}
        wins = mask_of(TensorType(tuple(sizes.items())))
        won = {"won": mask_of(self.pool.type(x))} if self.relu else {}
        return {"mean": weight, "var": weight, "wins": wins, **won}

    def gradient(self, node, dy, b):
        x, weight, *_ = node.inputs
        mean, var = f"{node.name}:mean", f"{node.name}:var"
        who = [f"{node.name}:wins"] + [f"{node.name}:won"] * self.relu
        made = PooledBatchNormSums(self.eps)
        dz = b.add(made, dy, x, mean, var, *who, name=f"{node.name}.dy", like=node)
        op = PooledBatchNormGradient(self.eps)
        given = (dz, x, mean, var, weight, f"{dz}:sums", who[0])
        dx = b.add(op, *given, name=f"{node.name}.dx", like=node)
        return dx, f"{dz}:dweight", f"{dz}:dbias"

    def evaluate(self, x, weight, bias, *sums):
        import numpy as np

        y, mean, var = BatchNorm(self.eps).evaluate(x, weight, bias)
        pooled, top, bottom = self.pool.evaluate(y)
        image = in_pixels(y, 4 * y.shape[4])[:, :, : y.shape[2] // 2 * 2]
        left = image[..., 0::2] >= image[..., 1::2]
        upper, lower = (a.reshape(*a.shape[:3], -1, 2).swapaxes(3, 4) for a in (left[:, :, 0::2], left[:, :, 1::2]))
        made = pooled * (pooled > 0) if self.relu else pooled, mean, var
        wins = np.concatenate([upper, lower, top >= bottom], axis=2)
        return *made, wins, *[pooled > 0] * self.relu

    def emit(self, node, e) -> None:
        x, weight, bias, *_ = node.inputs
        mean, var = self.emit_moments(node, e)
        height, _, c, t, n = e.shape(x)
        block = rows_of_a_block(height, c * t * n)
        scratch = {"block": (2 * block, 4, c, t, n), "top": (block, 2, c, t, n), "bottom": (block, 2, c, t, n)}
        if self.lazy:
            rows, *rest = e.shape(node.name)
            scratch["scratch"] = (block_rows(rows, rest[1:]), *rest)
        after = f"wins={wins_of(node.name + ':wins', e)}" + f", won={e[node.name + ':won']}" * self.relu
        after += "" if self.lazy else f", out={e[node.name]}"
        lent = ", ".join(f"{name}={e.scratch(name, shape, kept=self.late)}" for name, shape in scratch.items())
        made = e.view("by_rows", f"NormalisedPooled({e[x]}, {lent}, {after})")
        e.line(f"{made}.prepare({mean}, {var}, {e[weight]}, {e[bias]}, {self.eps!r})")
        self.emit_made(node, made, e)


@record
class PooledBatchNormSums(BatchNormSums):
    """The gradient of what was pooled where relu let it through, in the order of its winners' rows.

    By-products are the sums of other norms, of that gradient at the pixels that won.
    """

    def type(self, dy: TensorType, x: TensorType, mean: TensorType, *rest: TensorType) -> TensorType:
        return PoolResidues().pooled(x)

    def extras(self, dy: TensorType, x: TensorType, mean: TensorType, *rest: TensorType):
        return {"sums": BatchNormSums.type(self, dy, x, mean), **BatchNormSums.extras(self, dy, x, mean)}

    def evaluate(self, dy, x, mean, var, wins, *won):
        import numpy as np

        dy = dy * won[0] if won else dy
        dy = in_pixels(dy, 4 * dy.shape[4]) if dy.ndim == 5 else dy
        dz = np.ascontiguousarray(dy.reshape(*dy.shape[:3], -1, 2).swapaxes(3, 4))
        return dz, *BatchNormSums.evaluate(self, dealt(dz, wins, x), x, mean, var)

    def emit(self, node, e) -> None:
        dy, x, mean, var, wins, *won = node.inputs
        mine = e.meeting(f"{node.name}:sums", "part", (2, e.graph.type(mean)["c"]))
        mask = "".join(f"won={e[value]}, " for value in won)
        e.line(
            f"pooled_sums({e[dy]}, {e[x]}, {dealt_rows(node.name, x, wins, e)}, {mask}sums={mine}, "
            f"out={e[node.name]})"
        )
        self.emit_gradients(node, e, mine, mean, var)


@record
class PooledBatchNormGradient(BatchNormGradient):
    """dx of a normalisation that was pooled: the gradient goes to the pixels that won as it is read."""

    def evaluate(self, dz, x, mean, var, weight, sums, wins):
        return BatchNormGradient.evaluate(self, dealt(dz, wins, x), x, mean, var, weight, sums)

    def emit(self, node, e) -> None:
        dz, x, *numbers, wins = node.inputs
        self.emit_rows(node, dealt_rows(dz, x, wins, e, kept=self.by_rows), x, numbers, e)


def dealt(dz, wins, x):
    """dz at those pixels of x that won, zero at the others."""
    import numpy as np

    dy, upper, lower, above = (side_by_side(part) for part in (dz, *np.split(wins, 3, axis=2)))
    image = np.zeros((*x.shape[:3], 4 * x.shape[4]), dy.dtype)
    for row, (left, here) in enumerate(((upper, above), (lower, ~above))):
        for column, winner in enumerate((left & here, ~left & here)):
            image[:, :, row : 2 * dy.shape[2] : 2, column::2] = dy * winner
    return in_residues(image)


def dealt_rows(dz: str, x: str, wins: str, e, kept: bool = False) -> str:
    """The same in a plan, a block of rows at a time."""
    height, *rest = e.shape(x)
    block = e.scratch("dealt_rows", (block_rows(height, rest[1:]), *rest), kept=kept)
    half = e.scratch("half", (2, *rest[1:]), kept=kept)
    return e.view("dealt", f"Dealt({e[dz]}, {wins_of(wins, e)}, {height}, {block}, {half})")


def side_by_side(rows):
    """rows[n,c,i,2,t] as an image [n,c,i,2t]: column w = 2t + r."""
    return rows.swapaxes(3, 4).reshape(*rows.shape[:3], -1)


def rows_of_a_block(height: int, numbers: int) -> int:
    """How many rows of windows make a block, where a row of one residue has so many numbers."""
    return max(1, min(height // 2, BLOCK // (8 * numbers)))


def wins_of(value: str, e) -> str:
    rows, *rest = e.shape(value)
    return e.view_of(value, "by_pair", f"{e[value]}.reshape(3, {rows // 3}, {', '.join(map(str, rest))})")
