"""The language: text -> tree -> graph of words."""

from .reading import Reading, Spec, read

__all__ = ["Reading", "Spec", "read"]
