"""The engine on JAX: the same networks on GPUs, on TPUs and on many machines.

    words/      each word once more, as what XLA compiles; one module for each family
    forward     a graph of words as one function of parameters and images
    step        a training step as one function: forward, backward, clipping, optimiser
    engine      what a model asks of an engine: arrays held on devices, compiled functions
    devices     the devices of this process and of all, and how arrays lie on them
    processes   a run on several machines: joining, each one's part of the data, who writes

Only this folder imports JAX, and only when an engine is made: it is the extra `cnnspec[jax]`. The words'
gradients are not used here; JAX derives its own, which makes them a second witness for ours.
"""
