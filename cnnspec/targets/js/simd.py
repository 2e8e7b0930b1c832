"""Write `kernels/products.wat`, `kernels/products64.wat` and their bytes in `kernels/simd.js`: products in SIMD.

    python -m cnnspec.targets.js.simd          # needs wasmtime, which assembles the text

Matrices are of float32, four numbers in a register, or of float64, two. Addresses and strides are in bytes, sizes
in numbers; all matrices lie in one memory, rows of B and C are runs.

    product(A, row, column, B, ldb, C, ldc, M, K, N, P)     C[M,N] = A[M,K] · B[K,N]
        A[i,k] lies at A + i·row + k·column, so a transposed A costs nothing. As many columns of B as fill two
        registers are packed into P (room for 32·K + 128 bytes) and meet four rows of A: eight registers hold a
        tile of C.
    dots(A, lda, B, ldb, C, ldc, M, N, K)                   C[M,N] += A[M,K] · B[N,K]ᵀ
        four rows of A meet three of B: twelve registers hold the partial sums of a number each.

What is left at the edges is done a row, or a column, at a time.
"""

from __future__ import annotations

from typing import NamedTuple

from .wat import call, function, get, module, number, repeat, set_, step, where, write


class Numbers(NamedTuple):
    """The numbers of matrices: their type, their bytes, and the files of the functions on them."""

    type: str
    size: int
    wat: str
    literal: str

    @property
    def lanes(self) -> int:
        """How many a register holds."""
        return 16 // self.size

    @property
    def width(self) -> int:
        """The columns of a tile."""
        return 2 * self.lanes

    @property
    def shift(self) -> int:
        """Of a count of numbers, to make it one of bytes."""
        return self.size.bit_length() - 1

    def load(self, how: str) -> str:
        """One number into a register: `splat` into each place, `zero` into the first."""
        return f"v128.load{8 * self.size}_{how}"

    def multiply_add(self, total: str, a: str, b: str) -> str:
        lanes = f"{self.type}x{self.lanes}"
        return set_(total, f"({lanes}.add {get(total)} ({lanes}.mul {get(a)} {get(b)}))")


FLOAT32 = Numbers("f32", 4, "products.wat", "PRODUCTS")
FLOAT64 = Numbers("f64", 8, "products64.wat", "PRODUCTS64")


def tile(of: Numbers, rows: int) -> list[str]:
    """C[rows,width] = A[rows,K] · P[K,width]: two registers for each row."""
    each = range(rows)
    kinds = {f"c{r}{v}": "v128" for r in each for v in (0, 1)} | {f"a{r}": "i32" for r in each}
    kinds |= dict.fromkeys(("b0", "b1", "x"), "v128")
    begin = [set_("a0", get("A"))] + [set_(f"a{r}", f"(i32.add {get(f'a{r - 1}')} {get('row')})") for r in each[1:]]
    sums = [set_("b0", f"(v128.load {get('P')})"), set_("b1", f"(v128.load offset=16 {get('P')})")]
    for r in each:
        sums += [
            set_("x", f"({of.load('splat')} {get(f'a{r}')})"),
            of.multiply_add(f"c{r}0", "x", "b0"),
            of.multiply_add(f"c{r}1", "x", "b1"),
            step(f"a{r}", get("column")),
        ]
    sums.append(step("P", number(32)))
    end = []
    for r in each:
        end += [f"(v128.store {get('C')} {get(f'c{r}0')})", f"(v128.store offset=16 {get('C')} {get(f'c{r}1')})"]
        end += [step("C", get("ldc"))] * (r < rows - 1)
    body = [*begin, *repeat("k", "K", sums), *end]
    comment = str(tile.__doc__).replace("rows", str(rows)).replace("width", str(of.width))
    return function(f"tile{rows}", "A row column P C ldc K", kinds, body, comment)


def one_by_one(of: Numbers, to: str, source: str) -> list[str]:
    """A run of `width` numbers, from its last to its first."""
    at, source = f"(i32.add {get(to)} {get('i')})", f"(i32.add {get(source)} {get('i')})"
    return [
        set_("i", f"(i32.shl {get('width')} {number(of.shift)})"),
        "(loop $one",
        "  " + set_("i", f"(i32.sub {get('i')} {number(of.size)})"),
        f"  ({of.type}.store {at} ({of.type}.load {source}))",
        f"  (br_if $one {get('i')}))",
    ]


def pack(of: Numbers) -> list[str]:
    """P[K,all]: columns of B for a tile, or the last `width` and zeros."""
    whole = [
        f"(v128.store {get('P')} (v128.load {get('B')}))",
        f"(v128.store offset=16 {get('P')} (v128.load offset=16 {get('B')}))",
    ]
    nothing = "(v128.const f32x4 0 0 0 0)"
    some = [
        f"(v128.store {get('P')} {nothing})",
        f"(v128.store offset=16 {get('P')} {nothing})",
        *one_by_one(of, "P", "B"),
    ]
    rows = [
        *where(f"(i32.eq {get('width')} {number(of.width)})", whole, some),
        step("P", number(32)),
        step("B", get("ldb")),
    ]
    comment = str(pack.__doc__).replace("all", str(of.width))
    return function("pack", "B ldb P K width", {"i": "i32"}, repeat("k", "K", rows), comment)


def unpack(of: Numbers) -> list[str]:
    """The first `width` columns of T[rows,all] into C."""
    row = [*one_by_one(of, "C", "T"), step("T", number(32)), step("C", get("ldc"))]
    comment = str(unpack.__doc__).replace("all", str(of.width))
    return function("unpack", "T C ldc rows width", {"i": "i32"}, repeat("row", "rows", row), comment)


def product(of: Numbers) -> list[str]:
    """C[M,N] = A[M,K] · B[K,N]"""
    kinds = dict.fromkeys(("m", "a", "c", "width", "rows", "T", "to", "by"), "i32")
    down = [
        set_("rows", f"(select {number(4)} {number(1)} (i32.ge_u {get('m')} {number(4)}))"),
        set_("to", get("c")),
        set_("by", get("ldc")),
        *where(f"(i32.lt_u {get('width')} {number(of.width)})", [set_("to", get("T")), set_("by", number(32))]),
        *where(
            f"(i32.eq {get('rows')} {number(4)})",
            [call("tile4", "a", "row", "column", "P", "to", "by", "K")],
            [call("tile1", "a", "row", "column", "P", "to", "by", "K")],
        ),
        *where(f"(i32.lt_u {get('width')} {number(of.width)})", [call("unpack", "T", "c", "ldc", "rows", "width")]),
        step("a", f"(i32.mul {get('row')} {get('rows')})"),
        step("c", f"(i32.mul {get('ldc')} {get('rows')})"),
    ]
    columns = [
        set_("width", f"(select {get('N')} {number(of.width)} (i32.lt_u {get('N')} {number(of.width)}))"),
        call("pack", "B", "ldb", "P", "K", "width"),
        set_("m", get("M")),
        set_("a", get("A")),
        set_("c", get("C")),
        *repeat("down", "m", down, get("rows")),
        step("B", number(32)),
        step("C", number(32)),
    ]
    body = [set_("T", f"(i32.add {get('P')} (i32.shl {get('K')} {number(5)}))")]
    body += repeat("columns", "N", columns, get("width"))
    return function("@product", "A row column B ldb C ldc M K N P", kinds, body, str(product.__doc__))


def dots_tile(of: Numbers, rows: int, columns: int) -> list[str]:
    """C[rows,columns] += A[rows,K] · B[columns,K]ᵀ: a register of partial sums for each number."""
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    kinds = {f"s{r}{c}": "v128" for r, c in cells} | {f"a{r}": "i32" for r in range(rows)}
    kinds |= {f"b{c}": "i32" for c in range(columns)} | {f"y{c}": "v128" for c in range(columns)}
    kinds |= {"x": "v128", "k": "i32"}
    body = []
    for name, base, by, count in (("a", "A", "lda", rows), ("b", "B", "ldb", columns)):
        body += [set_(f"{name}{i}", f"(i32.add {get(base)} (i32.mul {get(by)} {number(i)}))") for i in range(count)]

    def sums(load: str, size: int) -> list[str]:
        found = [set_(f"y{c}", f"({load} {get(f'b{c}')})") for c in range(columns)]
        for r in range(rows):
            found.append(set_("x", f"({load} {get(f'a{r}')})"))
            found += [of.multiply_add(f"s{r}{c}", "x", f"y{c}") for c in range(columns)]
        return found + [step(name, number(size)) for name in kinds if name[0] in "ab"]

    halvings = of.lanes.bit_length() - 1
    for test, count, load, size in (
        ("i32.shr_u", halvings, "v128.load", 16),
        ("i32.and", of.lanes - 1, of.load("zero"), of.size),
    ):
        body.append(set_("k", f"({test} {get('K')} {number(count)})"))
        body += where(get("k"), repeat(f"of{size}", "k", sums(load, size)))
    for r, c in cells:
        total, offset = f"({of.type}.load offset={of.size * c} {get('C')})", of.size * c
        lanes = [f"({of.type}x{of.lanes}.extract_lane {i} {get(f's{r}{c}')})" for i in range(of.lanes)]
        while len(lanes) > 1:
            lanes = [f"({of.type}.add {one} {other})" for one, other in zip(lanes[::2], lanes[1::2], strict=True)]
        body.append(f"({of.type}.store offset={offset} {get('C')} ({of.type}.add {total} {lanes[0]}))")
        body += [step("C", get("ldc"))] * (c == columns - 1 and r < rows - 1)
    comment = str(dots_tile.__doc__).replace("rows", str(rows)).replace("columns", str(columns))
    return function(f"dots{rows}x{columns}", "A lda B ldb C ldc K", kinds, body, comment)


def dots(of: Numbers) -> list[str]:
    """C[M,N] += A[M,K] · B[N,K]ᵀ"""
    kinds = dict.fromkeys(("n", "b", "c", "rows", "columns"), "i32")
    given = ("A", "lda", "b", "ldb", "c", "ldc", "K")

    def across(rows: int) -> list[str]:
        three, one = [call(f"dots{rows}x3", *given)], [call(f"dots{rows}x1", *given)]
        return where(f"(i32.eq {get('columns')} {number(3)})", three, one)

    along = [
        set_("columns", f"(select {number(3)} {number(1)} (i32.ge_u {get('n')} {number(3)}))"),
        *where(f"(i32.eq {get('rows')} {number(4)})", across(4), across(1)),
        step("b", f"(i32.mul {get('ldb')} {get('columns')})"),
        step("c", f"(i32.shl {get('columns')} {number(of.shift)})"),
    ]
    down = [
        set_("rows", f"(select {number(4)} {number(1)} (i32.ge_u {get('M')} {number(4)}))"),
        set_("n", get("N")),
        set_("b", get("B")),
        set_("c", get("C")),
        *repeat("along", "n", along, get("columns")),
        step("A", f"(i32.mul {get('lda')} {get('rows')})"),
        step("C", f"(i32.mul {get('ldc')} {get('rows')})"),
    ]
    return function(
        "@dots", "A lda B ldb C ldc M N K", kinds, repeat("down", "M", down, get("rows")), str(dots.__doc__)
    )


def text(of: Numbers) -> str:
    """The module as WAT."""
    parts = [tile(of, 4), tile(of, 1), pack(of), unpack(of), product(of)]
    parts += [*(dots_tile(of, rows, columns) for rows in (4, 1) for columns in (3, 1)), dots(of)]
    return module(
        f"Products of matrices of {of.type}, written by simd.py, which says what the functions do.", parts
    )


if __name__ == "__main__":
    for numbers in (FLOAT32, FLOAT64):
        write(text(numbers), numbers.wat, "simd.js", numbers.literal)
