"""Pooling by a formula of each window as functions of JavaScript: its value, and its gradient.

The formulas stand within the loops, where they need no call for each number.
"""

from __future__ import annotations

from zlib import crc32

from ...ir.expression import Expression, source, tree
from ...ir.window_formula import WindowFormula
from . import pointwise


def name(of: WindowFormula) -> str:
    """The function of a formula."""
    told = repr([tree(part) for part in (of.measure, of.each, of.total)])
    return f"pool${crc32(told.encode()):08x}"


def functions(of: WindowFormula) -> dict[str, str]:
    """Source of the value and of the gradient, by their names."""
    sums = f"""\
      let m = -Infinity, s = 0;
      for (let k = 0; k < count; k++) {{
        const x = from[taps[k] + e];
        m = Math.max(m, {written(of.measure)});
      }}
      for (let k = 0; k < count; k++) {{
        const x = from[taps[k] + e];
        s += {written(of.each)};
      }}"""
    value = f"""\
/** The {of.name} of each window, {of.text}; padding takes no part. */
function {name(of)}(from, y, n, window) {{
  eachWindow(window, n, (to, taps, count) => {{
    for (let e = 0; e < n; e++) {{
{sums}
      y[to + e] = {written(of.total)};
    }}
  }});
}}"""
    gradient = f"""\
/** Its gradient: each pixel gets dy times its derivative in the windows that it lies in. */
function {name(of)}Gradient(dy, from, dx, n, window) {{
  dx.fill(0);
  eachWindow(window, n, (to, taps, count) => {{
    for (let e = 0; e < n; e++) {{
{sums}
      const d = dy[to + e] * {within(of.total_derivative)};
      for (let k = 0; k < count; k++) {{
        const x = from[taps[k] + e];
        dx[taps[k] + e] += d * {within(of.each_derivative)};
      }}
    }}
  }});
}}"""
    return {name(of): value, f"{name(of)}Gradient": gradient}


def written(part: Expression) -> str:
    return source(part, {name: name for name in ("x", "m", "s")}, pointwise.FUNCTIONS, pointwise.number)


def within(part: Expression) -> str:
    return f"({written(part)})"
