"""How fast a network is: against PyTorch, each side in a process of its own, and layer by layer."""
