"""What runs a plan: its memory, its parameters, its workers, its update."""
