"""The form of a lesson: a text, a spec of specs/course/, and exercises that the page checks."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..resources import spec_files

Exercise = dict[str, Any]


class Lesson(NamedTuple):
    """`name` is that of its spec; `about` are paragraphs with code between backticks; `minutes` it takes in class.

    An exercise has a `kind` (page/course.js knows them), what it asks for, and what the kind wants to know: `of`,
    the value that it is about, `change`, what is written otherwise in the spec of the question, or bounds. No
    answer is written here: the page computes it.
    """

    name: str
    title: str
    minutes: int
    about: tuple[str, ...]
    exercises: tuple[Exercise, ...]


def told(lesson: Lesson) -> dict[str, Any]:
    """A lesson as the page has it."""
    return {**lesson._asdict(), "text": spec_text(lesson)}


def spec_text(lesson: Lesson) -> str:
    (path,) = spec_files(f"course/{lesson.name}.cnn")
    return path.read_text(encoding="utf-8")


def changed(lesson: Lesson, exercise: Exercise) -> str:
    """The spec that an exercise asks about."""
    before, after = exercise.get("change", ("", ""))
    return spec_text(lesson).replace(before, after, 1)
