"""Images to learn from: read, checked, split, and fed batch by batch."""

from .dataset import Dataset, Scaling, Split
from .load import load

__all__ = ["Dataset", "Scaling", "Split", "load"]
