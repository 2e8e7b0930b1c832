"""Answers to an editor: findings, hover, completion, definitions, hints, changes (`cnnspec lsp`).

Each answer is a function of a `Document`, which knows nothing of the protocol; `lsp/` speaks it.
"""
