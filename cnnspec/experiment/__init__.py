"""A run of a spec: opened, trained and written down; gone on with; and what came of it, opened again."""
