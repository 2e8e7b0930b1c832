"""A network as a PyTorch module."""
