"""The order of an archive's axes: told by the spec, or without doubt, never guessed."""

from __future__ import annotations

from ...diagnostics import Fault
from ...ir import TensorType
from ...settings.data import Images, Npz, Pairs, Source

FEW_CHANNELS = (1, 3, 4)


def axes_of(source: Npz, where: str, shape: tuple[int, ...]) -> str:
    """The axes of x, one letter each: as the spec tells them or, where x leaves no doubt, channels first."""
    axes = source.axes or {2: "nc", 3: "ncw", 4: "nchw"}.get(len(shape))
    if axes is None or len(axes) != len(shape):
        told = f"{len(axes)} (`axes {axes}`)" if axes else "2 to 4"
        raise Fault.of("CNN408", "source", case="axes", where=where, count=len(shape), wanted=told)
    if source.axes is None:
        sizes = "x".join(map(str, shape))
        if axes == "nchw" and shape[3] in FEW_CHANNELS and min(shape[1:3]) > max(FEW_CHANNELS):
            raise Fault.of(
                "CNN408",
                "source",
                case="last",
                where=where,
                sizes=sizes,
                channels=shape[1],
                height=shape[2],
                width=shape[3],
            )
        if axes == "ncw" and shape[1] == shape[2] and shape[1] > max(FEW_CHANNELS):
            raise Fault.of("CNN408", "source", case="no channels", where=where, sizes=sizes, channels=shape[1])
    return axes


def image_shape(axes: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes of one image, channels first."""
    sizes = {"c": 1, **dict(zip(axes, shape, strict=True))}
    return tuple(sizes[name] for name in "chw" if name in sizes)


def other_input(source: Source | None, name: str, found: TensorType, wanted: TensorType) -> Fault:
    """The fault of data that a network takes otherwise, with what may help."""
    axes = _axes_for(found.shape, wanted.shape) if isinstance(source, Npz) else None
    if axes:
        return Fault.of("CNN408", case="input axes", takes=wanted, name=name, has=found, axes=axes)
    if len(found.shape) == 1 and found.elements == wanted.elements:
        return Fault.of("CNN408", case="input reshape", takes=wanted, name=name, has=found)
    if isinstance(source, Images | Pairs) and len(wanted.spatial) == 2 and found["c"] == wanted["c"]:
        sides = "x".join(map(str, wanted.spatial))
        return Fault.of("CNN408", case="input resize", takes=wanted, name=name, has=found, sides=sides)
    return Fault.of("CNN408", case="input", takes=wanted, name=name, has=found)


def _axes_for(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str | None:
    """The `axes` by which images read as `shape`, channels first, would have the wanted shape; None for none."""
    ways = {(3, 3): ("nhwc", (2, 0, 1)), (2, 2): ("nwc", (1, 0))}
    if wanted == (1, *shape) and len(shape) == 2:
        return "nhw"
    axes, order = ways.get((len(shape), len(wanted)), ("", ()))
    return axes if axes and tuple(shape[i] for i in order) == wanted else None
