"""The primitives of costs and their gradients."""
