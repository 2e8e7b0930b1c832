"""Augmentations: small changes to the training images, drawn anew in every epoch; see `base`."""

from __future__ import annotations

from .base import Augmentation
from .colours import Brightness, Contrast, Noise, Saturation
from .mixes import Cutmix, Cutout, Mixup
from .moves import Crop, Flip, Moved, Shift
from .warps import ResizedCrop, Rotate, Zoom

__all__ = [
    "AUGMENTATIONS", "Augmentation", "Brightness", "Contrast", "Crop", "Cutmix", "Cutout", "Flip", "Mixup", "Moved",
    "Noise", "ResizedCrop", "Rotate", "Saturation", "Shift", "Zoom",
]  # fmt: skip
AUGMENTATIONS: tuple[type[Augmentation], ...] = (
    Flip, Crop, Shift, Rotate, Zoom, ResizedCrop, Brightness, Contrast, Saturation, Noise, Cutout, Mixup, Cutmix,
)  # fmt: skip
