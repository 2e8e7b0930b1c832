"""A run's folder that somebody edited, damaged or sent is refused by what is wrong in it, never as our fault."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from sampled import sampled

from cnnspec.cli import outcome
from cnnspec.cli import run as cnnspec
from cnnspec.diagnostics import SpecError
from cnnspec.train import tensors
from cnnspec.train.folder import RunFolder
from cnnspec.train.history import EpochRecord

SPEC = """\
import "b.cnn"
input 1x6x6
two(2) -> dropout 0.5 -> dense 2 -> softmax
data { source npz "f.npz" ; validation 0.2 }
train { epochs 2 ; batch 8 ; optimiser adam lr 0.01 ; schedule cosine }
"""
STATE, BEST, LAST = "state/last.safetensors", "weights/best.safetensors", "weights/last.safetensors"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A project with a run that has ended."""
    folder = tmp_path_factory.mktemp("project")
    rng = np.random.default_rng(0)
    np.savez(folder / "f.npz", x=rng.random((30, 1, 6, 6)).astype("f4"), y=np.arange(30) % 2)
    np.save(folder / "x.npy", np.zeros((1, 6, 6), "f4"))
    (folder / "b.cnn").write_text("block two(c) = conv {c}x3x3 -> bn -> relu\n")
    (folder / "net.cnn").write_text(SPEC)
    arguments = ["run", "net.cnn", "--workers", "1", "--set", "train.epochs=3"]
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert cnnspec(arguments) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def run(original, tmp_path, monkeypatch):
    """A copy of the project, as the current folder, and its run."""
    shutil.copytree(original, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return RunFolder(Path("runs/net-001"))


EVAL = ("eval", "runs/net-001")
PREDICT = ("predict", "runs/net-001", "x.npy")
TRACE = ("trace", "runs/net-001", "--at", "dense1[0]")
REPORT = ("report", "runs/net-001", "-o", "page.html")
RESUME = ("run", "--resume", "runs/net-001", "--workers", "1")
READERS, ALL = (EVAL, PREDICT, TRACE, REPORT), (EVAL, PREDICT, TRACE, REPORT, RESUME)


def says(capsys, arguments):
    """The exit code and what stands on standard error."""
    capsys.readouterr()
    return cnnspec(list(arguments)), capsys.readouterr().err


# ---- what was edited, and what is said --------------------------------------------------------------------


def edit(name, change):
    """A change of a JSON document."""

    def make(run):
        path = run.path / name
        document = json.loads(path.read_text())
        found = change(document)
        path.write_text(json.dumps(document if found is None else found))

    return make


def put(name, text):
    def make(run):
        (run.path / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return make


def instead(name, kind):
    """Something that is no file in the place of one."""

    def make(run):
        path = run.path / name
        path.unlink()
        if kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind != "nothing":
            path.symlink_to(kind)

    return make


def rewrite(name, change):
    """A change of the arrays of a file."""

    def make(run):
        found = tensors.read(run.path / name)
        arrays = dict(found.arrays)
        change(arrays)
        tensors.write(run.path / name, arrays, found.metadata)

    return make


def progress(change):
    def make(arrays):
        found = json.loads(arrays["progress"].tobytes())
        change(found)
        arrays["progress"] = np.frombuffer(json.dumps(found).encode(), np.uint8)

    return rewrite(STATE, make)


def of_another_net(run):
    Path("net.cnn").write_text(SPEC.replace("dense 2", "dense 4 -> dense 2"))
    assert cnnspec(["run", "net.cnn", "--workers", "1", "--out", "other"]) == 0
    for name in (STATE, BEST, LAST):
        shutil.copy(Path("other/net-001") / name, run.path / name)


def negative_steps(arrays):
    arrays["state/steps"] = arrays["state/steps"] - 1000


def out_of_the_folder(run):
    shutil.move(run.path / "state", "elsewhere")
    (run.path / "state").symlink_to(Path("elsewhere").absolute())


S = "settings.json"
EDITS = {
    "settings: no JSON": (put(S, "{"), ALL, "CNN464", "settings.json is not JSON"),
    "settings: too deep": (put(S, "[" * 100_000), ALL, "CNN464", "settings.json is not JSON"),
    "settings: not UTF-8": (put(S, b"\xff\xfe{}"), ALL, "CNN464", "is not a text in UTF-8"),
    "settings: a list": (put(S, "[]"), ALL, "CNN464", "must be an object, got a list"),
    "settings: empty": (put(S, ""), ALL, "CNN464", "is not JSON"),
    "settings: missing": (instead(S, "nothing"), ALL, "CNN464", "settings.json is not there"),
    "settings: a folder": (instead(S, "folder"), ALL, "CNN464", "settings.json cannot be read"),
    "settings: a pipe": (instead(S, "pipe"), ALL, "CNN464", "settings.json cannot be read"),
    "settings: without a key": (edit(S, lambda d: {"spec": d["spec"]}), ALL, "CNN464", "/set: is missing"),
    "settings: another kind": (edit(S, lambda d: d.update(set="x")), ALL, "CNN464", "/set: must be a list"),
    "settings: a huge number": (edit(S, lambda d: d.update(shards=10**30)), ALL, "CNN464", "/shards: must be"),
    "settings: times": (edit(S, lambda d: d.update(tuned={"infer": 1})), ALL, "CNN464", "/tuned/infer: must be"),
    "settings: no engine": (edit(S, lambda d: d.update(engine="rm -rf")), ALL, "CNN464", "/engine: must be one of"),
    "settings: a path": (edit(S, lambda d: d.update(spec="..")), ALL, "CNN464", "/spec: must be a path of a file"),
    "settings: a NUL": (edit(S, lambda d: d.update(spec="a\0b.cnn")), ALL, "CNN464", "/spec: must be a path"),
    "settings: another spec": (edit(S, lambda d: d.update(spec="other.cnn")), ALL, "CNN464", "other.cnn cannot be"),
    "settings: imports elsewhere": (
        edit(S, lambda d: d.update(imports={"imports/../../../b.cnn": ["b.cnn"]})), ALL, "CNN464", "/imports",
    ),
    "settings: another override": (
        edit(S, lambda d: d.update(set=["train.epochs=9"])), ALL, "CNN461", "a run with --set train.epochs=3",
    ),
    "settings: an override that is none": (edit(S, lambda d: d.update(set=["rm"])), ALL, "CNN461", "--set rm"),
    "settings: another scale": (
        edit(S, lambda d: d["preparation"].update(scale=[2.0])), ALL, "CNN461", "prepared otherwise",
    ),
    "spec: missing": (instead("net.cnn", "nothing"), ALL, "CNN464", "net.cnn cannot be read"),
    "spec: a folder": (instead("net.cnn", "folder"), ALL, "CNN464", "net.cnn "),
    "spec: a pipe": (instead("net.cnn", "pipe"), ALL, "CNN464", "net.cnn "),
    "spec: without an end": (instead("net.cnn", "/dev/zero"), ALL, "CNN464", "net.cnn "),
    "spec: not UTF-8": (put("net.cnn", b"\xff"), ALL, "CNN464", "net.cnn"),
    "spec: edited": (put("net.cnn", SPEC.replace("dropout 0.5", "relu")), ALL, "CNN461", "belongs to another spec"),
    "spec: no spec": (put("net.cnn", "hello ("), ALL, "CNN461", "belongs to another spec"),
    "import: missing": (instead("imports/b.cnn", "nothing"), ALL, "CNN464", "imports/b.cnn cannot be read"),
    "import: edited": (put("imports/b.cnn", "block two(c) = relu\n"), ALL, "CNN461", "belongs to another spec"),
    "summary: no JSON": (put("summary.json", "{"), READERS, "CNN464", "summary.json is not JSON"),
    "summary: a folder": (instead("summary.json", "folder"), READERS, "CNN464", "summary.json cannot be read"),
    "summary: a pipe": (instead("summary.json", "pipe"), READERS, "CNN464", "summary.json cannot be read"),
    "summary: edited": (
        edit("summary.json", lambda d: d.update(test_accuracy="all")), READERS, "CNN464", "/test_accuracy: must be",
    ),
    "summary: other weights": (
        edit("summary.json", lambda d: d.update(tested="mine")), READERS, "CNN464", "/tested: must be",
    ),
    "results: another header": (put("results.csv", "a,b\n1,2"), (REPORT,), "CNN464", "or has another header"),
    "results: no number": (
        put("results.csv", EpochRecord.columns() + "1,2,3,4,5,6,7,x" + "," * 9 + "\n"), (REPORT,), "CNN464",
        "x as images_per_second",
    ),
    "results: fields too few": (
        put("results.csv", EpochRecord.columns() + "1,2,3\n"), (REPORT,), "CNN464", "3 fields in line 2",
    ),
    "results: a pipe": (instead("results.csv", "pipe"), (REPORT,), "CNN464", "results.csv cannot be read"),
    "weights: cut": (lambda run: os.truncate(run.best, 2000), (EVAL, RESUME), "CNN452", "best.safetensors"),
    "weights: missing": (instead(BEST, "nothing"), ALL, "CNN450", "best.safetensors is not there"),
    "weights: a pipe": (instead(BEST, "pipe"), ALL, "CNN450", "best.safetensors"),
    "weights: a folder": (instead(BEST, "folder"), (RESUME,), "CNN450", "best.safetensors"),
    "weights: NaN": (
        rewrite(BEST, lambda a: a["dense1.bias"].fill(np.nan)), READERS, "CNN458", "dense1.bias with NaN",
    ),
    "state: missing": (instead(STATE, "nothing"), (RESUME,), "CNN462", "holds no state"),
    "state: a folder": (instead(STATE, "folder"), (RESUME,), "CNN462", "holds no state"),
    "state: a pipe": (instead(STATE, "pipe"), (RESUME,), "CNN462", "holds no state"),
    "state: cut": (lambda run: os.truncate(run.state, 3000), (RESUME,), "CNN452", "last.safetensors"),
    "state: of another net": (of_another_net, ALL, "CNN461", "belongs to another spec"),
    "state: weights": (lambda run: shutil.copy(run.last, run.state), (RESUME,), "CNN460", "holds weights"),
    "state: NaN": (
        rewrite(STATE, lambda a: a["parameter/dense1.bias"].fill(np.nan)), (RESUME,), "CNN460", "NaN in it",
    ),
    "state: negative steps": (rewrite(STATE, negative_steps), (RESUME,), "CNN460", "holds counters that cannot be"),
    "state: another shape": (
        rewrite(STATE, lambda a: a.update({"state/m/dense1.bias": np.zeros(3, "f4")})), (RESUME,), "CNN460", "",
    ),
    "state: a moment missing": (
        rewrite(STATE, lambda a: a.pop(min(k for k in a if k.startswith("state/") and k != "state/steps"))),
        (RESUME,), "CNN460", "lacks state/",
    ),
    "progress: more epochs": (
        progress(lambda d: d["rows"].extend({**d["rows"][-1], "epoch": k} for k in range(4, 9))),
        (RESUME,), "CNN460",
        "8 epochs are done, and the training has 3",
    ),
    "progress: rows of another kind": (progress(lambda d: d.update(rows=[1])), (RESUME,), "CNN460", "/rows/0"),
    "progress: a text": (progress(lambda d: d["rows"][0].update(cost="low")), (RESUME,), "CNN460", "/rows/0/cost"),
    "progress: a huge number": (progress(lambda d: d.update(seconds=10**400)), (RESUME,), "CNN460", "/seconds"),
    "progress: many batches": (
        progress(lambda d: d.update(batch=99, images=9)), (RESUME,), "CNN460", "99 batches with 9 images",
    ),
    "progress: the best of none": (
        progress(lambda d: d.update(best_epoch=9)), (RESUME,), "CNN460", "epoch 9 is the best",
    ),
    "a link out of the folder": (out_of_the_folder, (RESUME,), "CNN464", "leads out of the run's folder"),
}  # fmt: skip


@pytest.mark.parametrize("what", EDITS)
def test_it_is_refused_by_what_is_wrong(run, capsys, what):
    change, commands, code, told = EDITS[what]
    change(run)
    for command in commands:
        exit_code, said = says(capsys, command)
        assert exit_code == 1 and f"error[{code}]" in said and told in said, (command, said)


@pytest.mark.parametrize("command", ALL, ids=lambda command: command[0])
def test_untouched_it_works(run, capsys, command):
    code, said = says(capsys, command)
    assert code == 0, said


def test_a_refused_resumption_changes_nothing(run, capsys):
    rewrite(STATE, negative_steps)(run)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    assert says(capsys, RESUME)[0] == 1
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_a_results_file_that_leads_elsewhere_is_not_written_to(run, capsys, tmp_path):
    """What somebody sent must not add its lines to a file of ours."""
    ours = tmp_path / "profile"
    ours.write_text("mine\n")
    for name in ("results.csv", "statistics.jsonl", "summary.json"):
        (run.path / name).unlink(missing_ok=True)
        (run.path / name).symlink_to(ours)
    assert says(capsys, RESUME)[0] == 0
    assert ours.read_text() == "mine\n"


def test_half_a_line_of_a_run_that_was_killed_is_no_damage(run, capsys):
    run.summary.unlink()
    with run.results.open("a") as file:
        file.write("4,0.")
    for command in ALL:
        code, said = says(capsys, command)
        assert code == 0, said


# ---- by chance --------------------------------------------------------------------------------------------

VALUES = (
    None, True, False, 0, -1, 2.0, 1e308, float("nan"), float("inf"), 10**30, 10**400, "", "x", "\ud800", "\x1b[2J",
    "../../../etc/passwd", "/dev/zero", "a\0b", [], {}, [1], {"a": 1}, [[[]]], "9" * 5000,
)  # fmt: skip


def places(document, at=()):
    """Every place of a JSON document, as the keys that lead there."""
    yield at
    items = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in items:
        yield from places(value, (*at, key))


def changed(rng, document):
    """A document with one value replaced, left out or renamed."""
    *way, last = rng.choice([place for place in places(document) if place] or [(None,)])
    if last is None:
        return rng.choice(VALUES)
    parent = document
    for key in way:
        parent = parent[key]
    kind = rng.random()
    if kind < 0.2:
        del parent[last]
    elif kind < 0.3 and isinstance(parent, dict):
        parent[rng.choice(("x", "spec", "\x1b"))] = parent.pop(last)
    else:
        parent[last] = rng.choice(VALUES)
    return document


def flip(rng, path):
    raw = bytearray(path.read_bytes())
    for _ in range(min(len(raw), rng.randint(1, 4))):
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)


def cut(rng, path):
    os.truncate(path, rng.randrange(path.stat().st_size + 1))


def replaced(rng, path):
    path.unlink()
    kind = rng.choice(("nothing", "folder", "pipe", "/etc/passwd", "/dev/zero", "/dev/null", "nowhere", path.name))
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind != "nothing":
        path.symlink_to(kind)


def swapped(rng, path):
    other = rng.choice([other for other in sorted(path.parents[1].rglob("*")) if other.is_file()])
    path.write_bytes(other.read_bytes())


def written(rng, path):
    """A change that keeps to the file's own format."""
    if path.suffix == ".json":
        path.write_text(json.dumps(changed(rng, json.loads(path.read_text()))))
    elif path.suffix == ".safetensors":
        retouched(rng, path)
    else:
        words = path.read_text().split(" ")
        words[rng.randrange(len(words))] = str(rng.choice(VALUES[:7]))
        path.write_text(" ".join(words))


def retouched(rng, path):
    """A sound file of tensors with another piece of metadata, or another array."""
    found = tensors.read(path)
    arrays, metadata = dict(found.arrays), dict(found.metadata)
    if rng.random() < 0.5:
        key = rng.choice(sorted(metadata))
        told = metadata[key]
        nested = key in ("origin", "preparation")
        metadata[key] = (
            json.dumps(changed(rng, json.loads(told))) if nested else rng.choice(("", "[", "-1", told * 2))
        )
    else:
        key = rng.choice(sorted(arrays))
        array = arrays[key]
        if key == "progress":
            text = json.dumps(changed(rng, json.loads(array.tobytes())))
            arrays[key] = np.frombuffer(text.encode(), np.uint8)
        else:
            ways = (array * 0 - 1, array.reshape(-1)[:-1], array.astype("i4"), array * 1e38, array / np.float32(0))
            arrays[key] = rng.choice(ways)
    tensors.write(path, arrays, metadata)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("seed", sampled(range(8), 4))
def test_whatever_is_done_to_it_nothing_of_ours_fails(original, tmp_path, monkeypatch, capsys, seed):
    """Random changes of random files, each before one of the commands."""
    blamed = []
    monkeypatch.setattr(outcome, "report_internal_error", blamed.append)
    rng, here = random.Random(seed), tmp_path / "here"
    for _ in range(15):
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(original, here)
        monkeypatch.chdir(here)
        run = here / "runs" / "net-001"
        done = []
        for _ in range(rng.choice((1, 1, 2))):
            path = rng.choice([path for path in sorted(run.rglob("*")) if path.is_file() and not path.is_symlink()])
            way = rng.choice((flip, cut, replaced, swapped, written, written, written))
            try:
                way(rng, path)
            except (ValueError, OSError, SpecError):
                continue  # not even the change can be made, as of JSON in what is none by now
            done.append((way.__name__, str(path.relative_to(run))))
        command = rng.choice((*ALL, ("eval", f"runs/net-001/{LAST}")))
        code = cnnspec(list(command))
        told = capsys.readouterr()
        assert code in (0, 1, 2) and not blamed, (done, command, blamed, told.err)
        assert bool(code) == ("error[" in told.err or code == 2), (done, command, told.err)
