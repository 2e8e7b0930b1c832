"""A run's folder holds all that it was made of: what becomes of the files of that day changes no number."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cnnspec.cli import run as cnnspec
from cnnspec.diagnostics import SpecError
from cnnspec.experiment.provenance import of_run
from cnnspec.experiment.session import reopen
from cnnspec.train.folder import RunFolder

SPEC = """\
import "{blocks}"
input 1x6x6
two(4) -> dense 2 -> softmax
data {{ source npz "data/f.npz" ; validation 0 }}
train {{ epochs 4 ; batch 8 ; seed 3 }}
"""
BLOCKS = "block two(c) = conv {c}x3x3 -> relu\n"
OTHER = "block two(c) = conv {c}x3x3 -> tanh\n"


def written(folder: Path, spec: str = SPEC, blocks: str = "blocks.cnn") -> Path:
    """A project: a spec, its blocks, its data."""
    rng = np.random.default_rng(0)
    (folder / "data").mkdir(parents=True)
    np.savez(folder / "data" / "f.npz", x=rng.random((40, 1, 6, 6)).astype("f4"), y=np.arange(40) % 2)
    (folder / blocks).parent.mkdir(parents=True, exist_ok=True)
    (folder / blocks).write_text(BLOCKS)
    (folder / "net.cnn").write_bytes(spec.format(blocks=blocks).encode())
    return folder / "net.cnn"


def train(spec: Path, *more: str) -> RunFolder:
    out = spec.parent / "runs"
    assert cnnspec(["run", str(spec), "--workers", "1", "--out", str(out), *more]) == 0
    return RunFolder(max(out.iterdir()))


def measured(trained: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[float, float]:
    """What `eval` says: accuracy and cost."""
    capsys.readouterr()
    code = cnnspec(["eval", str(trained), "--json", *more])
    found = capsys.readouterr()
    assert code == 0, found.err
    told = json.loads(found.out)
    return told["accuracy"], told["cost"]


def refused(*arguments: object, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert cnnspec([str(argument) for argument in arguments]) == 1
    return capsys.readouterr().err


# ---- imports ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["changed", "deleted"])
def test_a_block_of_today_changes_no_run_of_yesterday(tmp_path, capsys, change):
    spec = written(tmp_path)
    run = train(spec)
    before = measured(run.path, capsys), measured(run.last, capsys)
    if change == "changed":
        (tmp_path / "blocks.cnn").write_text(OTHER)
    else:
        (tmp_path / "blocks.cnn").unlink()
    assert (measured(run.path, capsys), measured(run.last, capsys)) == before
    assert before[0] == before[1]
    assert (run.path / "imports" / "blocks.cnn").read_text() == BLOCKS


def test_a_resumed_run_computes_as_it_did(tmp_path, monkeypatch):
    """Stopped after two of four epochs, its block changed meanwhile: the same bits as the run that was not."""
    spec = written(tmp_path)
    straight = train(spec)
    run = train(spec)
    stop_after(run, straight, epochs=2, monkeypatch=monkeypatch)
    (tmp_path / "blocks.cnn").write_text(OTHER)
    assert cnnspec(["run", "--resume", str(run.path), "--workers", "1"]) == 0
    assert run.last.read_bytes() == straight.last.read_bytes()


def stop_after(run, straight, epochs, monkeypatch):
    """Bring a run back to where Ctrl-C after so many epochs leaves it."""
    from cnnspec.train import runs
    from cnnspec.train.loop import EpochDone, Interrupted

    class Stopped(Exception):
        pass

    original = runs.training

    def stopping(*arguments, **named):
        for event in original(*arguments, **named):
            yield event
            if isinstance(event, EpochDone) and event.row.epoch == epochs:
                break
        else:
            return
        raise Interrupted(event.step, 99)

    shutil.rmtree(run.path)
    with monkeypatch.context() as patched:
        patched.setattr(runs, "training", stopping)
        spec = straight.origin(straight.settings())
        assert cnnspec(["run", str(spec), "--workers", "1", "--out", str(run.path.parent)]) == 130


@pytest.mark.parametrize("blocks", ["parts/deep/b.cnn", "./blocks.cnn", "parts/../b.cnn"])
def test_imports_keep_their_paths(tmp_path, capsys, blocks):
    (tmp_path / "parts").mkdir()
    spec = written(tmp_path, blocks=blocks)
    run = train(spec)
    before = measured(run.path, capsys)
    (tmp_path / blocks).unlink()
    assert measured(run.path, capsys) == before == measured(run.last, capsys)


def test_imports_of_one_name_out_of_several_folders_do_not_collide(tmp_path, capsys):
    """Two files `b.cnn`, of which one imports a third; all lie in one folder of the run."""
    spec = written(tmp_path, SPEC.replace("{blocks}", "a/b.cnn"), "a/b.cnn")
    (tmp_path / "a" / "b.cnn").write_text('import "../c/B.cnn"\nimport "sub/b.cnn"\nblock two(c) = one(c) -> act\n')
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "B.cnn").write_text("block one(c) = conv {c}x3x3\n")
    (tmp_path / "a" / "sub").mkdir()
    (tmp_path / "a" / "sub" / "b.cnn").write_text("block act = relu\n")
    run = train(spec)
    before = measured(run.path, capsys)
    names = sorted(path.name for path in (run.path / "imports").iterdir())
    assert len({name.casefold() for name in names}) == 3, names
    for folder in ("a", "c"):
        shutil.rmtree(tmp_path / folder)
    assert measured(run.path, capsys) == before == measured(run.last, capsys)


def test_an_edited_copy_is_refused_by_its_line(tmp_path, capsys):
    run = train(written(tmp_path))
    (run.path / "imports" / "blocks.cnn").write_text(OTHER)
    for arguments in (("eval", run.path), ("run", "--resume", run.path)):
        told = refused(*arguments, capsys=capsys)
        assert "error[CNN461]" in told and "belongs to another spec" in told
        assert "was `block two(c) = conv {c}x3x3 -> relu`" in told


def test_a_missing_copy_is_named(tmp_path, capsys):
    run = train(written(tmp_path))
    (run.path / "imports" / "blocks.cnn").unlink()
    told = refused("eval", run.path, capsys=capsys)
    assert "error[CNN464]" in told and "blocks.cnn" in told


def test_settings_in_place_of_the_specs_are_part_of_it(tmp_path, capsys):
    """Weights by themselves are tested as they were trained: on two images of ten, by the data's other name."""
    spec = written(tmp_path)
    shutil.copy(tmp_path / "data" / "f.npz", tmp_path / "data" / "g.npz")
    run = train(spec, "--set", 'data.source=npz "data/g.npz" test 0.5')
    (tmp_path / "data" / "f.npz").unlink()
    assert measured(run.last, capsys) == measured(run.path, capsys)
    settings = run.settings()
    run.write_json("settings.json", {**settings, "set": ["train.batch=4"]})
    (tmp_path / "data" / "g.npz").rename(tmp_path / "data" / "f.npz")
    told = refused("eval", run.path, capsys=capsys)
    assert "error[CNN461]" in told and "train.batch=4" in told


# ---- places -----------------------------------------------------------------------------------------------


def test_a_project_that_was_renamed_evaluates_and_goes_on(tmp_path, capsys, monkeypatch):
    run = train(written(tmp_path / "old"))
    before = measured(run.path, capsys)
    (tmp_path / "old").rename(tmp_path / "new")
    run = RunFolder(tmp_path / "new" / "runs" / "net-001")
    monkeypatch.chdir("/")
    assert measured(run.path, capsys) == before == measured(run.last, capsys)
    assert cnnspec(["run", "--resume", str(run.path), "--workers", "1"]) == 0
    assert run.settings()["spec"] == "../../net.cnn"


def test_a_run_without_its_project_says_where_it_looked_and_takes_another_folder(tmp_path, capsys):
    run = train(written(tmp_path / "project"))
    before = measured(run.path, capsys)
    alone = tmp_path / "elsewhere" / "net-001"
    shutil.copytree(run.path, alone)
    shutil.move(tmp_path / "project", tmp_path / "kept")
    told = refused("eval", alone, capsys=capsys)
    assert "error[CNN401]: there is no " in told and str(tmp_path / "data" / "f.npz") in told.replace("\n", "")
    assert "`--data`" in told
    assert measured(alone, capsys, "--data", str(tmp_path / "kept")) == before
    assert measured(alone / "weights" / "last.safetensors", capsys, "--data", str(tmp_path / "kept")) == before
    assert cnnspec(["run", "--resume", str(alone), "--workers", "1", "--data", str(tmp_path / "kept")]) == 0


def test_the_folder_of_data_that_a_run_was_given_is_remembered_from_the_run(tmp_path, capsys):
    spec = written(tmp_path / "old")
    (tmp_path / "old" / "disk").mkdir()
    (tmp_path / "old" / "data").rename(tmp_path / "old" / "disk" / "data")
    run = train(spec, "--data", str(tmp_path / "old" / "disk"))
    before = measured(run.path, capsys)
    assert run.settings()["data_folder"] == "../../disk"
    (tmp_path / "old").rename(tmp_path / "new")
    run = RunFolder(tmp_path / "new" / "runs" / "net-001")
    assert measured(run.path, capsys) == before == measured(run.last, capsys)
    assert cnnspec(["run", "--resume", str(run.path), "--workers", "1"]) == 0
    shutil.move(tmp_path / "new" / "disk", tmp_path / "disk")
    assert "error[CNN401]" in refused("eval", run.path, capsys=capsys)
    assert measured(run.path, capsys, "--data", str(tmp_path / "disk")) == before


def test_a_folder_of_runs_behind_a_link(tmp_path, capsys):
    """`runs` on another disk: the way from there is kept, not the way through the link."""
    spec = written(tmp_path / "project")
    (tmp_path / "scratch").mkdir()
    (tmp_path / "project" / "runs").symlink_to(tmp_path / "scratch")
    run = train(spec)
    assert measured(run.path, capsys) == measured(tmp_path / "scratch" / "net-001", capsys)


# ---- texts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_a_spec_goes_on_whatever_the_ends_of_its_lines(tmp_path, ends, capsys):
    run = train(written(tmp_path, SPEC.replace("\n", ends)))
    assert of_run(run).source.text.count("\r") == (5 if ends == "\r\n" else 0)
    assert cnnspec(["run", "--resume", str(run.path), "--workers", "1"]) == 0
    measured(run.path, capsys)


def test_a_byte_order_mark_is_no_part_of_it(tmp_path, capsys):
    spec = written(tmp_path)
    spec.write_bytes(b"\xef\xbb\xbf" + spec.read_bytes())
    run = train(spec)
    assert cnnspec(["run", "--resume", str(run.path), "--workers", "1"]) == 0
    measured(run.path, capsys)


def test_a_spec_of_another_ending(tmp_path, capsys):
    spec = written(tmp_path).rename(tmp_path / "settings.json")
    run = train(spec)
    assert run.spec("settings.json").read_text() == spec.read_text()
    assert measured(run.path, capsys) == measured(run.last, capsys)


def test_other_files_in_the_folder_do_no_harm(tmp_path, capsys):
    run = train(written(tmp_path))
    before = measured(run.path, capsys)
    (run.path / ".DS_Store").write_bytes(b"\0\xff")
    (run.path / "another.cnn").write_text("input 3\n")
    (run.path / "a.cnn.json").write_text("[]")
    (run.path / "imports" / "more.cnn").write_text("junk")
    (run.path / "weights" / "epoch-many.safetensors").write_text("junk")
    assert measured(run.path, capsys) == before
    assert cnnspec(["run", "--resume", str(run.path), "--workers", "1"]) == 0


# ---- checked graphs ---------------------------------------------------------------------------------------


def test_a_run_of_a_checked_graph_is_a_run_like_any_other(tmp_path, capsys, monkeypatch):
    text = written(tmp_path)
    assert cnnspec(["compile", str(text), "--emit", "json", "-o", str(tmp_path / "net.cnn.json")]) == 0
    straight = train(tmp_path / "net.cnn.json", "--seed", "3")
    run = train(tmp_path / "net.cnn.json", "--seed", "3")
    assert run.spec("net.cnn.json").is_file()
    assert run.last.read_bytes() == straight.last.read_bytes()
    assert measured(run.path, capsys) == measured(run.last, capsys)
    np.save(tmp_path / "x.npy", np.zeros((1, 6, 6), np.float32))
    assert cnnspec(["predict", str(run.path), str(tmp_path / "x.npy")]) == 0
    assert cnnspec(["trace", str(run.path), "--at", "softmax1[0]"]) == 0
    assert cnnspec(["report", str(run.best), "-o", str(tmp_path / "page.html")]) == 0
    assert cnnspec(["run", "--resume", str(run.path), "--workers", "1"]) == 0


def test_weights_saved_by_a_program_hold_their_imports(tmp_path):
    import cnnspec as library

    spec = written(tmp_path)
    with library.compile(spec) as model:
        model.save(tmp_path / "w.safetensors")
        wanted = model.predict(np.ones((1, 1, 6, 6), np.float32))
    (tmp_path / "blocks.cnn").write_text(OTHER)
    _, found = reopen(tmp_path / "w.safetensors")
    with found:
        assert np.allclose(found.predict(np.ones((1, 1, 6, 6), np.float32)), wanted, atol=1e-6)


def test_what_a_run_was_made_of(tmp_path):
    spec = written(tmp_path)
    run = train(spec, "--set", "train.epochs=1")
    found = of_run(run)
    assert found.path == spec and found.overrides == ("train.epochs=1",)
    assert found.source.text == spec.read_text()
    assert [(one.paths, one.text) for one in found.source.imports] == [(("blocks.cnn",), BLOCKS)]
    run.settings_file.unlink()
    with pytest.raises(SpecError) as error:
        of_run(run)
    assert [found.code for found in error.value.diagnostics] == ["CNN464"]
