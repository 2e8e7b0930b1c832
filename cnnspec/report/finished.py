"""The pictures of a run that has finished: one page, `report.html`, and PNG files where matplotlib is installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from ..diagnostics import SpecError
from ..experiment.session import Session
from ..explain.subject import of_session
from ..model.model import Model
from ..train import files
from .page import page
from .plots import draw_run

NAME = "report.html"


def illustrate(folder: Path, session: Session, model: Model) -> tuple[str, ...]:
    """Write them into the folder of the run; what went wrong, which never undoes a run.

    The page needs nothing that is not installed. The model has the weights that were tested.
    """
    problems = []
    try:
        files.write(folder / NAME, [page(of_session(session, model, folder)).encode()])
    except SpecError as error:
        problems.append("; ".join(found.message for found in error.diagnostics))
    except Exception as problem:
        problems.append(f"{type(problem).__name__}: {problem}".splitlines()[0])
    if find_spec("matplotlib"):
        problems.append(draw_run(folder, model, session.data).problem)
    return tuple(filter(None, problems))
