"""What the texts of WebAssembly are written with, and how their bytes come into a script."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).parent / "kernels"
LINE = 108  # characters of a line of bytes in base64


def get(name: str) -> str:
    return f"(local.get ${name})"


def set_(name: str, value: str) -> str:
    return f"(local.set ${name} {value})"


def number(value: int) -> str:
    return f"(i32.const {value})"


def step(name: str, by: str) -> str:
    """A pointer goes on."""
    return set_(name, f"(i32.add {get(name)} {by})")


def call(name: str, *names: str) -> str:
    return f"(call ${name} {' '.join(map(get, names))})"


def repeat(label: str, counter: str, body: Iterable[str], by: str = "(i32.const 1)") -> list[str]:
    """The body again and again, until the counter is used up."""
    again = f"(br_if ${label} (local.tee ${counter} (i32.sub {get(counter)} {by})))"
    return [f"(loop ${label}", *indented(body), f"  {again})"]


def where(test: str, then: Iterable[str], otherwise: Iterable[str] = ()) -> list[str]:
    lines = [f"(if {test}", "  (then", *indented(indented(then))]
    lines[-1] += ")"
    if otherwise:
        lines += ["  (else", *indented(indented(otherwise))]
        lines[-1] += ")"
    lines[-1] += ")"
    return lines


def indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def function(name: str, parameters: str, kinds: dict[str, str], body: Iterable[str], comment: str) -> list[str]:
    """A function; `kinds` are the types of locals, by their names. One that begins with @ is exported.

    Parameters are i32 unless they say otherwise: `x count mean:f32`.
    """
    head = f'(export "{name[1:]}")' if name.startswith("@") else f"${name}"
    given = (one.partition(":") for one in parameters.split())
    taken = " ".join(f"(param ${parameter} {kind or 'i32'})" for parameter, _, kind in given)
    lines = [f";; {comment}", f"(func {head} {taken}"]
    lines += ["  " + " ".join(f"(local ${name} {kind})" for name, kind in kinds.items())] if kinds else []
    lines += indented(body)
    lines[-1] += ")"
    return ["", *lines]


def module(heading: str, functions: Iterable[list[str]]) -> str:
    """A module of functions on the memory of a room, as WAT."""
    lines = ['  (import "room" "memory" (memory 1))', *(line for part in functions for line in indented(part))]
    return "\n".join([f";; {heading}", "(module", *(line.rstrip() for line in lines)]) + ")\n"


def without_names(code: bytes) -> bytes:
    """A module without its custom sections: names, which one assembler writes and another does not."""
    stripped, at = code[:8], 8
    while at < len(code):
        start, kind, size, shift, at = at, code[at], 0, 0, at + 1
        while True:  # LEB128: seven bits of a byte, the eighth says whether more come
            size, shift, more, at = size | (code[at] & 127) << shift, shift + 7, code[at] & 128, at + 1
            if not more:
                break
        at += size
        stripped += code[start:at] if kind else b""
    return stripped


def write(text: str, wat: str, script: str, literal: str) -> None:
    """Write a module's text into a file of `kernels/`, and its bytes into a literal of a script there."""
    import wasmtime

    (HERE / wat).write_text(text, encoding="utf-8")
    written = base64.b64encode(without_names(bytes(wasmtime.wat2wasm(text)))).decode()
    lines = [f"  '{written[start : start + LINE]}'" for start in range(0, len(written), LINE)]
    made = f"export const {literal} =\n" + " +\n".join(lines) + ";"
    before = (HERE / script).read_text(encoding="utf-8")
    after = re.sub(rf"export const {literal} =.*?;", made, before, flags=re.DOTALL)
    (HERE / script).write_text(after, encoding="utf-8")
