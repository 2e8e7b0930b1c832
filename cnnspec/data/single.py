"""Single images from files, for a network that is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..diagnostics import Diagnostic, Fault, SpecError
from ..ir import TensorType
from .dataset import Scaling
from .images import read_image


def read_inputs(path: Path, kind: TensorType, scaling: Scaling) -> np.ndarray:
    """The images of an npy file or a picture, (n, c, h, w) floats as the network sees them.

    Bytes are scaled as the training data were; floats are taken as they are. Raises SpecError.
    """
    try:
        if path.suffix.lower() == ".npy":
            array = _npy(path)
        else:
            array = read_image(path, colour=kind["c"] == 3)
        return _fitting(path, array, kind, scaling)
    except Fault as fault:
        raise SpecError((fault.diagnostic(),)) from None


def _npy(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise Fault("CNN405", f"{path} is not an npy file of numbers: {str(error).splitlines()[0]}") from None


def _fitting(path: Path, array: np.ndarray, kind: TensorType, scaling: Scaling) -> np.ndarray:
    if array.shape == kind.shape:
        array = array[None]
    elif kind["c"] == 1 and array.shape == kind.spatial:
        array = array[None, None]
    elif kind["c"] == 1 and array.ndim == len(kind.spatial) + 1 and array.shape[1:] == kind.spatial:
        array = array[:, None]
    if array.shape[1:] != kind.shape or array.dtype.kind not in "biuf":
        message = f"{path} holds {array.dtype} {array.shape}, and the network takes {kind}"
        raise SpecError((Diagnostic("CNN408", message),))
    if array.dtype == np.uint8:
        return scaling.apply(array, np.empty(array.shape, np.float32))
    found = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(found).all():
        raise Fault("CNN411", f"{path} holds numbers that are not finite")
    return found
