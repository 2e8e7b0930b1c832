"""The course for those who teach it: how to use it in a class, every exercise with its answer, to be printed."""

from __future__ import annotations

from math import log

from ..quoting import markup
from .front import answer
from .lesson import Exercise, Lesson, changed
from .lessons import LESSONS

STYLE = """
:root { color-scheme: light dark; --ink: #0f172a; --page: #fff; --line: #cbd5e1; }
@media (prefers-color-scheme: dark) { :root { --ink: #f1f5f9; --page: #0f172a; --line: #334155; } }
@media print { :root { --ink: #000; --page: #fff; } section { break-inside: avoid; } }
body { margin: 0 auto; max-width: 48rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--page); overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); }
h2 { font-size: 1.15rem; } code, pre { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .875em; }
pre { overflow-x: auto; } table { border-collapse: collapse; } th, td { text-align: left; padding: 2px 1rem 2px 0; }
"""
PLAN = (
    "The page needs a browser (Chromium, Firefox or Safari of the last three years) and nothing else: no "
    "account, no installation, no connection to anywhere. Thirty readers train on thirty machines of their own.",
    "Before the class: run `cnnspec site -o lab` on any machine, and put the folder `lab` on the school's web "
    "server or on a share that the class can read; or run `cnnspec lab` on each machine. Open it once on a "
    "machine of the room and press start: digits.cnn should pass 97 % within a minute or two. On slow machines "
    "halve the filters.",
    "A lesson of 45 minutes: 10 to read the text together and look at the drawing; 20 in pairs at the "
    "exercises, one writes and one predicts, then they change places; 15 to compare, with one pair showing "
    "theirs on the screen. A link (`copy a link`) holds text, seed and view: pairs send theirs, and everybody "
    "sees the same network.",
    "The same text and seed train to the same numbers on the same kind of browser, so that what one pair found "
    "another can look at. For thirty different networks let each take its number in the register as the seed.",
    "Marks: the page checks every exercise and says so beside it; it keeps no record and sends none.",
)


def teacher() -> str:
    """The page as HTML without a script."""
    total = sum(lesson.minutes for lesson in LESSONS)
    rows = "".join(
        f"<tr><td>{markup(one.title)}</td><td>{one.minutes} minutes, {len(one.exercises)} exercises</td></tr>"
        for one in LESSONS
    )
    plan = "".join(f"<p>{prose(paragraph)}</p>" for paragraph in PLAN)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>The course, for teachers</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>The course, for teachers</h1>\n{plan}\n<table>{rows}</table>\n"
        f"<p>{total} minutes in all; each lesson stands for itself.</p>\n"
        + "\n".join(map(section, LESSONS))
        + "\n</main>\n</body>\n</html>\n"
    )


def section(lesson: Lesson) -> str:
    about = "".join(f"<p>{prose(paragraph)}</p>" for paragraph in lesson.about)
    items = "".join(
        f"<li>{prose(one['ask'])}<br><em>{prose(solution(lesson, one))}</em></li>" for one in lesson.exercises
    )
    return f"<section><h2>{markup(lesson.title)}</h2>{about}<ol>{items}</ol></section>"


def solution(lesson: Lesson, exercise: Exercise) -> str:
    """The answer, computed as the page does; what depends on what was written and trained is said in words."""
    if exercise["kind"] in ("shape", "figure"):
        told = answer({"ask": "check", "text": changed(lesson, exercise)})["network"]["told"]
        if "of" not in exercise:
            return f"{told['totals'][exercise['what']]:,}"
        layer = next(one for one in told["layers"] if one["name"] == exercise["of"])
        if exercise["kind"] == "shape":
            return str(layer["output"])
        return f"{layer['field'][0][1] if exercise['what'] == 'sees' else layer[exercise['what']]:,}"
    return SAID[exercise["kind"]]


SAID = {
    "make": "Several texts do; the page looks at the shape that comes of theirs.",
    "dead": "The seed decides it: its maps of `relu1` are empty for every image.",
    "gradient": "The page computes it. If `relu` gives 0 there it is shut; if not, another number of its window "
    "was larger.",
    "cost": f"log 10 = {log(10):.2f}",
    "rate": "At 3 and above it climbs; at 0.0001 it hardly moves within 20 steps. Both count.",
    "reach": "Trained in the page; the accuracy on the test images is measured at the end of each epoch.",
}


def prose(text: str) -> str:
    """Text with code between backticks."""
    return "".join(
        f"<code>{markup(part)}</code>" if k % 2 else markup(part) for k, part in enumerate(text.split("`"))
    )
