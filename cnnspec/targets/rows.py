"""`encode` of a network that is written for elsewhere: rows of a table as the numbers that it is fed.

    encode([{"city": "Oslo", "rooms": 3}])      1 0 3      city is Oslo, city is Rome, rooms

A network of numbers alone needs none; one of texts as categories knows each by its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..quoting import literal, literals, script_literal

if TYPE_CHECKING:  # a page's compiler has no NumPy
    from ..data.preparation import Preparation

Columns = list[tuple[str, tuple[str, ...] | None]]

PYTHON = '''

def encode(rows):
    """Rows of a table as the network is fed them: each a dictionary by FIELDS, or its cells in their order.

    {missing}ValueError for a text that training had not.
    """
    found = []
    for row in rows:
        numbers = []
        for place, (name, texts) in enumerate(FIELDS):
            cell = row[name] if isinstance(row, dict) else row[place]
            text = "" if cell is None else str(cell).strip()
{whole}            if texts is None:
                numbers.append(float(text) if text else float("nan"))
            elif text and text not in texts:
                raise ValueError(f"{{name}}: {{text!r}} is none of {{', '.join(texts)}}")
            else:
                numbers += [float(text == one) for one in texts]
        found.append(numbers)
    return {array}
'''

SCRIPT = """
/** Rows of a table as the network is fed them, one behind the other: each an object by FIELDS, or an array of its
 * cells in their order.{missing} */
{export}function encode(rows) {{
  return Float32Array.from(rows.flatMap((row) => FIELDS.flatMap(([name, texts], place) => {{
    const cell = Array.isArray(row) ? row[place] : row[name], text = String(cell ?? "").trim();
{whole}    if (texts === null) {{
      const number = text === "" ? NaN : Number(text);
      if (text !== "" && Number.isNaN(number)) throw new Error(`${{name}}: ${{text}} is not a number`);
      return [number];
    }}
    if (text === "" || texts.includes(text)) return texts.map((one) => Number(one === text));
    throw new Error(`${{name}}: ${{text}} is none of ${{texts.join(", ")}}`);
  }})));
}}
"""


WHOLE = """\
            if not text:
                raise ValueError(f"{name} is missing")
"""
WHOLE_SCRIPT = """\
    if (text === "") throw new Error(`${name} is missing`);
"""
MISSING = "What is missing is {none} or an empty text."


def columns(preparation: Preparation | None) -> Columns:
    """The columns of the table that a network was trained on; none where it has no categories."""
    table = preparation.table if preparation else None
    if table is None or not any(table.categories):
        return []
    names = table.names or tuple(f"column {place}" for place in table.columns)
    return list(zip(names, table.categories, strict=True))


def python_source(preparation: Preparation | None, array: str) -> list[str]:
    """Lines of Python with FIELDS and `encode`; `array` makes the result of `found`."""
    known = columns(preparation)
    if not known:
        return []
    assert preparation is not None
    told = [f"    ({literal(name)}, {texts and literals(texts)})," for name, texts in known]
    head = ["FIELDS = [  # of a row in their order, and the texts of those that are categories", *told, "]"]
    missing = f"{MISSING.format(none='None')} " if preparation.fill else ""
    whole = "" if preparation.fill else WHOLE
    return [*head, *PYTHON.format(missing=missing, whole=whole, array=array).splitlines()]


def script_source(preparation: Preparation | None, export: str) -> list[str]:
    """The same in JavaScript."""
    known = columns(preparation)
    if not known:
        return []
    assert preparation is not None
    told = [f"  [{script_literal(name)}, {_script_texts(texts)}]," for name, texts in known]
    missing = f" {MISSING.format(none='null')}" if preparation.fill else ""
    text = SCRIPT.format(missing=missing, whole="" if preparation.fill else WHOLE_SCRIPT, export=export)
    return ["/** Of a row, in their order, and the texts of those that are categories. */",
            f"{export}const FIELDS = [", *told, "];", *text.splitlines()]  # fmt: skip


def _script_texts(texts: tuple[str, ...] | None) -> str:
    return "null" if texts is None else f"[{', '.join(map(script_literal, texts))}]"
