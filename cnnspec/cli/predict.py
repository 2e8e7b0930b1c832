"""`cnnspec predict RUN_OR_WEIGHTS FILE...`: what a trained network says of images."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..settings.train import LAYOUTS
from ..terminal import hand_over, show, tell, tell_json
from .eval import NO_SPEC
from .outcome import FINDINGS, say

Remark = Callable[[str], None]

if TYPE_CHECKING:
    import numpy as np

    from ..diagnostics import Diagnostic
    from ..experiment.session import Trained
    from ..model.readout import Readout

STDIN = "-"
LONGEST = 1 << 30  # bytes that are taken from standard input
AT_ONCE = 64  # images that are gathered from files of one
SHOWN = 8  # numbers in a row of the table
ORDINALS = {2: "2nd", 3: "3rd"}


@dataclass(frozen=True)
class How:
    """What the command line says of the files."""

    prepared: bool
    fit: bool
    top: int


@dataclass(frozen=True)
class Prediction:
    """What is said of one image: its row of a readout, and the file of its mask."""

    image: str
    output: np.ndarray
    readout: Readout
    row: int
    mask: Path | None = None


@click.command()
@click.argument("trained", metavar="RUN_OR_WEIGHTS", type=click.Path(exists=True, path_type=Path))
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...",
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)  # fmt: skip
@click.option(
    "--spec", "spec", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The spec, for weights without one, such as torchvision's.",
)  # fmt: skip
@click.option("--as", "layout", type=click.Choice(LAYOUTS), help="With --spec: the publisher of the weights.")
@click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path),
    help="For old runs: folder of mnist, or of the spec's files.",
)
@click.option(
    "--fit", is_flag=True,
    help="Bring pictures of any size to the network's: drawings to handwritten digits as MNIST was made.",
)  # fmt: skip
@click.option("--prepared", is_flag=True, help="FILES hold prepared floats.")
@click.option("--top", type=click.IntRange(1), default=3, show_default=True, help="Number of classes to name.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, every output.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, a row an image, a column a class or number.")
@click.option(
    "--masks", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
    help="Write a mask for each image, as PNG whose pixels are class numbers.",
)  # fmt: skip
def command(
    trained: Path,
    files: tuple[Path, ...],
    spec: Path | None,
    layout: str | None,
    folder: Path | None,
    fit: bool,
    prepared: bool,
    top: int,
    as_json: bool,
    as_csv: bool,
    masks: Path | None,
) -> int:
    """Ask the network of a run's folder, or of a weights file.

    FILES are what the network was trained on, one image or many: npy arrays, (c, h, w) or (n, c, h, w), npz
    archives, rows of a csv, or pictures, where Pillow is installed; folders of them; or - for one on standard
    input. They are prepared as the training data were, which the run remembers, so neither those data nor the spec
    are needed. Where one cannot be, the others are answered all the same, and the exit code is 1.

    \b
    cnnspec predict runs/net-001 photos/ --top 3
    cnnspec predict runs/net-001 seven.png --fit
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv are two forms of one answer: choose one")
    if fit and prepared:
        raise click.UsageError("--prepared are floats as the network sees them, and --fit makes these of pictures")
    if layout and spec is None:
        raise click.UsageError(NO_SPEC)
    from ..experiment.session import open_trained

    def remark(line: str) -> None:
        tell(line, err=True)

    network = open_trained(trained, folder, remark, spec, layout or "")
    if network.preparation.inputs:
        if fit or prepared or as_csv or masks:
            raise click.UsageError("--fit, --prepared, --csv and --masks want one input and one output")
        from .predict_named import tell_answers

        return tell_answers(network, files, top, as_json)
    failed: list[Diagnostic] = []
    keep = Masks(masks, files) if masks is not None else None
    with network.model:
        answers = list(answered(network, files, How(prepared, fit, top), remark, failed, keep))
    if as_json:
        if answers or not failed:
            tell_json([document(answer, top) for answer in answers])
    elif answers:
        if as_csv:
            hand_over(csv_text(answers).encode())
        else:
            show(table(answers, top))
    if failed:
        say(tuple(failed))
        return FINDINGS
    return 0


def answered(
    network: Trained, files: Sequence[Path], how: How, remark: Remark, failed: list[Diagnostic], masks: Masks | None
) -> Iterator[Prediction]:
    """The answers for every image of the files, in their order; what is wrong with a file goes to `failed`."""
    import numpy as np

    from ..model.readout import read_out

    waiting: list[tuple[list[str], np.ndarray]] = []

    def ask() -> Iterator[Prediction]:
        names = [name for some, _ in waiting for name in some]
        images = np.concatenate([images for _, images in waiting])
        waiting.clear()
        outputs = network.model.predict(images)
        found = read_out(network.spec.graph, outputs, network.preparation)
        for row, name in enumerate(names):
            yield Prediction(name, outputs[row], found, row, masks.write(name, found, row) if masks else None)

    for names, images in inputs(network, files, how, remark, failed):
        waiting.append((names, images))
        if sum(len(some) for some, _ in waiting) >= AT_ONCE:
            yield from ask()
    if waiting:
        yield from ask()


def inputs(
    network: Trained, files: Sequence[Path], how: How, remark: Remark, failed: list[Diagnostic]
) -> Iterator[tuple[list[str], np.ndarray]]:
    """The images of each file as the network sees them, and their names."""
    from ..data.asked.single import read_inputs
    from ..diagnostics import SpecError

    said = set()
    for path in given(network, files, remark, failed):
        try:
            if str(path) == STDIN:
                name = "standard input"
                images, word = from_standard_input(network, how)
            else:
                name = str(path)
                images, word = read_inputs(path, network.preparation, prepared=how.prepared, fit=how.fit)
        except SpecError as error:
            failed += error.diagnostics
            continue
        if word and (word not in said or not how.fit):  # the fit of pictures is reported once
            remark(f"{name} holds {word}")
        said.add(word)
        if len(images):
            yield [name] if len(images) == 1 else [f"{name}[{k}]" for k in range(len(images))], images


def given(network: Trained, files: Sequence[Path], remark: Remark, failed: list[Diagnostic]) -> Iterator[Path]:
    """The files of the command line, and of each folder those in it that the network may be asked about."""
    from ..data.asked.single import files_of
    from ..diagnostics import SpecError

    for path in files:
        if not path.is_dir():
            yield path
            continue
        try:
            found, passed = files_of(path, network.preparation)
        except SpecError as error:
            failed += error.diagnostics
            continue
        if passed:
            remark(f"passed over {passed:,} of the files in {path}: by their names they are nothing to ask about")
        yield from found


def from_standard_input(network: Trained, how: How) -> tuple[np.ndarray, str]:
    """The images of a file of any format on standard input."""
    from tempfile import TemporaryDirectory

    from ..data.asked.single import read_inputs
    from ..diagnostics import Diagnostic, SpecError
    from ..train import files

    content = sys.stdin.buffer.read(LONGEST + 1) if sys.stdin is not None else b""
    if not content or len(content) > LONGEST:
        much = Diagnostic.of("CNN407", case="standard input", most=LONGEST)
        raise SpecError((much if content else Diagnostic.of("CNN414", case="standard input"),))
    with TemporaryDirectory() as folder:
        path = Path(folder, "standard input")  # as messages shall call it
        files.write(path, [content])
        try:
            return read_inputs(path, network.preparation, prepared=how.prepared, fit=how.fit)
        except SpecError as error:
            raise SpecError(tuple(renamed(one, path) for one in error.diagnostics)) from None


def renamed(finding: Diagnostic, path: Path) -> Diagnostic:
    """A finding about the file that stood for standard input, without its folder."""
    from dataclasses import replace

    message, help = (text.replace(str(path), path.name) for text in (finding.message, finding.help or ""))
    return replace(finding, message=message, help=help)


class Masks:
    """Where masks go: `cat.mask.png` for cat.jpg, `x-3.mask.png` for the fourth image of x.npy."""

    def __init__(self, folder: Path, files: Sequence[Path]) -> None:
        self.folder, self.taken = folder, {path.absolute() for path in files}

    def write(self, name: str, readout: Readout, row: int) -> Path:
        """Write the mask of one image; raises SpecError where the network tells no classes of pixels apart."""
        from ..diagnostics import Diagnostic, SpecError
        from ..draw.pixels import mask_png
        from ..train import files

        if readout.masks is None:
            raise SpecError((Diagnostic.of("CNN476", gives=readout.kind),))
        path = self.free(name)
        with files.reported(path):
            self.folder.mkdir(parents=True, exist_ok=True)
        files.write(path, [mask_png(readout.masks[row])])
        return path

    def free(self, name: str) -> Path:
        """A path that no mask of this call has, and no file that was asked about."""
        image, _, place = name.rpartition("[") if name.endswith("]") else (name, "", "")
        stem = Path(image).stem + (f"-{place[:-1]}" if place else "")
        for count in range(1, len(self.taken) + 2):
            path = self.folder / f"{stem}{f'-{count}' if count > 1 else ''}.mask.png"
            if path.absolute() not in self.taken:
                break
        self.taken.add(path.absolute())
        return path


# ---- forms of an answer ------------------------------------------------------------------------------


def document(answer: Prediction, top: int) -> dict[str, object]:
    """An answer as JSON has it."""
    readout, row = answer.readout, answer.row
    found: dict[str, object] = {"image": answer.image, "output": answer.output.tolist()}
    if readout.kind == "numbers":
        found["numbers"] = dict(zip(readout.names, readout.values[row].tolist(), strict=True))
        return found
    found["best"] = readout.ranked(row, top)
    if answer.mask is not None:
        found["mask"] = str(answer.mask)
    return found


def csv_text(answers: Sequence[Prediction]) -> str:
    """The answers as CSV: the image, its class (or its mask), and what is said of each class, or each number."""
    import csv

    from ..model.readout import CLASSES, MASK

    readout, text = answers[0].readout, io.StringIO()
    extra = {CLASSES: ["class"], MASK: ["mask"]}.get(readout.kind, [])
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["image", *extra, *readout.names])
    for answer in answers:
        own = answer.readout.ranked(answer.row, 1)[0][0] if readout.kind == CLASSES else str(answer.mask or "")
        values = answer.readout.values[answer.row].tolist()
        rows.writerow([answer.image, *([own] if extra else []), *map(repr, values)])
    return text.getvalue()


def table(answers: Sequence[Prediction], top: int) -> str:
    """The answers as lines in columns: the likeliest classes, numbers by their names, classes by their pixels."""
    from ..model.readout import CLASSES
    from ..quoting import visible

    readout = answers[0].readout
    names = readout.names
    if readout.kind == "numbers":
        more = len(names) > SHOWN
        rows = [["image", *names[:SHOWN], *(["..."] if more else [])]]
        for answer in answers:
            values = answer.readout.values[answer.row, :SHOWN]
            rows.append([answer.image, *(f"{value:.4g}" for value in values), *([""] if more else [])])
    else:
        form = ".1%" if readout.shares else ".4g"
        count = min(top, len(names))
        first = "class" if readout.kind == CLASSES else "pixels"
        rows = [["image", first, *(ORDINALS.get(k, f"{k}th") for k in range(2, count + 1))]]
        rows[0] += ["mask"] if answers[0].mask is not None else []
        for answer in answers:
            best = answer.readout.ranked(answer.row, top)
            told = [f"{name} {value:{form}}" for name, value in best]
            rows.append([answer.image, *told, *([str(answer.mask)] if answer.mask is not None else [])])
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)
