"""What the page asks about a text, answered without NumPy, so that Python in a browser can answer it too.

    answer({"ask": "check", "text": ...})      findings, and of a right text drawing, layers, totals
    answer({"ask": "fixes", "text": ...})      the changes that would put it right
    answer({"ask": "complete", "text": ..., "at": 12})         what may be written there
    answer({"ask": "network", "text": ..., "settings": [...]}) the network as JavaScript, and how it begins

Places in a text are counted as JavaScript counts them, in units of UTF-16. Names are text everywhere; it is the
page that keeps them from being anything else.
"""

from __future__ import annotations

import json
from typing import Any

from ..checking import Configuration, Report, examine
from ..diagnostics import Diagnostic, Edit, Imported, SpecError
from ..draw.drawing import draw
from ..editor.actions import actions, fix_all
from ..editor.completion import complete
from ..editor.document import Document
from ..explain.layers import told_of
from ..ir.owned import distribution, parameters_of
from ..lang import Spec, read
from ..lang.work import Work
from ..record import record
from ..targets.js.module import looked_at_size, module_source

JsonObject = dict[str, Any]  # as JSON has it
WEIGHTS = 10_000_000  # parameters that a page trains
VALUES = 1 << 27  # values and gradients of one image that it looks at
OPENED = 40  # values up to which the blocks of a drawing are opened
NARROW, WIDE = 760, 1300  # of the drawing beside the text, and alone


@record
class Draft(Document):
    """A text that stands in no file: nothing of this machine is read for it, no configuration either."""

    def examined(self, fixes: bool, work: Work | None = None) -> Report:
        return examine(self.source, Configuration(), None, fixes=fixes, files=False, work=work)


def answer(question: JsonObject, imports: tuple[Imported, ...] = ()) -> JsonObject:
    """The answer to a question; `imports` are the texts that the page's text may import."""
    text = question["text"]
    draft = Draft(text, imports=imports)
    match question["ask"]:
        case "check":
            return checked(draft)
        case "fixes":
            return {"fixes": fixes(draft)}
        case "complete":
            at = len(text.encode("utf-16-le", "surrogatepass")[: 2 * question["at"]].decode("utf-16-le", "replace"))
            return {"items": [list(item) for item in complete(draft, at)]}
    return network(draft, tuple(question["settings"]))


def answer_json(question: str) -> str:
    """The same from text to text, for Python in a page."""
    return json.dumps(answer(json.loads(question)))


# ---- findings ----------------------------------------------------------------------------------------------


def checked(draft: Draft) -> JsonObject:
    """The findings; of a text that has no errors also its drawing, its layers and what trains it."""
    report = draft.report
    told: JsonObject = {"findings": [finding(draft, each) for each in report.diagnostics]}
    spec = report.reading.spec if report.ok and report.reading else None
    if spec is not None:
        told["network"] = facts_of(spec, looked_at=False)
    return told


def finding(draft: Draft, diagnostic: Diagnostic) -> JsonObject:
    told: JsonObject = {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "label": diagnostic.label,
        "help": diagnostic.help,
        "related": [f"{label.span.line}:{label.span.column}: {label.text}" for label in diagnostic.related],
    }
    span = diagnostic.span
    if span is not None and not draft.owns(span):  # in a text that it imports
        told["message"] = f"{span}: {diagnostic.message}"
    elif span is not None:
        told |= {"line": span.line, "column": span.column, **place(draft, span.start, span.end)}
    return told


def fixes(draft: Draft) -> list[JsonObject]:
    """What would help, each by its title, with the finding that it is for; all safe ones together last."""
    found = actions(draft, 0, len(draft.text))
    every = fix_all(draft) if len(found) > 1 else None
    return [
        {
            "title": action.title,
            "code": action.finding.code if action.finding else "",
            "edits": edits(draft, action.edits),
        }
        for action in (*found, *([every] if every else []))
    ]


def edits(draft: Draft, some: tuple[Edit, ...]) -> list[JsonObject]:
    return [{**place(draft, edit.span.start, edit.span.end), "text": edit.text} for edit in some]


def place(draft: Draft, start: int, end: int) -> dict[str, int]:
    """Offsets as JavaScript counts."""
    return {name: units(draft.text[:at]) for name, at in (("start", start), ("end", end))}


def units(text: str) -> int:
    """How many units of UTF-16 a text has."""
    return len(text) + sum(character > "\uffff" for character in text)


# ---- the network -------------------------------------------------------------------------------------------


def facts_of(spec: Spec, looked_at: bool) -> JsonObject:
    """What is shown of a right text: its drawing, its layers, and what would train it.

    Beside the text the drawing is narrow, and nothing is said of what the numbers see.
    """
    graph, train, width = spec.graph, spec.train, WIDE if looked_at else NARROW
    return {
        "drawing": draw(graph, depth=9 if len(graph) <= OPENED else 0, width=width, name="the network"),
        "told": told_of(spec, reaches=looked_at),
        "train": {
            "optimiser": train.optimiser.written(),
            "rate": train.optimiser.lr,
            "batch": train.batch,
            "epochs": train.epochs,
            "seed": train.seed,
        },
        "data": {"source": spec.data.source.word, "normalise": spec.data.normalise},
        "expected": [
            {"quantity": budget.quantity.name, "relation": budget.relation, "bound": budget.bound}
            for budget in spec.expect
            if budget.quantity.trained
        ],
    }


def network(draft: Draft, settings: tuple[str, ...]) -> JsonObject:
    """The network as a script that trains it and looks at it, without weights, and how these begin.

    `settings` take the place of the text's own, as `--set` of a run does: `train.optimiser=sgd lr 0.1`.
    """
    reading = read(draft.source, overrides=settings, fixes=False)
    spec = reading.spec
    if spec is None:
        return {"refused": "; ".join(found.message for found in reading.errors) or "there is no network here"}
    owned = parameters_of(spec.graph)
    count = sum(parameter.type.elements for parameter in owned.values())
    if count > WEIGHTS:
        return {"refused": f"it has {count:,} parameters, and a page trains up to {WEIGHTS:,}"}
    try:
        values = looked_at_size(spec)
        if values > VALUES:
            return {"refused": f"one image takes {values:,} numbers, and a page has room for {VALUES:,}"}
        script = module_source(spec, {}, train=True, look=True, embed=True, script=True)
    except SpecError as error:
        return {"refused": "; ".join(found.message for found in error.diagnostics)}
    begin = {name: [*distribution(parameter), list(parameter.type.shape)] for name, parameter in owned.items()}
    return {"script": script, "begin": begin, **facts_of(spec, looked_at=True)}
