"""The folder of a run.

    runs/lenet-001/
      lenet.cnn                  the spec as run
      imports/                   what it imports, as it was then
      settings.json              every setting, resolved, and where the spec lay
      environment.json           versions and machine
      results.csv                a line an epoch
      measures.jsonl             a line an epoch of all that was measured on the validation images, class by class
      measures.txt               the same of the test, for people: a table of the classes, the confusion matrix
      weights/best.safetensors   the parameters of the best epoch
      weights/last.safetensors   the parameters of the last checkpoint
      weights/epoch-005.safetensors   of other epochs, where `checkpoint every N keep K` asks for them
      state/last.safetensors     all that the training needs to go on from the last checkpoint
      summary.json               written last: how it ended
      lock.json                  while it is being written: by whom, and since when (see `lock`)

Numbers grow and nothing is overwritten. Each file is whole or not there (see `files`).
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from math import isfinite
from pathlib import Path, PurePosixPath

from .._version import __version__
from ..data.preparation import KEY, Preparation
from ..diagnostics import Diagnostic, Source, SpecError
from . import documents, files
from .documents import Settings, Summary
from .history import EpochRecord
from .lock import ensure_free
from .measures import Measured

IMPORTS = "imports"


@dataclass(frozen=True)
class RunFolder:
    """The files of one run."""

    path: Path

    @classmethod
    def create(cls, out: Path, name: str) -> RunFolder:
        """A new folder `out/name-001`, or with the number after the largest that is there."""
        name = re.sub(r"[^\w.+-]+", "-", name).strip("-.") or "run"
        with files.reported(out):
            out.mkdir(parents=True, exist_ok=True)
            taken = [
                int(found.group(1))
                for entry in os.listdir(out)
                if (found := re.fullmatch(re.escape(name) + r"-(\d+)", entry))
            ]
        number = max(taken, default=0)
        while True:
            number += 1
            folder = cls(out / f"{name}-{number:03}")
            if not files.make_folder(folder.path):  # somebody else was quicker
                continue
            for part in ("weights", "state"):
                files.make_folder(folder.path / part)
            return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """The folder of a run that is to be gone on with; refused where somebody writes into it."""
        folder = cls(path)
        if not folder.state.is_file():
            raise SpecError((Diagnostic.of("CNN462", path=path, state=folder.state.relative_to(path)),))
        for part in (folder.state.parent, folder.best.parent):
            if not Path(os.path.realpath(part)).is_relative_to(os.path.realpath(path)):
                documents.damaged(part, "link")
        ensure_free(path)
        return folder

    @property
    def best(self) -> Path:
        return self.path / "weights" / "best.safetensors"

    @property
    def last(self) -> Path:
        return self.path / "weights" / "last.safetensors"

    @property
    def tested(self) -> Path:
        """The weights that the run's own test is made with: of the best epoch where validation images chose it.

        A run that has not ended has no summary to say so; its results tell whether it validates.
        """
        told = self.ended().get("tested")
        if told is None:
            costs = self.columns().get("validation_cost", [])
            told = "best" if any(cost is not None for cost in costs) else "last"
        return self.best if told == "best" else self.last

    @property
    def state(self) -> Path:
        return self.path / "state" / "last.safetensors"

    @property
    def results(self) -> Path:
        return self.path / "results.csv"

    @property
    def measures(self) -> Path:
        return self.path / "measures.jsonl"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"

    @property
    def settings_file(self) -> Path:
        return self.path / "settings.json"

    def _repr_html_(self) -> str:
        """The curves and the summary, in a notebook."""
        from ..display import shown

        return shown("run_html", self.path)

    def epoch(self, number: int) -> Path:
        return self.path / "weights" / f"epoch-{number:03}.safetensors"

    def describe(
        self, spec: Path, source: Source, settings: Mapping[str, object], data_folder: Path | None = None
    ) -> None:
        """Write what is known before the first step: copies of the spec and its imports, settings, machine."""
        files.write(self.spec(spec.name), [source.text.encode()])
        imports: dict[str, list[str]] = {}
        if source.imports:
            files.make_folder(self.path / IMPORTS)
        for one in source.imports or ():
            name = f"{IMPORTS}/{_free(PurePosixPath(one.paths[0]).name, imports)}"
            files.write(self.path / name, [one.text.encode()])
            imports[name] = list(one.paths)
        places = {"spec": self._towards(spec)} | (
            {"data_folder": self._towards(data_folder)} if data_folder else {}
        )
        self.write_json(self.settings_file.name, {**places, **settings, "imports": imports})
        self.write_json("environment.json", environment())

    def settings(self) -> Settings:
        """What settings.json says; SpecError where it is none."""
        return documents.document(self.settings_file, "settings", Settings)

    def preparation(self, settings: Settings) -> Preparation | None:
        """How the images of this run are prepared; None for one written before that was kept."""
        return Preparation.from_json(settings["preparation"], str(self.settings_file)) if KEY in settings else None

    def ended(self) -> Summary:
        """What summary.json says; nothing where there is none, since the run has not ended."""
        return documents.document(self.summary, "summary", Summary) if os.path.lexists(self.summary) else {}

    def columns(self) -> dict[str, list[float | None]]:
        """The columns of results.csv; none where there is no such file."""
        return documents.columns(self.results) if os.path.lexists(self.results) else {}

    def spec(self, name: str) -> Path:
        """The copy of a spec of that name; other files than .cnn are never in its way."""
        return self.path / (name if name.endswith((".cnn", ".cnn.json")) else f"{name}.cnn")

    def _towards(self, path: Path) -> str:
        """The way from this folder to a file or another folder, which stays as it is where both are moved."""
        goal = os.path.join(os.path.realpath(path.parent), path.name)
        try:
            return Path(os.path.relpath(goal, os.path.realpath(self.path))).as_posix()
        except ValueError:  # on another drive
            return Path(goal).as_posix()

    def origin(self, settings: Settings) -> Path:
        """Where the spec lay (or lies), by the settings: what its paths start from is the folder of that."""
        return self._place(settings["spec"])

    def data_folder(self, settings: Settings) -> Path | None:
        """The folder of data that the run was given (`--data`), if it was, and that is there."""
        found = self._place(settings["data_folder"]) if "data_folder" in settings else None
        return found if found and found.is_dir() else None

    def _place(self, way: str) -> Path:
        return Path(os.path.normpath(os.path.join(os.path.realpath(self.path), way)))

    def write_json(self, name: str, data: Mapping[str, object]) -> None:
        try:
            raw = in_lines(finite(data), ensure_ascii=False).encode()
        except UnicodeEncodeError:  # the name of a file that is no text
            raw = in_lines(finite(data)).encode()
        files.write(self.path / name, [raw, b"\n"])

    def write_results(self, rows: list[EpochRecord]) -> None:
        """Bring results.csv to exactly these rows."""
        files.write(self.results, ["".join([EpochRecord.columns(), *(row.line() for row in rows)]).encode()])

    def append_measures(self, epoch: int, told: Measured) -> None:
        """What was measured after an epoch."""
        files.append(self.measures, json.dumps(finite({"epoch": epoch, **told})) + "\n")

    def keep_measures(self, epochs: int) -> None:
        """Forget what was measured after more epochs than these, which a resumed run measures anew."""
        if not os.path.lexists(self.measures):
            return
        whole = documents.text(self.measures).split("\n")[:-1]
        numbers = [re.match(r'\{"epoch": (\d{1,15}),', line) for line in whole]
        lines = [line for line, number in zip(whole, numbers, strict=True) if number and int(number[1]) <= epochs]
        files.write(self.measures, ["".join(f"{line}\n" for line in lines).encode()])

    def write_tested(self, text: str) -> None:
        """The measures of the test, for people."""
        files.write(self.path / "measures.txt", [text.encode("utf-8", "replace")])

    def reopen(self) -> None:
        """Make ready to go on: without what a killed process left half written, or the summary of an end."""
        files.sweep(self.path)
        with files.reported(self.summary):
            self.summary.unlink(missing_ok=True)

    def cut_epochs(self, keep: int) -> None:
        """Keep the weights of the last few epochs that were saved for themselves."""
        saved = sorted(
            self.best.parent.glob("epoch-*.safetensors"), key=lambda path: int(path.stem.removeprefix("epoch-"))
        )
        with files.reported(self.best.parent):
            for path in saved[:-keep]:
                path.unlink()


def _free(name: str, taken: Iterable[str]) -> str:
    """A file name like this one that is not taken, on disks that do not tell capitals either."""
    stem = re.sub(r"[^\w.+-]+", "-", name.removesuffix(".cnn")).strip("-._") or "import"
    known = {PurePosixPath(other).name.casefold() for other in taken}
    names = (f"{stem}{'' if n == 1 else f'-{n}'}.cnn" for n in count(1))
    return next(name for name in names if name.casefold() not in known)


def in_lines(data: object, *, ensure_ascii: bool = True) -> str:
    """Data as JSON in lines, a list of whole numbers in one of them: a row of a confusion matrix."""
    text = json.dumps(data, indent=2, ensure_ascii=ensure_ascii)  # whose texts hold no line ends
    rows = r"\[\n\s*(-?\d+(?:,\n\s*-?\d+)*)\n\s*\]"
    return re.sub(rows, lambda found: f"[{' '.join(found[1].split())}]", text)


def finite(data: object) -> object:
    """Data as JSON can say it: numbers that are not finite become null."""
    if isinstance(data, Mapping):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [finite(value) for value in data]
    return None if isinstance(data, float) and not isfinite(data) else data


def environment() -> dict[str, object]:
    """What a run depends on beside its spec: versions, machine, libraries."""
    import numpy
    from threadpoolctl import threadpool_info

    libraries = [
        {key: pool.get(key) for key in ("internal_api", "version", "architecture", "num_threads")}
        for pool in threadpool_info()
    ]
    return {
        "cnnspec": __version__,
        "python": sys.version.split()[0],
        "numpy": numpy.__version__,
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "blas": libraries,
    }
