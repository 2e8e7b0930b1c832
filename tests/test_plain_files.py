"""Whatever a path leads to where a file is expected: a diagnostic at once, and nothing of it is read.

Doors are the places where a path of others is opened; things are what may lie there.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from pace import took_under

from cnnspec.data.formats.npz import read_npy
from cnnspec.data.formats.pictures import read_picture
from cnnspec.data.known import describe
from cnnspec.data.load import load
from cnnspec.diagnostics import Diagnostic, Fault, SpecError
from cnnspec.lang.files import read_file
from cnnspec.plain_files import NotAFile, open_regular, read_bytes, read_text
from cnnspec.settings.data import Csv, Data, Idx, Images, Npz
from cnnspec.train import tensors

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes, sockets and links")

for _slow_to_import in ("onnx", "PIL.Image"):  # before a clock runs
    with suppress(ImportError):
        importlib.import_module(_slow_to_import)

SECONDS = 1.0  # of processor time
HANGS = 300  # seconds after which a test that waits is ended


@pytest.fixture(autouse=True)
def _no_wait():
    def end(*_):
        raise TimeoutError("this waits, or reads without an end")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(HANGS)
    start = time.thread_time()
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    assert took_under(SECONDS, start)


# ---- things -------------------------------------------------------------------------------------------


def pipe(folder):
    os.mkfifo(folder / "pipe")
    return str(folder / "pipe")


def listening(folder):
    # a path of a socket has room for some hundred characters: made from within its folder
    here = os.getcwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("socket")
    finally:
        os.chdir(here)
    return str(folder / "socket")


def directory(folder):
    (folder / "inner").mkdir()
    return str(folder / "inner")


def link(target):
    def make(folder):
        (folder / "link").symlink_to(target)
        return str(folder / "link")

    return make


def forbidden(folder):
    if os.geteuid() == 0:
        pytest.skip("the superuser may read everything")
    (folder / "secret").write_text("a,b\n1,2\n")
    (folder / "secret").chmod(0)
    return str(folder / "secret")


def within_a_file(folder):
    (folder / "file").write_text("a")
    return str(folder / "file" / "inner")


THINGS = {
    "a named pipe": pipe,
    "/dev/zero": lambda folder: "/dev/zero",
    "/dev/null": lambda folder: "/dev/null",
    "a terminal": lambda folder: "/dev/tty",
    "a link to a device": link("/dev/zero"),
    "a socket": listening,
    "a folder": directory,
    "a broken link": link("gone"),
    "a link to itself": link("link"),
    "no permission": forbidden,
    "a name within a file": within_a_file,
    "a NUL": lambda folder: "a\0b",
    "half a character": lambda folder: "a\ud800b",
    "a name of 5,000 letters": lambda folder: "x" * 5000,
    "a name of two lines": lambda folder: "a\nb",
    "nothing": lambda folder: str(folder / "nothing"),
    "an empty name": lambda folder: "",
}
AT_HOME = {"the home of nobody": lambda folder: "~nobody-is-called-so/a"}


# ---- doors --------------------------------------------------------------------------------------------


def reads(source):
    return lambda path: load(Data(source=source(path)))


def known(source):
    def look(path):
        # None says that the file is not there, which `check` does not hold against a spec
        return describe(Data(source=source(path))) or Diagnostic("CNN401", "it is not there")

    return look


def within(source, name):
    """A source in a folder in which the thing lies under a name."""

    def read(path):
        folder = Path(os.environ["DOORS"])
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.symlink_to(path)
        except (OSError, ValueError):
            pytest.skip("no file can be a link to this")
        return load(Data(source=source(str(folder))))

    return read


def onnx_model(path):
    pytest.importorskip("onnx", reason="reads ONNX")
    from cnnspec.targets.onnx.steps import load as load_model

    return load_model(Path(path))


def picture(path):
    pytest.importorskip("PIL", reason="Pillow reads images")
    return read_picture(Path(path))


SOURCES = {
    "csv": reads(Csv),
    "npz": reads(Npz),
    "idx": reads(Idx),
    "images": reads(Images),
    "what is known of a csv": known(Csv),
    "what is known of an npz": known(Npz),
    "what is known of an idx": known(Idx),
    "what is known of images": known(Images),
}
FILES = {
    "idx, its images": within(Idx, "train-images-idx3-ubyte"),
    "images, one of them": within(Images, "cat/a.png"),
    "images, a class": within(Images, "cat"),
    "a spec, or --map": lambda path: read_file(Path(path)),
    "weights": lambda path: tensors.read(Path(path)),
    "an npy file": lambda path: read_npy(Path(path)),
    "a picture": picture,
    "an ONNX model": onnx_model,
}


def told(door, path):
    """The diagnostics of what a door says of a path."""
    try:
        found = door(path)
    except SpecError as error:
        return error.diagnostics
    except Fault as fault:
        return (fault.diagnostic(),)
    assert isinstance(found, Diagnostic), f"it reads {found!r}"
    return (found,)


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("door", [*SOURCES, *FILES])
def test_every_door_says_what_it_cannot_read(door, thing, tmp_path, monkeypatch):
    if door == "images, one of them":
        pytest.importorskip("PIL", reason="Pillow reads images")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOORS", str(tmp_path / "doors"))
    (tmp_path / "things").mkdir()
    path = THINGS[thing](tmp_path / "things")
    (diagnostic,) = told({**SOURCES, **FILES}[door], path)
    assert diagnostic.code in ("CNN009", "CNN401", "CNN405", "CNN410", "CNN414", "CNN415", "CNN450", "CNN502")


@pytest.mark.parametrize("door", SOURCES)
def test_a_home_that_is_not_there_is_told(door, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (diagnostic,) = told(SOURCES[door], "~nobody-is-called-so/a")
    assert diagnostic.message == "there is no home for the `~` of ~nobody-is-called-so/a"


@pytest.mark.parametrize("name", ["pyproject.toml", ".gitignore"])
@pytest.mark.parametrize("thing", ["a named pipe", "/dev/zero", "a socket", "a folder", "a broken link"])
def test_configuration_and_ignored_files_are_passed_over(name, thing, tmp_path):
    from cnnspec.checking.configuration import read
    from cnnspec.checking.ignored import Rules

    (tmp_path / name).symlink_to(THINGS[thing](tmp_path))
    assert read(tmp_path / name).folder is None and Rules.read(tmp_path / name, tmp_path).rules == ()


# ---- the one place ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "thing, kind",
    [
        ("a named pipe", "a named pipe or a pipe"),
        ("/dev/zero", "a device"),
        ("a link to a device", "a device"),
        ("a socket", "a socket"),
        ("a folder", "a folder"),
    ],
)
def test_what_is_no_file_is_named(thing, kind, tmp_path):
    with pytest.raises(NotAFile) as caught:
        open_regular(THINGS[thing](tmp_path))
    assert caught.value.strerror == f"it is not a file, but {kind}"


@pytest.mark.parametrize("thing", [name for name in THINGS if name != "a terminal"])
def test_whatever_is_there_the_exception_is_of_the_system(thing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError) as caught:
        open_regular(THINGS[thing](tmp_path))
    assert caught.value.strerror


def test_a_file_that_becomes_a_pipe_between_two_looks_is_not_waited_for(tmp_path, monkeypatch):
    path = pipe(tmp_path)
    regular = os.stat(__file__)
    monkeypatch.setattr(os, "stat", lambda *_, **__: regular)
    with pytest.raises(NotAFile):
        open_regular(path)


def test_a_plain_file_is_read_through_links_and_no_longer_than_told(tmp_path):
    (tmp_path / "a").write_bytes(b"\r\none\rtwo\r\n")
    (tmp_path / "b").symlink_to("a")
    assert read_text(tmp_path / "b") == "\none\ntwo\n"
    assert read_bytes(tmp_path / "b", 11) == b"\r\none\rtwo\r\n"
    with pytest.raises(OSError, match="more than 10 bytes"):
        read_bytes(tmp_path / "b", 10)


def test_descriptors_are_closed(tmp_path):
    path = pipe(tmp_path)
    gc.collect()  # what tests before this one hold
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(20):
        with pytest.raises(NotAFile):
            open_regular(path)
    assert not before or len(os.listdir("/proc/self/fd")) == before
