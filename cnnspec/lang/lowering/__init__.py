"""From the tree to the graph of words: names, arithmetic, blocks and settings resolved."""
