"""The primitive of power-average pooling: the p-norm of each window's pixels."""

from __future__ import annotations

from .. import kernels
from ..ir.expression import X, function, power, where
from ..ir.op import GraphBuilder, Node, PlanWriter
from ..ir.window_formula import M, S, WindowFormula
from ..record import record
from .formula_windows import FormulaWindows, FormulaWindowsGradient


def p_norm(p: int) -> WindowFormula:
    """(sum of |x|^p)^(1/p), each relative to the window's largest, so that no power overflows; 0 of zeros alone."""
    size = function("absolute")(X)
    return WindowFormula(
        measure=size,
        each=power(size / where(M > 0, M, 1), p),
        total=M * power(where(M > 0, S, 1), 1 / p),
        name=f"{p}-norm",
        text=f"(Σ of |x|^{p})^(1/{p})",
    )


@record
class NormWindows(FormulaWindows):
    """The p-norm of each window."""

    p: int = 2

    @property
    def formula(self) -> WindowFormula:
        return p_norm(self.p)

    def gradient(self, node: Node, dy: str, b: GraphBuilder) -> tuple[str | None, ...]:
        op = NormWindowsGradient(self.geometry, self.p)
        return (b.add(op, dy, node.inputs[0], node.name, name=f"{node.name}.dx", like=node),)

    def emit(self, node: Node, e: PlanWriter) -> None:
        (x,) = node.inputs
        shape = e.shape(node.name)
        scratch = f"({e.scratch('largest', shape)}, {e.scratch('part', shape)})"
        e.call(kernels.pool.lp_pool, e[x], self.p, *self.arguments, scratch=scratch, out=e[node.name])


@record
class NormWindowsGradient(FormulaWindowsGradient):
    """dy * sign(x) * (|x| / y)^(p - 1), and 0 where y is 0."""

    p: int = 2

    @property
    def formula(self) -> WindowFormula:
        return p_norm(self.p)

    def emit(self, node: Node, e: PlanWriter) -> None:
        dy, x, y = node.inputs
        shape = e.shape(dy)
        scratch = f"({', '.join(e.scratch(name, shape) for name in ('safe', 'part', 'sign'))})"
        arrays = (e[dy], e[x], e[y])
        e.call(
            kernels.pool.lp_pool_gradient,
            *arrays,
            self.p,
            *self.arguments,
            scratch=scratch,
            out=e[node.name],
        )
