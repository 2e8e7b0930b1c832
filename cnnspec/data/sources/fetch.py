"""The well-known sets: where they lie, and how they come there.

A set is looked for in a folder of its name and in the folder itself, which is the one that was given, else
`$CNNSPEC_DATA`, else the user's cache. What is missing is fetched by pooch, where that is installed, and
kept only if its checksum is right.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ... import cache
from ...diagnostics import Fault
from ...plain_files import open_regular
from ..files import unreadable

Progress = Callable[[str], object]


@dataclass(frozen=True)
class Remote:
    """A set of files on the network: the address of their folder, and the SHA-256 of each."""

    name: str
    address: str
    files: dict[str, str]


MNIST = Remote(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
)
FASHION_MNIST = Remote(
    "fashion_mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    {
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
)
CIFAR10 = Remote(
    "cifar10",
    "https://www.cs.toronto.edu/~kriz/",
    {"cifar-10-binary.tar.gz": "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
)


def data_folder() -> Path:
    """Where sets lie unless a folder is given: `$CNNSPEC_DATA`, else the user's cache."""
    if told := os.environ.get("CNNSPEC_DATA"):
        return Path(os.path.expanduser(told))
    return cache.folder()


def find(remote: Remote, folder: Path, progress: Progress | None = None) -> dict[str, Path]:
    """The set's files by name, fetched where they are missing."""
    own = folder / remote.name
    for place in (own, folder):
        # unpacked files serve as well
        found = {name: _either(place / name) for name in remote.files}
        if all(map(os.path.isfile, found.values())):
            return found
    missing = [name for name in remote.files if not os.path.isfile(_either(own / name))]
    for name in missing:
        _ensure_absent(folder, own, own / name)
        if progress:
            progress(f"fetching {remote.address}{name}")
        fetch(remote, name, own)
    return {name: _either(own / name) for name in remote.files}


def _ensure_absent(*paths: Path) -> None:
    """Raise a Fault where something that is neither folder nor file is in the way of a file to be fetched.

    It would be opened, to compare its checksum, and a named pipe waited for.
    """
    *folders, file = paths
    try:
        for folder in folders:
            if os.path.lexists(folder) and not os.path.isdir(folder):
                os.scandir(folder).close()
        if os.path.lexists(file):
            open_regular(file).close()
    except OSError as error:
        raise unreadable(Path(error.filename or file), error) from None


def _either(path: Path) -> Path:
    """The path as it is or, where there is no such file, without its `.gz`."""
    plain = path.with_suffix("") if path.suffix == ".gz" and not path.name.endswith(".tar.gz") else path
    return plain if os.path.isfile(plain) and not os.path.isfile(path) else path


def fetch(remote: Remote, name: str, folder: Path) -> None:
    """Bring one file into a folder; it appears there only when it is whole and its checksum is right."""
    files = " and ".join(remote.files)
    try:
        import pooch
    except ModuleNotFoundError:
        raise Fault.of(
            "CNN402", "source", case="pooch", name=remote.name, folder=folder, files=files, address=remote.address
        ) from None
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            remote.address + name, f"sha256:{remote.files[name]}", fname=name, path=folder,
            downloader=pooch.HTTPDownloader(timeout=30),
        )  # fmt: skip
    except ValueError:
        raise Fault.of("CNN406", "source", name=name, folder=folder, files=files, address=remote.address) from None
    except Exception as error:  # any error of the network, the server or the disk
        reason = str(error).split("\n")[0][:200]
        raise Fault.of(
            "CNN402", "source", name=remote.name, folder=folder, files=files, address=remote.address, reason=reason
        ) from error
