"""Augmentations: small changes to the training images, drawn anew in every epoch; see `base`."""

from __future__ import annotations

from .base import Augmentation
from .colours import Brightness, Contrast, Noise, Saturation
from .mixes import Cutmix, Cutout, Mixup
from .moves import Crop, Flip, Shift
from .warps import ResizedCrop, Rotate, Zoom

AUGMENTATIONS: tuple[type[Augmentation], ...] = (
    Flip, Crop, Shift, Rotate, Zoom, ResizedCrop, Brightness, Contrast, Saturation, Noise, Cutout, Mixup, Cutmix,
)  # fmt: skip
