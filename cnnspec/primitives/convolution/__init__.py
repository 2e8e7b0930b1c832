"""Convolutions and their gradients, by each of the ways that a pass chooses between."""
