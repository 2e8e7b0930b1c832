"""The formatter: one way of spacing a file."""
