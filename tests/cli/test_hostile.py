"""Files that nobody writes by accident: each is a finding at the right place, soon, in little memory."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from pace import slowness

ROOT = Path(__file__).parents[2]
SECONDS, MEGABYTES = 1.5, 200  # one on an idle machine, without start-up, which is held to a bound elsewhere
TIMES = 5  # that it may take longer, on a machine whose load comes and goes
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs links, pipes and forks")

HEAD = "input 4\n"


class Ended(NamedTuple):
    code: int
    found: list  # (code, row, column)
    seconds: float  # of processor time, which a busy machine does not stretch
    megabytes: float


# Forks a process for each check, which has what every check imports and nothing that one made: a line of JSON in, a
# folder and arguments, and one out. A process's largest size, as the system tells it to its parent, may count what
# was before, so it is asked from within.
PROGRAM = """
import json, os, signal, sys
from pathlib import Path
from cnnspec.cli import main, run
Path("a.cnn").write_text("input 4\\ndense 4 -> softmax\\n")
assert run(["check", "--quiet", "a.cnn"]) == 0
for line in sys.stdin:
    folder, *arguments = json.loads(line)
    child = os.fork()
    if child == 0:
        code = 99
        try:
            signal.alarm(300)  # nothing waits for ever
            os.chdir(folder)
            os.dup2(os.open("said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
            sys.argv = ["cnnspec", "check", *arguments]
            main()
        except SystemExit as ended:
            code = ended.code or 0
            status = Path("/proc/self/status")
            if status.exists():
                Path("peak").write_text(status.read_text().partition("VmHWM:")[2].split()[0])
        finally:
            os._exit(code)
    _, status, usage = os.wait4(child, 0)
    mebibytes = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, mebibytes]), flush=True)
"""


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """`cnnspec check` of a file in a folder, in a process of its own, with what it took."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=tmp_path_factory.mktemp("parent"), env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    def run(name, folder):
        order = [str(folder), "--format", "json", "--output-file", "found.json", name]
        parent.stdin.write(json.dumps(order) + "\n")
        parent.stdin.flush()
        code, seconds, megabytes = json.loads(parent.stdout.readline())
        said = (folder / "said").read_text(errors="replace")
        assert "Traceback" not in said, said
        document = json.loads((folder / "found.json").read_text())
        places = [(d["code"], d["location"]["row"], d["location"]["column"]) for d in document["diagnostics"]]
        peak = folder / "peak"
        return Ended(code, places, seconds, int(peak.read_text()) / 1024 if peak.exists() else megabytes)

    def within_limits(name, folder):
        """It takes neither long nor much memory. What took too long is measured again, with the yardstick."""
        for _ in range(TIMES):
            ended = run(name, folder)
            if ended.seconds < SECONDS or ended.seconds < SECONDS * slowness():
                break
        else:
            pytest.fail(f"it takes {ended.seconds} s each time")
        assert ended.megabytes < MEGABYTES
        return ended

    yield within_limits
    parent.communicate()


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


def fits(place, found):
    """Whether a finding is the one that was expected; None stands for anything."""
    return all(want in (None, have) for want, have in zip(place, found, strict=True))


@POSIX
@pytest.mark.parametrize("text, place", FILES.values(), ids=FILES)
def test_a_hostile_text(tmp_path, check, text, place):
    (tmp_path / "a.cnn").write_bytes(text.encode())
    ended = check("a.cnn", tmp_path)
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
def test_bytes_that_are_no_text(tmp_path, check, data, place):
    (tmp_path / "a.cnn").write_bytes(data)
    ended = check("a.cnn", tmp_path)
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
def test_imports_that_lead_astray(tmp_path, check, path, code):
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
    ended = check("a.cnn", folder)
    assert ended.code == 1
    assert "secret" not in str(ended.found)
    assert code is None or code in [found[0] for found in ended.found], ended.found


@POSIX
@pytest.mark.parametrize("name", ["loop1.cnn", "pipe.cnn", "folder.cnn", "dangling.cnn"])
def test_paths_that_are_no_file(tmp_path, check, name):
    os.symlink("loop2.cnn", tmp_path / "loop1.cnn")
    os.symlink("loop1.cnn", tmp_path / "loop2.cnn")
    os.symlink("nothing", tmp_path / "dangling.cnn")
    os.mkfifo(tmp_path / "pipe.cnn")
    (tmp_path / "folder.cnn").mkdir()
    ended = check(name, tmp_path)
    assert ended.code in (1, 2) and ended.found[0][0] in ("CNN009", "CNN903")
    assert ended.found[0][1:] == (1, 1)


@POSIX
def test_a_thousand_files_that_import_one_another(tmp_path, check):
    for i in range(1000):
        (tmp_path / f"{i}.cnn").write_text(imports(f"{(i + 1) % 1000}.cnn"))
    ended = check("0.cnn", tmp_path)
    assert ended.code == 1
