"""A network as a PyTorch module, made from the source that is written for it."""

from cnnspec.targets.torch.module import torch_source


def torch_module(graph):
    """The module of a graph, which needs PyTorch."""
    names = {"__name__": "twin"}
    exec(compile(torch_source(graph), "<twin>", "exec"), names)
    return names["Net"]()
