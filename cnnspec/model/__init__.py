"""The model object of the Python API."""

from .model import Model

__all__ = ["Model"]
