"""From a graph of primitives to the source of a plan, with every array placed ahead of time."""
