"""The course: lessons, each a text, a spec of specs/course/ and exercises that the page checks."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..resources import spec_files


class Lesson(NamedTuple):
    """`name` is that of its spec; `about` are paragraphs with code between backticks; `minutes` it takes in class.

    An exercise has a `kind` (page/course.js knows them), what it asks for, and what the kind wants to know: `of`,
    the value that it is about, or bounds. No answer is written here: the page computes it from what was written.
    """

    name: str
    title: str
    minutes: int
    about: tuple[str, ...]
    exercises: tuple[dict[str, Any], ...]


LESSONS: tuple[Lesson, ...] = ()


def told(lesson: Lesson) -> dict[str, Any]:
    """A lesson as the page has it."""
    return {**lesson._asdict(), "text": spec_text(lesson)}


def spec_text(lesson: Lesson) -> str:
    (path,) = spec_files(f"course/{lesson.name}.cnn")
    return path.read_text(encoding="utf-8")
