"""A network as one Python file that needs NumPy and nothing else."""
