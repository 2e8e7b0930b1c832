"""The graph and its types; needs nothing but the standard library."""

from .graph import Builder, Graph, Node
from .types import SCALAR, TensorType, data, parameter

__all__ = ["SCALAR", "Builder", "Graph", "Node", "TensorType", "data", "parameter"]
