"""The runtime of plans: memory, parameters, workers, update."""
