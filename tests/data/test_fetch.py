"""Sets that are not there: fetched whole and right, or a diagnostic that says what to do."""

from __future__ import annotations

import hashlib
import http.server
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnnspec.data.formats.idx import write_idx
from cnnspec.data.load import load
from cnnspec.data.sources import fetch
from cnnspec.diagnostics import SpecError
from cnnspec.settings.data import Cifar10, Data, FashionMnist, Mnist

LOAD = sys.modules["cnnspec.data.load"]  # the module: its function has the same name
SOURCES = (Mnist(), FashionMnist(), Cifar10())


def problem(source, folder):
    with pytest.raises(SpecError) as caught:
        load(Data(source=source), folder=folder)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A small set in place of MNIST, served from this machine; the folder that is served."""
    pytest.importorskip("pooch", reason="pooch fetches")
    folder = tmp_path / "served"
    folder.mkdir()
    random = np.random.default_rng(0)
    for part, count in (("train", 20), ("t10k", 10)):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", random.integers(0, 256, (count, 6, 5), dtype=np.uint8))
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", (np.arange(count) % 10).astype(np.uint8))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *parts):
            super().__init__(*parts, directory=str(folder))

        def log_message(self, *parts):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in fetch.MNIST.files}
        address = f"http://127.0.0.1:{serving.server_port}/"
        monkeypatch.setattr(LOAD, "MNIST", replace(fetch.MNIST, address=address, files=sums))
        yield folder
        serving.shutdown()
        thread.join()


def test_what_is_missing_is_fetched_once(server, tmp_path):
    told: list[str] = []
    folder = tmp_path / "cache"
    first = load(Data(source=Mnist()), folder=folder, progress=told.append)
    assert (len(first.train), len(first.validation), len(first.test)) == (18, 2, 10)
    assert len(told) == 4 and all(text.startswith("fetching http://127.0.0.1") for text in told)
    for path in server.iterdir():
        assert (folder / "mnist" / path.name).read_bytes() == path.read_bytes()
        path.unlink()
    again = load(Data(source=Mnist()), folder=folder, progress=told.append)
    np.testing.assert_array_equal(again.train.x, first.train.x)
    assert len(told) == 4


def test_only_the_missing_file_is_fetched(server, tmp_path):
    told: list[str] = []
    load(Data(source=Mnist()), folder=tmp_path)
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    load(Data(source=Mnist()), folder=tmp_path, progress=told.append)
    assert [text.rpartition("/")[2] for text in told] == ["t10k-labels-idx1-ubyte.gz"]


def test_a_wrong_checksum_is_told_and_nothing_is_kept(server, tmp_path):
    (server / "train-labels-idx1-ubyte.gz").write_bytes(b"<html>log in first</html>")
    found = problem(Mnist(), tmp_path / "cache")
    assert found.code == "CNN406" and "train-labels-idx1-ubyte.gz has another checksum" in found.message
    assert [path.name for path in (tmp_path / "cache" / "mnist").iterdir()] == ["train-images-idx3-ubyte.gz"]


def test_a_server_without_the_file(server, tmp_path):
    (server / "train-images-idx3-ubyte.gz").unlink()
    found = problem(Mnist(), tmp_path / "cache")
    assert found.code == "CNN402" and "404" in found.message and "into" in found.help
    assert not any((tmp_path / "cache" / "mnist").iterdir())


def test_no_server(tmp_path, monkeypatch):
    pytest.importorskip("pooch", reason="pooch fetches")
    nobody = replace(fetch.MNIST, address="http://127.0.0.1:9/")
    monkeypatch.setattr(LOAD, "MNIST", nobody)
    found = problem(Mnist(), tmp_path)
    assert found.code == "CNN402" and "fetching it failed" in found.message and "\n" not in found.message


def test_a_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert problem(Mnist(), tmp_path / "file").code == "CNN401"


@pytest.mark.parametrize("source", SOURCES)
def test_without_pooch_it_says_what_to_do(source, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    found = problem(source, tmp_path)
    assert found.code == "CNN402"
    assert (
        found.message == f"{source.word} is not in {tmp_path / source.word}, and without pooch it cannot be fetched"
    )
    assert 'pip install "cnnspec[data]"' in found.help and str(tmp_path) in found.help and ".gz" in found.help


def test_without_pillow_it_names_the_extra(tmp_path, monkeypatch):
    from cnnspec.settings.data import Images

    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.png").write_bytes(b"any")
    monkeypatch.setitem(sys.modules, "PIL", None)
    found = problem(Images(str(tmp_path)), tmp_path)
    assert found.code == "CNN403" and 'pip install "cnnspec[data]"' in found.help


@pytest.mark.parametrize(
    "system, variables, wanted",
    [
        ("linux", {"CNNSPEC_DATA": "/sets"}, "/sets"),
        ("linux", {"XDG_CACHE_HOME": "/x/cache"}, "/x/cache/cnnspec"),
        ("linux", {"XDG_CACHE_HOME": "from/here"}, "~/.cache/cnnspec"),  # its convention takes none but whole paths
        ("linux", {}, "~/.cache/cnnspec"),
        ("darwin", {}, "~/Library/Caches/cnnspec"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/cnnspec"),
        ("win32", {}, "~/AppData/Local/cnnspec"),
    ],
)
def test_where_sets_lie(monkeypatch, system, variables, wanted):
    for name in ("CNNSPEC_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", system)
    assert fetch.data_folder() == Path(wanted).expanduser()


def test_checksums_look_like_checksums_and_the_addresses_like_folders():
    for remote in (fetch.MNIST, fetch.FASHION_MNIST, fetch.CIFAR10):
        assert remote.address.startswith("http") and remote.address.endswith("/")
        assert all(len(bytes.fromhex(digest)) == 32 for digest in remote.files.values())


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")
@pytest.mark.parametrize("thing", ["a pipe", "a device", "a folder", "a broken link"])
@pytest.mark.parametrize("source", SOURCES)
def test_what_lies_in_the_way_of_a_file_is_named_and_not_waited_for(tmp_path, thing, source):
    remote = {remote.name: remote for remote in (fetch.MNIST, fetch.FASHION_MNIST, fetch.CIFAR10)}[source.word]
    place = tmp_path / source.word / next(iter(remote.files))
    place.parent.mkdir()
    match thing:
        case "a pipe":
            os.mkfifo(place)
        case "a device":
            place.symlink_to("/dev/zero")
        case "a folder":
            place.mkdir()
        case "a broken link":
            place.symlink_to("gone")
    told = problem(source, tmp_path)
    assert told.code == "CNN401" and str(place) in told.message


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes")
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("within", ["", "own"])
def test_a_folder_of_data_that_is_none_is_named(tmp_path, source, within):
    place = tmp_path / "data" / (source.word if within else "")
    place.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(place)
    told = problem(source, tmp_path / "data")
    assert told.message == f"{place} cannot be read: not a directory"
