"""What other systems write: calls, lines and whole programs of theirs, as the language has them."""
