"""HDF5 files and `.keras` archives: nothing in them runs, and nothing leads out of them."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ...plain_files import open_regular, size_of
from ..layouts import natural
from ..tensors import Tensors, ensure_free, refuse
from .layers import VARIABLES, Array, KerasLayer, Layers, class_of, parts

if TYPE_CHECKING:
    from h5py import Dataset, Group

HDF5, ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"
INSIDE = "model.weights.h5"  # of a .keras archive
MOST_LAYERS = 10_000
LONGEST = 1 << 26  # bytes of a description


def written_by_keras(path: Path) -> bool:
    """Whether a file is HDF5, or an archive that holds such weights."""
    try:
        with open_regular(path) as file:
            lead = file.read(8)
            return lead == HDF5 or (lead.startswith(ZIP) and INSIDE in zipfile.ZipFile(file).namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def read(path: Path) -> Tensors:
    """The layers of a file; its faults are diagnostics."""
    if find_spec("h5py") is None:
        refuse("CNN520", path)
    with open_regular(path) as file:
        ensure_free(path, size_of(file))
        try:
            if file.read(8) == HDF5:
                return Tensors(_hdf5(path, file, ()), {})
            with zipfile.ZipFile(file) as archive:
                told = _classes(_member(path, archive, "config.json"))
                return Tensors(_hdf5(path, io.BytesIO(_member(path, archive, INSIDE)), told), {})
        except (OSError, KeyError, ValueError, RuntimeError, TypeError, RecursionError, zipfile.BadZipFile):
            refuse("CNN451", path, case="Keras")


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    entry = archive.getinfo(name)
    ensure_free(path, entry.file_size)
    with archive.open(entry) as file:
        found = file.read(entry.file_size + 1)
    if len(found) > entry.file_size:
        refuse("CNN451", path, case="member", name=name)
    return found


@dataclass(frozen=True)
class LayerDescription:
    """What a description says of a layer."""

    name: str
    kind: str
    eps: float | None
    lacks: frozenset[str]


def _classes(text: bytes | str) -> tuple[LayerDescription, ...]:
    """The layers that a description of a network lists, in its order; none where it lists none."""
    document = json.loads(text) if len(text) < LONGEST else {}
    layers = document.get("config", {}).get("layers", []) if isinstance(document, dict) else []
    found = []
    for layer in layers:
        said, kind = layer.get("config", {}), _snake(str(layer["class_name"]))
        eps, flags = said.get("epsilon"), {"scale": "gamma", "center": "beta", "use_bias": "bias"}
        lacks = frozenset(variable for flag, variable in flags.items() if said.get(flag, True) is False)
        name = str(said.get("name") or layer.get("name"))
        found.append(LayerDescription(name, kind, float(eps) if isinstance(eps, int | float) else None, lacks))
    return tuple(found)


def _snake(name: str) -> str:
    """BatchNormalization -> batch_normalization, Conv2D -> conv2d, PReLU -> p_re_lu: as Keras writes it."""
    name = re.sub(r"\W+", "", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def _hdf5(path: Path, file: BinaryIO | io.BytesIO, told: tuple[LayerDescription, ...]) -> Layers:
    import h5py

    with h5py.File(file, "r") as opened:
        if "layers" in opened and "layer_names" not in opened.attrs:
            return _of_three(path, opened, told)
        root = opened.get("model_weights", opened)
        described = opened.attrs.get("model_config", "")
        return _of_two(path, root, _classes(described) if described else ())


def _of_three(path: Path, opened: Group, told: tuple[LayerDescription, ...]) -> Layers:
    """`layers/conv2d_1/vars/0`: the groups are numbered by class, in the order of the layers."""
    counts: dict[str, int] = {}
    known: dict[str, LayerDescription] = {}
    for one in told:
        number = counts[one.kind] = counts.get(one.kind, -1) + 1
        known[f"{one.kind}_{number}" if number else one.kind] = one
    groups = opened["layers"]
    names = [name for name in known if name in groups] or sorted(groups, key=natural)
    found = []
    for name in names[:MOST_LAYERS]:
        kind = known[name].kind if name in known else re.sub(r"_\d+$", "", name)
        inner = groups.get(name, getlink=True)
        values = _arrays(path, groups[name].get("vars")) if type(inner).__name__ == "HardLink" else []
        nested = [key for key in groups[name] if key not in ("vars", "seed_generator")]
        if nested and _holds(groups[name], nested):
            refuse("CNN467", path, case="nested", name=name)
        if values:
            found.append(_layer(path, name, kind, values, known.get(name)))
    return Layers([part for layer in found for part in layer], ordered=bool(told))


def _holds(group: Group, names: Iterable[str]) -> bool:
    """Whether there is an array somewhere below."""
    found: list[bool] = []
    for name in names:
        inner = group[name]
        if hasattr(inner, "visititems"):
            inner.visititems(lambda _, item: found.append(True) if hasattr(item, "dtype") else None)
    return bool(found)


def _arrays(path: Path, group: Group | None) -> list[Array]:
    return [_array(path, group, name) for name in sorted(group, key=natural)] if group is not None else []


def _array(path: Path, group: Group, name: str) -> Array:
    """An array that lies in this file, and nowhere else."""
    link = group.get(name, getlink=True)
    dataset: Dataset = group[name]
    if type(link).__name__ != "HardLink" or dataset.is_virtual or dataset.external:
        refuse("CNN451", path, case="link")
    ensure_free(path, int(dataset.size) * dataset.dtype.itemsize)
    return np.asarray(dataset[()])


def _of_two(path: Path, root: Group, told: tuple[LayerDescription, ...]) -> Layers:
    """`layer_names` in their order, and `weight_names` of each."""
    known, found = {one.name: one for one in told}, []
    for name in _texts(root, "layer_names")[:MOST_LAYERS]:
        named = {}
        for whole in _texts(root[name], "weight_names"):
            *inner, last = whole.split("/")
            group = root[name]
            for part in inner:
                group = group[part]
            named[last.partition(":")[0]] = _array(path, group, last)
        if named:
            one = known.get(name)
            kind = one.kind if one else class_of(name, named)
            variables = VARIABLES.get(kind, ())
            if not {"kernel" if v == "depthwise_kernel" and "depth" in kind else v for v in named} <= {*variables}:
                refuse("CNN467", path, case="variables", name=name, variables=", ".join(named))
            found += parts(name, kind, named, one.eps if one else None)
    return Layers(found, ordered=True)


def _texts(group: Group, name: str) -> list[str]:
    """An attribute of texts, which is cut where it is long: weight_names, or weight_names0, weight_names1, ..."""
    found: list[str] = []
    for key in [name] if name in group.attrs else (f"{name}{k}" for k in range(MOST_LAYERS)):
        if key not in group.attrs:
            break
        found += [text.decode() if isinstance(text, bytes) else str(text) for text in group.attrs[key]]
    return found


def _layer(
    path: Path, name: str, kind: str, values: list[Array], told: LayerDescription | None
) -> list[KerasLayer]:
    """A layer whose variables have numbers only."""
    if kind not in VARIABLES:
        refuse("CNN467", path, case="numbers", name=name)
    wanted = [v for v in VARIABLES[kind] if told is None or v not in told.lacks]
    if kind == "batch_normalization" and len(values) == 2:
        wanted = ["moving_mean", "moving_variance"]
    if len(values) != len(wanted) and not (wanted[-1] == "bias" and len(values) == len(wanted) - 1):
        refuse("CNN467", path, case="unnamed", arrays=len(values), name=name)
    return parts(name, kind, dict(zip(wanted, values, strict=False)), told.eps if told else None)
