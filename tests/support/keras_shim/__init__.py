"""Keras' own tests with our plans beside its layers, by a plugin of pytest: `-p keras_shim.plugin`.

Each call of a layer, function, loss, metric, optimiser or schedule that the language has a word or a setting for
is said as a line of a spec, given Keras' weights, computed by our plan, and compared. `plugin` counts by test.
"""
