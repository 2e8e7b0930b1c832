"""Layers that all shards make together: some of the outputs each, of the images of all.

Where weights outweigh the pixels of a batch, it takes longer to read them than to multiply. So each shard shows the
others its pixels, reads a part of the weights for the images of all, and shows what that makes; however many shards
there are, each weight is read once.

What shards show one another lies in memory that all see, as [c,...,n] with images innermost, or as [n,c]: a place
for as many images of every shard as the largest has, those of the first shard first.
"""

from __future__ import annotations

from .. import kernels
from ..ir import TensorType
from ..ir.op import PlanWriter

SHARED = 1 << 17  # weights from which on shards make one gradient together, not one each
READ = 1 << 18  # weights from which on they make the layer together
LIGHT = 4  # weights of such a layer for each number that is shown
TRANSFORMED_LIGHT = 1  # the same where weights and numbers are transformed, of which there are four and two then


def outweighs(w: TensorType, pixels: int) -> bool:
    """Whether weights are so many, beside the pixels of a batch, that shards make their gradient together."""
    return w.elements >= SHARED and pixels <= w.shape[0]


def takes_reading(w: TensorType, x: TensorType, y: TensorType, e: PlanWriter, light: float = 0) -> bool:
    """Whether shards that learn make the layer together, and the gradient of what it reads."""
    return e.shards > 1 and outweigh_reading(w.elements, (x.elements + y.elements) * e.batch, light)


def outweigh_reading(weights: int, shown: int, light: float = 0) -> bool:
    """Whether it takes longer to read weights than to show numbers, of which there are so many; where there are
    `light` weights for each number, or LIGHT.
    """
    return weights >= max(READ, (light or LIGHT) * shown)


def places(e: PlanWriter) -> int:
    """How many images there is a place for, of all shards."""
    return e.shards * most(e)


def most(e: PlanWriter) -> int:
    """Images of the largest shard."""
    return -(-e.batch // e.shards)


def share(count: int, e: PlanWriter) -> str:
    """Source of a shard's share of so many things, as a slice."""
    first, end = (f"{count} * {k} // {e.shards}" for k in ("b.shard", "(b.shard + 1)"))
    return f"{first} : {end}"


def mine(e: PlanWriter) -> str:
    """Source of the places of a shard's own images, as a slice."""
    return f"{most(e)} * b.shard : {most(e)} * b.shard + {e.n}"


def by_channel(x: str, e: PlanWriter) -> str:
    """Rows x[h,c,w,n] as a view [c,h,w,n]; a vector is [c,n]."""
    return e[x] if len(e.shape(x)) == 2 else e.view_of(x, "by_channel", f"{e[x]}.swapaxes(0, 1)")


def show(e: PlanWriter, *, by_image: str = "", **values: str) -> dict[str, str]:
    """Source of values of all shards, [c,...,n]; this shard's are shown now, where they were not before.

    Values by what they are called; the vector that is called `by_image` comes as [n,c].
    """
    found, begun = {}, len(e.seen)
    for what, value in values.items():
        order = "by image" if what == by_image else "by channel"
        if (value, order) not in e.seen:
            whole, part = room(e, what, value, by_image=what == by_image)
            copy_part(e, by_channel(value, e), e.view(f"{what}_of_mine", part), transposed=what == by_image)
            e.seen[value, order] = whole
        found[what] = e.seen[value, order]
    if len(e.seen) > begun:
        e.barrier("every shard has shown its pixels")
    return found


def copy_part(e: PlanWriter, given: str, out: str, transposed: bool = False) -> None:
    """A line that copies [c,...,n], some images of each."""
    if transposed:
        e.call(kernels.np.copyto, out, given)
    else:
        e.call(kernels.conv.copy_pixels, given, out=out)


def room(e: PlanWriter, what: str, value: str, by_image: bool = False) -> tuple[str, str]:
    """Source of memory for a value of all shards, [c,...,n] or [n,c], and of this shard's part of it, [c,...,n]."""
    shape = e.shape(value)
    channels, *sizes = (shape[0],) if len(shape) == 2 else (shape[1], shape[0], shape[2])
    shown = e.shown(what, (channels, *sizes, most(e)))
    if by_image:
        whole = f"{shown}.reshape(-1, {channels})"
        return whole, f"{whole}[{mine(e)}].T"
    whole = f"{shown}.reshape({', '.join(map(str, (channels, *sizes)))}, -1)"
    return whole, f"{whole}[..., {mine(e)}]"


def gather(e: PlanWriter, part: str, value: str) -> None:
    """Lines that wait until all shards have made some of a value, and take this shard's images."""
    e.barrier("every shard has made its part")
    copy_part(e, e.view("images_of_mine", part), by_channel(value, e))
