"""Weights as Keras keeps them: HDF5 files and `.keras` archives, in the names and axes of PyTorch.

    layers/conv2d/vars/0     kernel[u,v,c,f]              conv2d.weight[f,c,u,v]
    layers/conv2d/vars/1     bias[f]                      conv2d.bias[f]
    layers/dense/vars/0      kernel[i,o]                  dense.weight[o,i]
    conv2_bn/moving_mean:0   moving_mean[c]               conv2_bn.running_mean[c]

Channels are last there, so that a dense layer behind an image that is flattened has its columns in another order:
it is put right where the network is known. A file says in which order its layers were made, or only that of each
kind of them; a layer of ours takes the next one whose shape it has. Where two could be meant, none is taken.
"""

from .fitting import fitted, mapped
from .layers import Layers, of_names
from .reading import read, written_by_keras

__all__ = ["Layers", "fitted", "mapped", "of_names", "read", "written_by_keras"]
