"""Write `kernels/runs.wat` and its bytes in `kernels/runs.js`: runs of float32 numbers in SIMD, four at a time.

    python -m cnnspec.targets.js.runs          # needs wasmtime, which assembles the text

Addresses are in bytes; a count of numbers is a multiple of 4, and not 0. Sums are taken in float64.

    moments(x, count, near, sums)
        sums[0] = Σ x - near, sums[1] = Σ (x - near)²
    affine(x, y, count, mean, scale, shift, least)
        y = max((x - mean) · scale + shift, least)
    affineAdd(x, add, y, count, mean, scale, shift, least)
        y = max((x - mean) · scale + shift + add, least)
    along(dy, x, count, mean, sums)
        sums[0] = Σ dy, sums[1] = Σ dy · (x - mean)
    across(dy, x, dx, count, mean, scale, a, b)
        dx = scale · (dy - a - (x - mean) · b)
    largest(x, below, y, n, count)
        y = the largest of each of `count` windows of 2x2, side by side, of n images; `below` is the lower row
    share(dy, y, x, below, dx, under, n, count)
        dx = dy at the first pixel of each window that is y, else 0; `under` is the lower row of dx
"""

from __future__ import annotations

from .wat import function, get, module, number, repeat, set_, step, write

LANES = 4
BYTES = 16  # of a register


def load(name: str) -> str:
    return f"(v128.load {get(name)})"


def splat(name: str, kind: str = "f32x4") -> str:
    return f"({kind}.splat {get(name)})"


def of(operation: str, *values: str) -> str:
    """An operation on locals by their names."""
    return f"({operation} {' '.join(map(get, values))})"


def each(names: str, body: list[str]) -> list[str]:
    """For every four numbers: `names` are the pointers that go along."""
    return repeat("run", "count", [*body, *(step(name, number(BYTES)) for name in names.split())], number(LANES))


def wide(half: str, name: str) -> str:
    """Two of four numbers in float64."""
    low = get(name)
    if half == "high":
        low = f"(i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 {low} {low})"
    return f"(f64x2.promote_low_f32x4 {low})"


def add(total: str, value: str) -> str:
    return set_(total, f"(f64x2.add {get(total)} {value})")


def store_sum(total: str, other: str, offset: int) -> list[str]:
    both = [f"(f64x2.extract_lane {lane} {of('f64x2.add', total, other)})" for lane in (0, 1)]
    return [f"(f64.store offset={offset} {get('sums')} (f64.add {both[0]} {both[1]}))"]


def moments() -> list[str]:
    """sums[0] = Σ x - near, sums[1] = Σ (x - near)²"""
    kinds = dict.fromkeys(("v", "w", "c", "s0", "s1", "q0", "q1"), "v128")
    body = [set_("v", load("x"))]
    for k, half in enumerate(("low", "high")):
        body += [
            set_("w", f"(f64x2.sub {wide(half, 'v')} {get('c')})"),
            add(f"s{k}", get("w")),
            add(f"q{k}", of("f64x2.mul", "w", "w")),
        ]
    lines = [
        set_("c", splat("near", "f64x2")),
        *each("x", body),
        *store_sum("s0", "s1", 0),
        *store_sum("q0", "q1", 8),
    ]
    return function("@moments", "x count near:f64 sums", kinds, lines, str(moments.__doc__))


def affine(added: bool) -> list[str]:
    """y = max((x - mean) · scale + shift, least)"""
    kinds = dict.fromkeys(("v", "m", "a", "b", "l"), "v128")
    given = {"m": "mean", "a": "scale", "b": "shift", "l": "least"}
    body = [
        set_("v", f"(f32x4.sub {load('x')} {get('m')})"),
        set_("v", f"(f32x4.add {of('f32x4.mul', 'v', 'a')} {get('b')})"),
        *[set_("v", f"(f32x4.add {get('v')} {load('add')})")] * added,
        f"(v128.store {get('y')} {of('f32x4.max', 'v', 'l')})",
    ]
    pointers = "x add y" if added else "x y"
    lines = [*(set_(name, splat(value)) for name, value in given.items()), *each(pointers, body)]
    parameters = f"{pointers} count mean:f32 scale:f32 shift:f32 least:f32"
    comment = str(affine.__doc__).replace("shift", "shift + add" if added else "shift")
    return function("@affineAdd" if added else "@affine", parameters, kinds, lines, comment)


def along() -> list[str]:
    """sums[0] = Σ dy, sums[1] = Σ dy · (x - mean)"""
    kinds = dict.fromkeys(("v", "g", "w", "h", "c", "s0", "s1", "q0", "q1"), "v128")
    body = [set_("v", load("x")), set_("g", load("dy"))]
    for k, half in enumerate(("low", "high")):
        body += [
            set_("h", wide(half, "g")),
            set_("w", f"(f64x2.sub {wide(half, 'v')} {get('c')})"),
            add(f"s{k}", get("h")),
            add(f"q{k}", of("f64x2.mul", "h", "w")),
        ]
    lines = [set_("c", splat("mean", "f64x2")), *each("dy x", body)]
    lines += [*store_sum("s0", "s1", 0), *store_sum("q0", "q1", 8)]
    return function("@along", "dy x count mean:f64 sums", kinds, lines, str(along.__doc__))


def across() -> list[str]:
    """dx = scale · (dy - a - (x - mean) · b)"""
    kinds = dict.fromkeys(("v", "m", "s", "p", "q"), "v128")
    given = {"m": "mean", "s": "scale", "p": "a", "q": "b"}
    body = [
        set_("v", f"(f32x4.mul (f32x4.sub {load('x')} {get('m')}) {get('q')})"),
        set_("v", f"(f32x4.sub (f32x4.sub {load('dy')} {get('p')}) {get('v')})"),
        f"(v128.store {get('dx')} {of('f32x4.mul', 'v', 's')})",
    ]
    lines = [*(set_(name, splat(value)) for name, value in given.items()), *each("dy x dx", body)]
    parameters = "dy x dx count mean:f32 scale:f32 a:f32 b:f32"
    return function("@across", parameters, kinds, lines, str(across.__doc__))


def windows(rows: tuple[str, ...], names: str, body: list[str]) -> list[str]:
    """For every window, for every four images: `names` go on with the images, `rows` over two pixels a window."""
    images = [*body, *(step(name, number(BYTES)) for name in (*names.split(), *rows))]
    return [
        set_("right", f"(i32.shl {get('n')} {number(2)})"),
        *repeat(
            "window",
            "count",
            [
                set_("left", get("n")),
                *repeat("image", "left", images, number(LANES)),
                *(step(name, get("right")) for name in rows),
            ],
        ),
    ]


def pixels(first: str, second: str) -> dict[str, str]:
    """Where the four pixels of a window lie, in reading order."""
    places = {}
    for k, name in enumerate((first, second)):
        places[str(2 * k)], places[str(2 * k + 1)] = get(name), f"(i32.add {get(name)} {get('right')})"
    return places


def largest() -> list[str]:
    """The largest of each 2x2 window."""
    a, b, c, d = (f"(v128.load {place})" for place in pixels("x", "below").values())
    top, bottom = f"(f32x4.pmax {a} {b})", f"(f32x4.pmax {c} {d})"
    lines = windows(("x", "below"), "y", [f"(v128.store {get('y')} (f32x4.pmax {top} {bottom}))"])
    kinds = dict.fromkeys(("right", "left"), "i32")
    return function("@largest", "x below y n count", kinds, lines, str(largest.__doc__))


def share() -> list[str]:
    """dy goes to the first pixel of each 2x2 window that is y, the last where no other is."""
    kinds = dict.fromkeys(("right", "left"), "i32") | dict.fromkeys(("g", "most", "taken", "mine"), "v128")
    read, made = pixels("x", "below"), pixels("dx", "under")
    body = [set_("g", load("dy")), set_("most", load("y")), set_("taken", "(v128.const i32x4 0 0 0 0)")]
    for k in "012":
        equal = f"(f32x4.eq (v128.load {read[k]}) {get('most')})"
        body += [
            set_("mine", f"(v128.andnot {equal} {get('taken')})"),
            f"(v128.store {made[k]} {of('v128.and', 'g', 'mine')})",
            set_("taken", of("v128.or", "taken", "mine")),
        ]
    body.append(f"(v128.store {made['3']} {of('v128.andnot', 'g', 'taken')})")
    lines = windows(("x", "below", "dx", "under"), "dy y", body)
    return function("@share", "dy y x below dx under n count", kinds, lines, str(share.__doc__))


def text() -> str:
    """The module as WAT."""
    parts = [moments(), affine(False), affine(True), along(), across(), largest(), share()]
    return module("Runs of numbers, written by runs.py, which says what the functions do.", parts)


if __name__ == "__main__":
    write(text(), "runs.wat", "runs.js", "RUNS")
