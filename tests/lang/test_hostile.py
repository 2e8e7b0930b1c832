"""Files that mean harm: each a finding at its place, soon and without much memory."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time

import pytest
from pace import took_under
from sampled import sampled

from cnnspec.diagnostics import Source
from cnnspec.diagnostics.text import render
from cnnspec.lang import read

INPUT = "input 4\n"
LONG = 64 * 1024
# of processor time: one on an idle machine; machines that others use as well take up to four times as long
SECONDS = 4.0

HOSTILE = {
    "parentheses": (INPUT + "(" * 100_000 + "dense 2" + ")" * 100_000, "CNN007", (2, 31)),
    "parentheses of arithmetic": ("let a = " + "(" * 100_000 + "1" + ")" * 100_000, "CNN007", (1, 39)),
    "parentheses in a hole": (INPUT + "dense {" + "(" * 100_000 + "1" + ")" * 100_000 + "}", "CNN007", (2, 38)),
    "functions in a hole": (INPUT + "dense {" + "max(1," * 500 + "1" + ")" * 500 + "}", "CNN007", (2, 191)),
    "joins": (INPUT + "add(id|" * 10_000, "CNN007", (2, 214)),
    "a repetition": (INPUT + "(dense 4)*1000000000000", "CNN008", (2, 1)),
    "a repetition of nothing": (INPUT + "(id)*1000000000000", "CNN008", (2, 1)),
    "a repetition of an unknown word": (INPUT + "groupnormscalelogsoftmax*364k", "CNN201", (2, 1)),
    "repetitions of what has no value": (INPUT + "((dense {w})*300)*300", "CNN016", (2, 10)),
    "repetitions of repetitions": (INPUT + "(" * 20 + "id" + ")*1000" * 20, "CNN008", (2, 1)),
    "blocks of blocks": (
        "".join(f"block b{i + 1} = b{i} -> b{i}\n" for i in range(29)) + f"block b0 = id\n{INPUT}b29",
        "CNN008",
        (32, 1),
    ),
    "calls and parentheses": (
        "".join(f"block b{i + 1} = {'(' * 29}b{i}{')' * 29}\n" for i in range(25)) + f"block b0 = relu\n{INPUT}b25",
        "CNN007",
        None,
    ),
    "calls": (
        "".join(f"block b{i + 1} = b{i}\n" for i in range(2000)) + f"block b0 = relu\n{INPUT}b2000",
        "CNN021",
        None,
    ),
    "a long line": (INPUT + "relu -> " * 1_250_000, "CNN008", (2, 255_993)),
    "a long number": (INPUT + "dense " + "9" * 60_000, "CNN006", (2, 7)),
    "numbers that grow": ("let a = 10\n" + "let a = a * a\n" + INPUT + "dense {a * a}", "CNN019", (2, 5)),
    "NUL": ("\0" * LONG, "CNN011", (1, 1)),
    "minus signs": ("let a = " + "-" * LONG + "1\ndense 2 2", "CNN008", (1, 32_006)),
    "branches": ("input 1x8x8\nconcat(" + "|".join(["id"] * 15_000) + ")", "CNN008", (2, 1)),
    "braces": ("train {" * 9000, "CNN001", (1, 8)),
    "commas": (INPUT + "dense 4, " * 7000, "CNN003", (2, 8)),
    "closing parentheses": (")" * LONG, "CNN001", (1, 1)),
    "quotes": ('"\n' * (LONG // 2), "CNN004", (1, 1)),
    "arrows": (INPUT + "->" * (LONG // 2), "CNN001", (2, 1)),
    "unknown words": (INPUT + "foo -> " * 9000 + "relu", "CNN201", (2, 1)),
    "unknown chains": ("x\n" * 15_000, "CNN201", (1, 1)),
    "more than anyone has written": ("x\n" * (LONG // 2), "CNN008", (16_001, 1)),
    "settings": (INPUT + "dense 2\ntrain { " + "lr 1 ;" * 10_000 + "}", "CNN202", (3, 9)),
    "strange characters": ("→" * LONG, "CNN011", (1, 1)),
    "dots": (INPUT + "1." * (LONG // 2), "CNN005", (2, 1)),
    "question marks": (INPUT + "dense " + "?" * LONG, "CNN005", (2, 7)),
    "sizes": (INPUT + "dense " + "x".join(["9"] * (LONG // 2)), "CNN205", (2, 7)),
    "budgets": (INPUT + "dense 2\nexpect {" + "params <= 1 ;" * 5000 + "}", "CNN601", (3, 9)),
}


@pytest.mark.parametrize(("text", "code", "place"), sampled(HOSTILE.values(), 3, list(HOSTILE)))
def test_is_a_finding_at_its_place(text: str, code: str, place: tuple[int, int] | None) -> None:
    start = time.thread_time()
    found = read(Source("a.cnn", text)).diagnostics
    shown = render(found)
    assert took_under(SECONDS, start)
    assert len(shown) < 500_000
    matching = [each for each in found if each.code == code]
    assert matching, [each.code for each in found][:3]
    span = matching[0].span
    assert span is not None and place in (None, (span.line, span.column))


FINE = {
    "a long chain": INPUT + "relu -> " * 8000 + "dense 2",
    "many chains": INPUT + "relu as a\n" + "@a -> relu\n" * 5000,
    "many holes": INPUT + "dense {1 + 1} -> " * 3500 + "relu",
    "many calls of a net": INPUT + "net t = dense 4\n" + "t -> " * 10_000 + "relu",
    "many numbers": "".join(f"let a{i} = 1\n" for i in range(4000)) + "input 4\ndense 2",
    "a large image": "input 3x65536x65536\nconv 8x3x3 pad 60000 -> gap -> dense 2",
    "a long sum": "let a = " + "1 + " * 15_000 + "1\ninput 4\ndense {a}",
    "long comments": "#" * 60_000 + "\ninput 4\ndense 2 # " + "x" * 60_000,
}


@pytest.mark.parametrize("text", FINE.values(), ids=FINE.keys())
def test_long_and_right(text: str) -> None:
    start = time.thread_time()
    found = read(Source("a.cnn", text))
    assert took_under(SECONDS, start)
    assert not found.errors and found.spec is not None


def test_memory_stays_small() -> None:
    """The worst of them in a process of their own, which may use 200 MB."""
    program = textwrap.dedent("""
        import resource
        from pathlib import Path
        from cnnspec.diagnostics import Source
        from cnnspec.lang import read
        for text in (
            "input 4\\n" + "(" * 100_000, "input 4\\n(dense 4)*1000000000000",
            "input 4\\n" + "relu -> " * 1_250_000,
            "x\\n" * 32_768, "(" * 64_000, "{" * 64_000,
        ):
            assert read(Source("a.cnn", text)).errors
        status = Path("/proc/self/status")  # ru_maxrss counts what the process was before it became Python
        if status.exists():
            print(int(status.read_text().partition("VmHWM:")[2].split()[0]) // 1024)
        else:
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200
