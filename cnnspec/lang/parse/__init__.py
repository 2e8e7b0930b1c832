"""From text to tree: the lexer, the parser, and the tree that they make."""
