"""How fast a network is: beside PyTorch and JAX, from a cold start, and layer by layer.

subject     what is measured: a spec with its input known
side        a process that runs steps of one program and says how long they took
twin        the network, its cost and its optimiser as a file of PyTorch
agreement   that the sides compute the same numbers, in float64
comparison        sides in turn, ratios as median and range; the first step of each
layers      the lines of a plan timed one by one, and told by layer
table       all of it as text
"""
