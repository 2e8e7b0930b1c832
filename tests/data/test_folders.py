"""Folders of images: their parts, their classes, and what lies beside images."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from cnnspec.data.load import load
from cnnspec.data.sources.folders import tree
from cnnspec.diagnostics import Fault, SpecError
from cnnspec.settings.data import Data, Images

pillow = pytest.importorskip("PIL.Image", reason="Pillow reads images")


def save(folder, *names, grey=0):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or ("a.png", "b.png"):
        pillow.new("L", (4, 4), grey).save(folder / name, format="PNG")


def classes(folder, *parts, grey=0):
    for part in parts or ("",):
        for name in ("cat", "dog"):
            save(folder / part / name, grey=grey)


def fault(folder):
    with pytest.raises(Fault) as caught:
        tree(folder)
    return caught.value


@pytest.mark.parametrize("name", ["val", "valid", "validation", "Val"])
@pytest.mark.parametrize("test", [True, False])
def test_a_folder_of_validation_beside_train_is_the_validation(tmp_path, name, test):
    for part, grey in (("train", 1), (name, 2), *([("test", 3)] if test else [])):
        classes(tmp_path, part, grey=grey)
    found = load(Data(source=Images(str(tmp_path), colour=False, test=0.0)))
    assert found.classes == ("cat", "dog")
    parts = {"train": found.train, "validation": found.validation, "test": found.test}
    told = {part: (len(split), np.unique(split.x).tolist()) for part, split in parts.items()}
    assert told == {"train": (4, [1]), "validation": (4, [2]), "test": (4, [3]) if test else (0, [])}
    assert f"4 from {name} for validation, {'4 from test' if test else '0'} to test" in found.told


def test_without_a_test_folder_the_share_is_taken_from_train(tmp_path):
    classes(tmp_path, "train", grey=1)
    classes(tmp_path, "val", grey=2)
    found = load(Data(source=Images(str(tmp_path), test=0.5)))
    assert (len(found.train), len(found.validation), len(found.test)) == (2, 4, 2)
    assert np.unique(found.test.x).tolist() == [1]


def test_train_alone_is_a_part(tmp_path):
    classes(tmp_path, "train")
    assert tree(tmp_path).classes == ("cat", "dog")


def test_train_is_a_class_where_images_lie_in_it(tmp_path):
    """Cars, planes, trains: a folder of that name without folders in it is one of them."""
    for name in ("car", "plane", "train"):
        save(tmp_path / name)
    assert tree(tmp_path).classes == ("car", "plane", "train")


def test_a_folder_beside_train_that_is_no_part_is_named(tmp_path):
    classes(tmp_path, "train", "holdout")
    assert (fault(tmp_path).code, "holdout" in fault(tmp_path).message) == ("CNN410", True)


def test_two_folders_of_one_part_are_named(tmp_path):
    classes(tmp_path, "train", "val", "valid")
    assert fault(tmp_path).message.endswith("has both val and valid")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="needs names that differ in case alone")
def test_train_twice_in_other_letters_is_not_half_of_the_images(tmp_path):
    classes(tmp_path, "train", "Train")
    assert fault(tmp_path).message.endswith("has both Train and train")


@pytest.mark.parametrize("part", ["val", "test"])
def test_a_class_that_is_not_in_train_is_named(tmp_path, part):
    classes(tmp_path, "train", part)
    save(tmp_path / part / "cow")
    assert "the folder cow in" in fault(tmp_path).message


def test_a_class_without_images_in_test_is_none_there(tmp_path):
    classes(tmp_path, "train")
    save(tmp_path / "test" / "cat")
    (tmp_path / "test" / "dog").mkdir()
    assert set(tree(tmp_path).test.labels) == {0}


def test_a_class_without_images_in_train_is_named(tmp_path):
    classes(tmp_path)
    (tmp_path / "cow").mkdir()
    (tmp_path / "cow" / "Thumbs.db").write_bytes(b"")
    assert (fault(tmp_path).code, fault(tmp_path).message) == ("CNN414", f"{tmp_path}/cow has no image in it")


STRAYS = (
    ".DS_Store", "._a.png", "Thumbs.db", "desktop.ini", "README", "README.txt", "readme.md", "LICENSE",
    "labels.csv", "a.json", "Icon\r",
)  # fmt: skip


@pytest.mark.parametrize("name", STRAYS)
def test_what_systems_leave_and_documents_are_passed_over(tmp_path, name):
    classes(tmp_path, "train", "test")
    for place in ("", "train", "train/cat", "test/dog"):
        (tmp_path / place / name).write_bytes(b"\0\1")
    found = load(Data(source=Images(str(tmp_path)), validation=0.0))
    assert (len(found.train), len(found.test), found.classes) == (4, 4, ("cat", "dog"))


@pytest.mark.parametrize("name", ["__MACOSX", ".git", "@eaDir", ".ipynb_checkpoints"])
def test_folders_of_systems_are_no_classes(tmp_path, name):
    classes(tmp_path)
    save(tmp_path / name)
    assert tree(tmp_path).classes == ("cat", "dog")


def test_what_is_passed_over_is_counted(tmp_path):
    classes(tmp_path)
    (tmp_path / "cat" / "notes.txt").write_text("four of them")
    told = []
    load(Data(source=Images(str(tmp_path))), progress=told.append)
    assert told[0] == f"passed over 1 of the files in {tmp_path}: by their names they are no images"


@pytest.mark.parametrize("name", ["a", "b.PNG", "c.dat", "d.png.part"])
def test_a_file_that_is_no_image_is_named(tmp_path, name):
    """Whatever it is called, unless documents are called so: an image that is left out in silence is lost."""
    classes(tmp_path)
    (tmp_path / "cat" / name).write_text("hello")
    with pytest.raises(SpecError) as caught:
        load(Data(source=Images(str(tmp_path))))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "CNN415" and f"cat/{name} is not an image" in diagnostic.message


NAMES = ("CON", "nul", "aux.", "a b", "日本語", "café", "😀", "x" * 200, "-rf", "$HOME", "a:b", "#1", "%s{}")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps some of these names for itself")
def test_any_name_may_be_that_of_a_class_and_of_an_image(tmp_path):
    for name in NAMES:
        save(tmp_path / name, f"{name[:99]}.png", "1.png")
    found = load(Data(source=Images(str(tmp_path), test=0.0), validation=0.0))
    assert len(found.train) == 2 * len(NAMES) == 2 * len(found.classes)


def test_one_name_is_one_class_however_its_accents_are_written(tmp_path):
    save(tmp_path / "train" / "cafe\u0301")  # as macOS writes it
    save(tmp_path / "train" / "bar")
    save(tmp_path / "test" / "caf\xe9")
    found = tree(tmp_path)
    assert found.classes == ("bar", "caf\xe9") and set(found.test.labels) == {1}


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="needs names that are bytes")
def test_a_class_whose_name_is_not_unicode_is_refused(tmp_path):
    os.mkdir(os.fsencode(tmp_path) + b"/caf\xe9")
    save(tmp_path / os.fsdecode(b"caf\xe9"))
    save(tmp_path / "bar")
    with pytest.raises(SpecError) as caught:
        load(Data(source=Images(str(tmp_path))))
    assert caught.value.diagnostics[0].message == r"'caf\udce9' cannot be the name of a class: it is not Unicode"


@pytest.mark.skipif(sys.platform == "win32", reason="needs symbolic links")
def test_links_are_followed_and_loops_are_told(tmp_path):
    classes(tmp_path / "real")
    (tmp_path / "photos").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).symlink_to(tmp_path / "real" / name)
    assert len(tree(tmp_path / "photos").train.files) == 4
    inside = tmp_path / "real" / "cat" / "again"
    inside.symlink_to(tmp_path / "real" / "cat")  # a folder within a class, without an end
    assert fault(tmp_path / "real").message == f"{inside} is a folder within a class"
    inside.unlink()
    inside.symlink_to(inside)
    with pytest.raises(SpecError) as caught:
        load(Data(source=Images(str(tmp_path / "real"))))
    assert caught.value.diagnostics[0].code == "CNN401"
    inside.unlink()
    inside.symlink_to(tmp_path / "gone")
    with pytest.raises(SpecError) as caught:
        load(Data(source=Images(str(tmp_path / "real"))))
    assert caught.value.diagnostics[0].code == "CNN401"
