"""A run of a spec: its session, its folder, its training, written down."""
