"""A graph of words as the text of a spec."""
