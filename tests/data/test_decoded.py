"""Photos that are decoded once, and photos that memory has no room for."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cnnspec
from cnnspec.data.load import load
from cnnspec.data.sources import decoded
from cnnspec.data.sources.filed import Filed
from cnnspec.diagnostics import SpecError
from cnnspec.settings.augment import Flip
from cnnspec.settings.data import Data, Images

COUNT = 24
X = np.random.default_rng(0).integers(0, 256, (COUNT, 3, 6, 5), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    pillow = pytest.importorskip("PIL.Image", reason="Pillow reads images")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(decoded, "MANY", 4)
    for i, image in enumerate(X):
        path = tmp_path / "photos" / "ab"[i % 2] / f"{i:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pillow.fromarray(image.transpose(1, 2, 0)).save(path)
    return tmp_path


def read(folder, **settings):
    return load(Data(source=Images("photos", test=0.25), **settings), root=folder)


def cached(folder):
    return sorted((folder / "cache/cnnspec/decoded").iterdir())


def same(a, b):
    for part in ("train", "validation", "test"):
        assert (getattr(a, part).x[:] == getattr(b, part).x[:]).all()
        assert (getattr(a, part).y == getattr(b, part).y).all()


def test_photos_are_decoded_once(folder, monkeypatch):
    first = read(folder)
    (file,) = cached(folder)
    assert file.stat().st_size == X.nbytes
    calls = []
    monkeypatch.setattr(decoded, "_each", lambda *given: calls.append(given) or iter(()))
    same(first, read(folder))
    assert not calls


@pytest.mark.parametrize("change", ["edited", "touched", "added", "renamed", "removed", "grey"])
def test_what_was_changed_is_decoded_anew(folder, change):
    pillow = pytest.importorskip("PIL.Image")
    read(folder)
    first, settings = folder / "photos/a/00.png", {}
    match change:
        case "edited":
            seen = first.stat()
            pillow.fromarray(255 - X[0].transpose(1, 2, 0)).save(first)
            os.utime(first, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1))
        case "touched":
            os.utime(first, (1, 1))
        case "added":
            pillow.fromarray(X[0].transpose(1, 2, 0)).save(folder / "photos/b/new.png")
        case "renamed":
            first.rename(first.with_name("zz.png"))
        case "removed":
            first.unlink()
    source = Images("photos", test=0.0, colour=change != "grey")
    found = load(Data(source=source, validation=0.0, **settings), root=folder)
    assert len(cached(folder)) == 2
    assert len(found.train) == COUNT + (change == "added") - (change == "removed")
    if change == "edited":
        assert (found.train.x[0] == 255 - X[0]).all()


@pytest.mark.parametrize("damage", ["cut", "a folder", "no room", "a file in the way"])
def test_a_cache_that_cannot_be_used_does_no_harm(folder, monkeypatch, damage):
    first = read(folder)
    (file,) = cached(folder)
    match damage:
        case "cut":
            file.write_bytes(b"x")
        case "a folder":
            file.unlink()
            file.mkdir()
        case "no room":
            file.unlink()
            monkeypatch.setattr(decoded, "LARGE", 1 << 60)
        case "a file in the way":
            file.unlink()
            file.parent.rmdir()
            file.parent.write_text("")
    same(first, read(folder))
    if damage == "cut":
        assert cached(folder)[0].stat().st_size == X.nbytes


def test_a_photo_that_is_none_is_told_and_leaves_nothing(folder):
    (folder / "photos/b/07.png").write_bytes(b"GIF89a")
    for _ in range(2):
        with pytest.raises(SpecError, match="CNN415.*07.png"):
            read(folder)
        assert not cached(folder)


def test_photos_that_stay_in_the_file_are_trained_on_to_the_same_bits(folder, monkeypatch):
    whole = read(folder, normalise=True)
    monkeypatch.setattr(decoded, "IN_MEMORY", 0)
    filed = read(folder, normalise=True)
    assert isinstance(filed.train.x, Filed) and not isinstance(whole.train.x, Filed)
    same(whole, filed)
    assert whole.scaling == filed.scaling
    how = {"shuffle": True, "seed": 3, "augment": (Flip(),)}
    for (x, y), (a, b) in zip(whole.train.batches(5, **how), filed.train.batches(5, **how), strict=True):
        assert (x == a).all() and (y == b).all()
    (folder / "net.cnn").write_text(
        'dense 2 -> softmax\ndata { source images "photos" test 25% }\ntrain { epochs 2 ; batch 4 }\n'
    )
    runs = [cnnspec.run(folder / "net.cnn", out=folder / "a", workers=1)]
    monkeypatch.setattr(decoded, "IN_MEMORY", 1 << 30)
    runs.append(cnnspec.run(folder / "net.cnn", out=folder / "b", workers=1))
    assert runs[0].summary["test_cost"] == runs[1].summary["test_cost"]


@pytest.mark.skipif(not hasattr(os, "preadv"), reason="nor can this system fork")
def test_who_reads_does_not_move_the_position_that_forked_processes_share(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(X.tobytes())
    with path.open("rb") as file:
        filed = Filed(file, X.shape)
        assert (filed[2:5] == X[2:5]).all()
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 0
        os.truncate(path, X.nbytes - 1)
        with pytest.raises(OSError, match="cut short"):
            filed[-1]


ROWS = st.integers(-COUNT, COUNT - 1)


@given(st.lists(ROWS, max_size=40), st.slices(COUNT), ROWS)
def test_an_array_in_a_file_is_read_as_one_in_memory(tmp_path_factory, places, part, one):
    path = tmp_path_factory.getbasetemp() / "rows"
    path.write_bytes(X.tobytes())
    with path.open("rb") as file:
        filed = Filed(file, X.shape)
        taken = np.array(places, np.int64)
        assert (filed[taken] == X[taken]).all() and (filed[part] == X[part]).all() and (filed[one] == X[one]).all()
        few = filed.chosen(taken)
        assert few.shape == X[taken].shape and (few[::-1] == X[taken][::-1]).all() and len(few) == len(places)
        assert (filed.take(taken, axis=0) == X.take(taken, axis=0)).all()
        assert (filed[part, 1:] == X[part, 1:]).all()
