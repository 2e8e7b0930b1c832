"""How fast a network is: beside other frameworks, from a cold start, and layer by layer.

subject     what is measured: a spec with its input known
runner      a process that runs steps of one program and says how long they took
agreement   that the sides compute the same numbers, in float64
comparison  sides in turn, ratios as median and range; the first step of each
layers      the lines of a plan timed one by one, and told by layer
table       all of it as text
suite       many networks, as one page of tables

torch_program, tensorflow_program   the network, its cost and its optimiser as a file of another framework
"""
