"""The table of layers that `summary` and `run` show."""

from __future__ import annotations

from .facts import Facts, LayerFacts

COLUMNS = ("layer", "", "output", "parameters", "multiply-adds", "activations", "sees")
SORTS = {
    "parameters": lambda row: -row.parameters,
    "macs": lambda row: -row.macs,
    "memory": lambda row: -row.activation_bytes,
}


def field(row: LayerFacts) -> str:
    """The receptive field: `14x14`, pixels of the input that one number depends on."""
    return "x".join(str(axis.seen) for axis in row.field) or "all"


def amount(size: int) -> str:
    """Bytes for people: 340 B, 12.5 KiB, 3.1 MiB."""
    value = float(size)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def cells(row: LayerFacts) -> tuple[str, ...]:
    parameters = f"= {row.shares}" if row.shares and not row.parameters else f"{row.parameters:,}"
    return (
        row.name,
        row.written,
        str(row.type),
        parameters if row.parameters or row.shares else "",
        f"{row.macs:,}" if row.macs else "",
        amount(row.activation_bytes) if row.activation_bytes else "",
        field(row),
    )


def rows(facts: Facts, sort: str = "") -> list[LayerFacts]:
    return sorted(facts.rows, key=SORTS[sort]) if sort else list(facts.rows)


def table(facts: Facts, sort: str = "") -> str:
    """The layers as aligned text, totals last."""
    body = [cells(row) for row in rows(facts, sort)]
    total = (
        "total", f"{len(facts.rows)} values", "", f"{facts.parameters:,}", f"{facts.macs:,}",
        amount(facts.activation_bytes), "",
    )  # fmt: skip
    widths = [max(len(line[k]) for line in (COLUMNS, *body, total)) for k in range(len(COLUMNS))]
    left = (0, 1)  # names to the left, numbers to the right

    def line(texts: tuple[str, ...]) -> str:
        parts = [
            text.ljust(width) if k in left else text.rjust(width)
            for k, (text, width) in enumerate(zip(texts, widths, strict=True))
        ]
        return "  ".join(parts).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([line(COLUMNS), rule, *map(line, body), rule, line(total)]) + "\n"


def as_json(facts: Facts, sort: str = "") -> dict[str, object]:
    """The same as data; sizes in bytes for one image."""
    return {
        "layers": [
            {
                "name": row.name,
                "word": row.word,
                "written": row.written,
                "output": list(row.type.shape),
                "parameters": row.parameters,
                "state": row.state,
                "shares": row.shares or None,
                "macs": row.macs,
                "flops": row.flops,
                "activation_bytes": row.activation_bytes,
                "receptive_field": [axis.seen for axis in row.field],
                "depth": row.depth,
            }
            for row in rows(facts, sort)
        ],
        "outputs": list(facts.outputs),
        "parameters": facts.parameters,
        "state": facts.state,
        "macs": facts.macs,
        "flops": facts.flops,
        "activation_bytes": facts.activation_bytes,
        "depth": facts.depth,
    }
