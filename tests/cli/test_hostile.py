"""Files that nobody writes by accident: each is a finding at the right place, soon, in little memory."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SECONDS, MEGABYTES = 1.5, 200  # one on an idle machine
TIMES = 5  # that it may take longer, on a machine whose load comes and goes
QUIET = 0.2  # seconds that a check of one short file takes on a quiet machine; a busy one is given more
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs links, pipes and wait4")

HEAD = "input 4\n"


class Ended(NamedTuple):
    code: int
    found: list  # (code, row, column)
    seconds: float  # of processor time, which a busy machine does not stretch
    megabytes: float


# a process's largest size, as the system tells it to its parent, counts what it was before it became Python
# (a copy of the tests' own process), so it is asked from within
PROGRAM = """
import sys
from pathlib import Path
from cnnspec.cli import main
try:
    main()
except SystemExit as ended:
    code = ended.code
status = Path("/proc/self/status")
if status.exists():
    Path("peak").write_text(status.read_text().partition("VmHWM:")[2].split()[0])
sys.exit(code)
"""


def run(*arguments, cwd):
    """`cnnspec check` in a process of its own, with what it took."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "check", "--format", "json", "--output-file", "found.json", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = process.stderr.read().decode()
    process.stderr.close()
    assert "Traceback" not in said, said
    document = json.loads((cwd / "found.json").read_text())
    places = [(d["code"], d["location"]["row"], d["location"]["column"]) for d in document["diagnostics"]]
    peak = cwd / "peak"
    megabytes = int(peak.read_text()) / 1024 if peak.exists() else usage.ru_maxrss / 1024**2
    return Ended(process.returncode, places, usage.ru_utime + usage.ru_stime, megabytes)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Measures the seconds that a file with nothing wrong takes: start-up, which is held to a bound elsewhere."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "a.cnn").write_text(HEAD + "dense 4 -> softmax\n")

    def measure():
        ended = run("a.cnn", cwd=folder)
        assert ended.code == 0, ended
        return ended.seconds

    return measure


FILES = {
    "nested 100,000 deep": (HEAD + "(" * 100_000 + "relu" + ")" * 100_000, ("CNN007", 2, 31)),
    "nested and never closed": (HEAD + "add(" * 60_000, ("CNN007", 2, 124)),
    "holes within holes": (HEAD + "dense {" + "(" * 100_000 + "2" + ")" * 100_000 + "} -> softmaks", None),
    "minus signs without end": (HEAD + "dense {" + "-" * 100_000 + "2} -> softmaks", None),
    "a sum of 60,000 parts": (HEAD + "dense {" + "1+" * 60_000 + "1} -> softmaks", None),
    "a repetition of 10^12": (HEAD + "(dense 4)*1000000000000 -> softmax", ("CNN008", 2, 1)),
    "repetitions within repetitions": (HEAD + "((((relu)*1000)*1000)*1000)*1000 -> softmax", ("CNN008", 2, None)),
    "blocks that double thirty times": (
        "block b0 = relu\n"
        + "".join(f"block b{i + 1} = b{i}() -> b{i}()\n" for i in range(30))
        + HEAD
        + "b30() -> softmax\n",
        ("CNN008", None, None),
    ),
    "a line of 10 MB": (HEAD + "relu -> " * 1_300_000 + "softmax", ("CNN008", 2, None)),
    "a comment of 10 MB": (HEAD + "dense 4 -> softmax #" + "x" * 10_000_000, ("CNN008", 2, None)),
    "10 MB of line ends": ("\n" * 10_000_000, ("CNN008", None, 1)),
    "a name of 250,000 letters": (HEAD + "x" * 250_000, ("CNN201", 2, 1)),
    "a number of 5,000 digits": (HEAD + "dense " + "9" * 5_000 + " -> softmax", ("CNN006", 2, 7)),
    "a tower of powers": (
        "let a = 10000000000\n" + "let b = a*a\nlet c = b*b\nlet d = c*c\n" + HEAD + "dense {d}",
        ("CNN006", 2, 9),
    ),
    "thousands of mistakes": (HEAD + "rellu -> maxpol 2\n" * 6_000, ("CNN201", 2, 1)),
    "more than anyone has written": (HEAD + "rellu -> maxpol 2\n" * 14_000, ("CNN008", 6401, 10)),
    "20,000 stray characters": (HEAD + "§ " * 20_000, ("CNN011", 2, 1)),
    "a block that calls itself": ("block b = b()\n" + HEAD + "b()\n", ("CNN021", 1, 11)),
    "NUL": (HEAD + "dense 4 -> \0relu -> softmax", ("CNN011", 2, 12)),
    "CRLF": (HEAD.replace("\n", "\r\n") + "dense 4 -> rellu\r\n", ("CNN201", 2, 12)),
    "lone CR": ("input 4\rdense 4 -> rellu\r", ("CNN201", None, None)),
    "a byte order mark": ("\ufeff" + "dense 4 -> rellu", ("CNN201", 1, 12)),
    "marks that turn the text around": (HEAD + "dense 4 -> \u202erelu", ("CNN011", 2, 12)),
    "letters that look like others": (HEAD + "d\u0435nse 4 -> softmax", (None, 2, None)),
    "nothing at all": ("", ("CNN024", 1, 1)),
    "a quote without end": (HEAD + 'data { source npz "' + "x" * 100_000, (None, 2, None)),
}


def within_limits(name, cwd, bare):
    """Check a file, which takes neither long nor much memory.

    Processor time too grows where others use the machine's caches and memory: as much as that of a short check. As
    that load comes and goes, what took too long is measured again.
    """
    ended = run(name, cwd=cwd)
    for _ in range(TIMES):
        if ended.seconds < SECONDS:
            break
        start = bare()
        if ended.seconds - start < SECONDS * max(1, start / QUIET):
            break
        ended = run(name, cwd=cwd)
    else:
        pytest.fail(f"it takes {ended.seconds} s each time")
    assert ended.megabytes < MEGABYTES
    return ended


def fits(place, found):
    """Whether a finding is the one that was expected; None stands for anything."""
    return all(want in (None, have) for want, have in zip(place, found, strict=True))


@POSIX
@pytest.mark.parametrize("text, place", FILES.values(), ids=FILES)
def test_a_hostile_text(tmp_path, bare, text, place):
    (tmp_path / "a.cnn").write_bytes(text.encode())
    ended = within_limits("a.cnn", tmp_path, bare)
    assert ended.code == 1
    assert ended.found
    assert place is None or any(fits(place, found) for found in ended.found), ended.found[:5]


@POSIX
@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"input 4\ndense 4 -> \xff\xfe", ("CNN010", 2, 12)),
        ("input 4\né\n".encode() + b"\xc3(", ("CNN010", 3, 1)),
        ("input 4\n".encode("utf-16"), ("CNN010", 1, 1)),
        (b"\x80" * 1_000_000, ("CNN010", 1, 1)),
        (random.Random(0).randbytes(200_000), ("CNN010", None, None)),
    ],
    ids=["a stray byte", "half a character", "UTF-16", "nothing but such", "noise"],
)
def test_bytes_that_are_no_text(tmp_path, bare, data, place):
    (tmp_path / "a.cnn").write_bytes(data)
    ended = within_limits("a.cnn", tmp_path, bare)
    assert ended.code == 1 and len(ended.found) == 1
    assert fits(place, ended.found[0]), ended.found


def imports(path, *, more=""):
    return f'import "{path}"\n{HEAD}dense 4 -> softmax\n{more}'


@POSIX
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../secret.cnn", "CNN014"),
        ("sub/../../secret.cnn", "CNN014"),
        ("{root}/secret.cnn", "CNN014"),
        ("/etc/passwd", "CNN014"),
        ("leads-out.cnn", "CNN014"),
        ("folder-out/secret.cnn", "CNN014"),
        ("loop1.cnn", None),
        ("a.cnn", "CNN015"),
        ("back.cnn", "CNN015"),
        ("missing.cnn", "CNN013"),
        ("sub", "CNN013"),
        ("pipe.cnn", "CNN013"),
        ("bytes.cnn", "CNN010"),
        ("/dev/zero", "CNN014"),
        ("nul\0.cnn", None),
        ("x" * 5000 + ".cnn", None),
    ],
)
def test_imports_that_lead_astray(tmp_path, bare, path, code):
    folder = tmp_path / "nets"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.cnn").write_text("block secret = relu\n")
    (folder / "back.cnn").write_text('import "a.cnn"\nblock b = relu\n')
    (folder / "bytes.cnn").write_bytes(b"\xff")
    os.symlink("../secret.cnn", folder / "leads-out.cnn")
    os.symlink("..", folder / "folder-out")
    os.symlink("loop2.cnn", folder / "loop1.cnn")
    os.symlink("loop1.cnn", folder / "loop2.cnn")
    os.mkfifo(folder / "pipe.cnn")
    (folder / "a.cnn").write_text(imports(path.format(root=tmp_path)))
    ended = within_limits("a.cnn", folder, bare)
    assert ended.code == 1
    assert "secret" not in str(ended.found)
    assert code is None or code in [found[0] for found in ended.found], ended.found


@POSIX
@pytest.mark.parametrize("name", ["loop1.cnn", "pipe.cnn", "folder.cnn", "dangling.cnn"])
def test_paths_that_are_no_file(tmp_path, bare, name):
    os.symlink("loop2.cnn", tmp_path / "loop1.cnn")
    os.symlink("loop1.cnn", tmp_path / "loop2.cnn")
    os.symlink("nothing", tmp_path / "dangling.cnn")
    os.mkfifo(tmp_path / "pipe.cnn")
    (tmp_path / "folder.cnn").mkdir()
    ended = within_limits(name, tmp_path, bare)
    assert ended.code in (1, 2) and ended.found[0][0] in ("CNN009", "CNN903")
    assert ended.found[0][1:] == (1, 1)


@POSIX
def test_a_thousand_files_that_import_one_another(tmp_path, bare):
    for i in range(1000):
        (tmp_path / f"{i}.cnn").write_text(imports(f"{(i + 1) % 1000}.cnn"))
    ended = within_limits("0.cnn", tmp_path, bare)
    assert ended.code == 1
