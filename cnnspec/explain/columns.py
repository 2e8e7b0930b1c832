"""Numbers, matrices and tables as lines of text."""

from __future__ import annotations

import numpy as np


def number(value: float) -> str:
    """A number with the digits that are shown."""
    return f"{float(value) + 0.0:.5g}"


def grid(values: np.ndarray, inside: np.ndarray | None = None, mark: tuple[int, int] | None = None) -> list[str]:
    """A matrix as aligned rows; what is padding is a dot, the marked one stands in brackets."""
    cells = [
        ["·" if inside is not None and not inside[u, v] else number4(values[u, v]) for v in range(values.shape[1])]
        for u in range(values.shape[0])
    ]
    if mark:
        cells[mark[0]][mark[1]] = f"[{cells[mark[0]][mark[1]]}]"
    width = max(len(cell) for row in cells for cell in row)
    return [" ".join(cell.rjust(width) for cell in row) for row in cells]


def number4(value: float) -> str:
    """A number of a matrix: three digits, short."""
    return f"{value:.3g}" if value else "0"


def beside(blocks: list[list[str]], signs: list[str]) -> list[str]:
    """Blocks of equal height side by side, with a sign between them in the middle row."""
    middle = (len(blocks[0]) - 1) // 2
    lines = []
    for k in range(len(blocks[0])):
        line = blocks[0][k]
        for sign, block in zip(signs, blocks[1:], strict=True):
            line += f"  {sign if k == middle else ' '}  {block[k]}"
        lines.append(line)
    return lines


def aligned(rows: list[list[str]]) -> list[str]:
    """Rows of cells in columns: the first to the left, the others to the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    first, *rest = zip(*rows, strict=True)
    columns = [[cell.ljust(widths[0]) for cell in first]]
    columns += [[cell.rjust(width) for cell in cells] for cells, width in zip(rest, widths[1:], strict=True)]
    return ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
