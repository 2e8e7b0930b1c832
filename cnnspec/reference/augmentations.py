"""The pictures of the reference: an image, and what each augmentation makes of it.

python -m cnnspec.reference.augmentations     # writes grammar/pictures/augment/*.png anew
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..data.changes import DrawnAugmentations
from ..draw.pixels import colour_png
from ..settings.augment import (
    AUGMENTATIONS,
    Augmentation,
    Brightness,
    Contrast,
    Crop,
    Cutout,
    Flip,
    Mixup,
    Noise,
    Saturation,
    Shift,
    Zoom,
)

FOLDER = Path(__file__).parents[2] / "grammar" / "pictures" / "augment"
SIDE, SHOWN, TIMES, GAP = 40, 9, 2, 4  # pixels of the image, how many follow it, how large one is, between two
# strong enough to be seen in one look
STRONG: dict[type[Augmentation], Augmentation] = {
    Flip: Flip("both"),
    Crop: Crop(8),
    Shift: Shift(8),
    Zoom: Zoom(0.4),
    Brightness: Brightness(0.5),
    Contrast: Contrast(0.7),
    Saturation: Saturation(1.0),
    Noise: Noise(0.15),
    Cutout: Cutout(14),
    Mixup: Mixup(1.0),
}


def scene(leafy: bool) -> np.ndarray:
    """A house under a sun, or a tree beside a pond: bytes (3, 40, 40)."""
    y, x = np.mgrid[:SIDE, :SIDE]
    sky = np.stack([120 + 2 * y, 180 + y, 235 + 0 * y])
    image = np.where(y < 27, sky, np.array([90, 160, 70])[:, None, None] + (x + y) % 3 * 6)
    if leafy:
        shapes = [
            ((abs(x - 13) < 3) & (y > 17) & (y < 34), (110, 75, 40)),
            ((x - 13) ** 2 + (y - 12) ** 2 < 90, (35, 115, 45)),
            ((x - 17) ** 2 + (y - 9) ** 2 < 14, (70, 150, 60)),
            (((x - 31) / 8.0) ** 2 + ((y - 33) / 3.5) ** 2 < 1, (50, 95, 190)),
        ]
    else:
        shapes = [
            ((x - 32) ** 2 + (y - 7) ** 2 < 20, (250, 215, 60)),
            ((x > 6) & (x < 26) & (y > 16) & (y < 33), (235, 225, 200)),
            ((y > 5) & (y <= 16) & (abs(x - 16) < y - 4), (185, 60, 45)),
            ((x > 9) & (x < 14) & (y > 23) & (y < 33), (95, 65, 40)),
            ((x > 17) & (x < 23) & (y > 20) & (y < 26), (110, 160, 200)),
        ]
    for inside, colour in shapes:
        image = np.where(inside, np.array(colour)[:, None, None], image)
    return image.astype(np.uint8)


def strip(augmentation: Augmentation) -> np.ndarray:
    """The image and those that are made of it, side by side: bytes (h, w, 3)."""
    house, tree = scene(False), scene(True)
    images = np.stack([house] * SHOWN + [tree] * 3 * SHOWN * augmentation.mixes)
    changes = DrawnAugmentations(images, np.zeros(len(images), np.int64), (augmentation,), seed=1, epoch=1)
    made, _ = changes.take(np.arange(len(images)), slice(0, SHOWN))
    large = [image.transpose(1, 2, 0).repeat(TIMES, 0).repeat(TIMES, 1) for image in (house, *made)]
    gap = np.full((SIDE * TIMES, GAP, 3), 255, np.uint8)
    return np.hstack([part for image in large for part in (image, gap)][:-1])


def strips() -> dict[str, np.ndarray]:
    """All of them, by the words."""
    return {kind.word: strip(STRONG[kind] if kind in STRONG else kind()) for kind in AUGMENTATIONS}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for word, picture in strips().items():
        (FOLDER / f"{word}.png").write_bytes(colour_png(picture))
