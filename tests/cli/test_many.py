"""Many files in one call: quick on all processors, and in memory that does not grow with them."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

QUIET = 0.06  # seconds of processor time for `import lark` where 1,000 files are to take at most 10 s

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="needs the memory of child processes"),
]


def spec(random_):
    """A spec of 100 lines, as people write them: comments, blocks, layers with settings, train and expect."""
    lines = [f"# experiment {random_.randrange(10**6)}", ""]
    lines += ["block unit(c, s = 1) = add( conv {c}x3x3 stride {s} pad 1 bias off -> bn -> relu"]
    lines += ["                       -> conv {c}x3x3 pad 1 bias off -> bn | conv {c}x1x1 stride {s} ) -> relu", ""]
    lines += ["input 3x64x64", f"conv {random_.choice([8, 16])}x3x3 pad same bias off -> bn -> relu  # stem"]
    while len(lines) < 85:
        channels = random_.choice([8, 16, 24, 32])
        choices = [
            f"  -> conv {channels}x3x3 pad same -> relu",
            f"  -> conv {channels}x3x3 pad same bias off -> bn -> relu",
            "",
            f"  # what follows is stage {len(lines)}",
            f"  -> unit({channels})",
            f"  -> dwconv 3x3 pad same bias off -> bn -> relu   # {len(lines)}",
            f"  # a remark, line {len(lines)}",
            f"  -> concat( conv {channels}x1x1 | conv {channels}x3x3 pad same -> relu ) as v{len(lines)}",
        ]
        lines.append(random_.choice(choices))
    lines += ["  -> gap -> dropout 20% -> dense 10 -> softmax", "", "train {", "  cost cross_entropy smoothing 10%"]
    lines += ["  optimiser sgd lr 0.1 momentum 0.9", "  schedule cosine warmup 1", "  epochs 20", "  batch 64", "}"]
    lines += ["", "data { source cifar10 ; validation 10% }", "", "expect {", "  params <= 90M", "}"]
    return "\n".join(lines) + "\n"


def check(folder):
    """Seconds that the whole command took on two processors, and its closing line.

    On a machine that others use as well, half of the processor time tells more than the clock.
    """
    before, spent = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        [sys.executable, "-m", "cnnspec", "check", str(folder), "--format", "concise", "--ignore", "CNN2"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, err = process.communicate()
    seconds, after = time.perf_counter() - before, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert process.returncode == 0, out[-500:] + err
    return min(seconds, (after.ru_utime + after.ru_stime - spent.ru_utime - spent.ru_stime) / 2), err


def slowness():
    """How much longer than on a quiet machine things take here and now, by a yardstick."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(5):
        subprocess.run([sys.executable, "-c", "import lark"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return max(1, (after.ru_utime + after.ru_stime - spent.ru_utime - spent.ru_stime) / 5 / QUIET)


def test_a_thousand_files_of_a_hundred_lines(tmp_path):
    random_ = random.Random(5)
    for i in range(1000):
        text = spec(random_)
        assert text.count("\n") == 100
        (tmp_path / f"{i:03}").mkdir()
        (tmp_path / f"{i:03}" / "net.cnn").write_text(text)
    seconds, said = check(tmp_path)
    assert said == "1000 files checked, nothing found\n"
    assert seconds <= 10 * slowness(), seconds


def test_memory_does_not_grow_with_the_number_of_files(tmp_path):
    """The same files over and over: what stays of each is a few hundred bytes."""
    program = (
        "import resource, sys\n"
        "from cnnspec.cli import run\n"
        "assert run(['check', sys.argv[1], '--quiet', '--ignore', 'CNN2']) == 0\n"
        "own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )

    def memory(count):
        folder = tmp_path / str(count)
        folder.mkdir()
        random_ = random.Random(5)
        for i in range(count):
            (folder / f"{i}.cnn").write_text(spec(random_))
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder)], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    few, many = memory(60), memory(480)
    assert many < 1.1 * few, (few, many)


def test_ctrl_c_ends_all_at_any_moment(tmp_path):
    """To the whole group of processes, as a terminal sends it: while workers start, work, and hand over."""
    random_ = random.Random(0)
    for k in range(400):
        (tmp_path / f"f{k}.cnn").write_text(spec(random_))
    slow = slowness()  # Python itself must have started: before, nobody is there to write a document
    for seconds in (0.3, 0.5, 0.7, 0.9, 1.2):
        process = subprocess.Popen(
            [sys.executable, "-m", "cnnspec", "check", str(tmp_path), "--format", "json"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        time.sleep(seconds * slow)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        if process.returncode != 1:  # on a quick machine it had ended
            assert process.returncode == 130, err
            assert [found["code"] for found in json.loads(out)["diagnostics"]][-1] == "CNN902"
        assert not err
