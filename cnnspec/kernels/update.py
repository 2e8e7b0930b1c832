"""What an update needs besides its optimiser's lines: how much to shorten the gradient."""

from __future__ import annotations

from math import sqrt


def clip_scale(square_norm: float, clip: float) -> float:
    """The factor that shortens a gradient to the norm `clip`; 1 where it is shorter.

    The 1e-6 is PyTorch's (torch.nn.utils.clip_grad_norm_).
    """
    scale = clip / (sqrt(square_norm) + 1e-6)
    return 1.0 if scale > 1 else scale  # a gradient that is not a number stays none: its scale is neither
