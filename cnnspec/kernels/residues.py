"""Residue rows: the pixels of a row sorted by their column modulo 4, [h,c,w,n] <-> [h,4,c,t,n], w = 4t + r."""

from __future__ import annotations

import numpy as np


def to_residues(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,c,w,n] -> out[h,4,c,t,n]; columns beyond the image are zero."""
    width = x.shape[2]
    for r in range(4):
        tiles = len(range(r, width, 4))
        np.copyto(out[:, r, :, :tiles], x[:, :, r::4])
        if tiles < out.shape[3]:
            out[:, r, :, tiles:] = 0


def from_residues(x: np.ndarray, *, out: np.ndarray) -> None:
    """x[h,4,c,t,n] -> out[h,c,w,n]"""
    for r in range(4):
        part = out[:, :, r::4]
        np.copyto(part, x[:, r, :, : part.shape[2]])
