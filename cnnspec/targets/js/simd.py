"""Write `kernels/products.wat` and its bytes in `kernels/simd.js`: products of float32 matrices in SIMD.

    python -m cnnspec.targets.js.simd          # needs wasmtime, which assembles the text

Addresses and strides are in bytes, sizes in numbers; all matrices lie in one memory, rows of B and C are runs.

    product(A, row, column, B, ldb, C, ldc, M, K, N, P)     C[M,N] = A[M,K] · B[K,N]
        A[i,k] lies at A + i·row + k·column, so a transposed A costs nothing. Eight columns of B at a time are
        packed into P (room for 8·K + 32 numbers) and meet four rows of A: eight registers hold a tile of C.
    dots(A, lda, B, ldb, C, ldc, M, N, K)                   C[M,N] += A[M,K] · B[N,K]ᵀ
        four rows of A meet three of B: twelve registers hold four partial sums each.

What is left at the edges is done a row, or a column, at a time.
"""

from __future__ import annotations

from .wat import call, function, get, module, multiply_add, number, repeat, set_, step, where, write


def tile(rows: int) -> list[str]:
    """C[rows,8] = A[rows,K] · P[K,8]: two registers of four numbers for each row."""
    each = range(rows)
    kinds = {f"c{r}{v}": "v128" for r in each for v in (0, 1)} | {f"a{r}": "i32" for r in each}
    kinds |= dict.fromkeys(("b0", "b1", "x"), "v128")
    begin = [set_("a0", get("A"))] + [set_(f"a{r}", f"(i32.add {get(f'a{r - 1}')} {get('row')})") for r in each[1:]]
    sums = [set_("b0", f"(v128.load {get('P')})"), set_("b1", f"(v128.load offset=16 {get('P')})")]
    for r in each:
        sums += [
            set_("x", f"(v128.load32_splat {get(f'a{r}')})"),
            multiply_add(f"c{r}0", "x", "b0"),
            multiply_add(f"c{r}1", "x", "b1"),
            step(f"a{r}", get("column")),
        ]
    sums.append(step("P", number(32)))
    end = []
    for r in each:
        end += [f"(v128.store {get('C')} {get(f'c{r}0')})", f"(v128.store offset=16 {get('C')} {get(f'c{r}1')})"]
        end += [step("C", get("ldc"))] * (r < rows - 1)
    body = [*begin, *repeat("k", "K", sums), *end]
    return function(
        f"tile{rows}", "A row column P C ldc K", kinds, body, (tile.__doc__ or "").replace("rows", str(rows))
    )


def pack() -> list[str]:
    """P[K,8]: eight columns of B, or the last `width` and zeros."""
    whole = [
        f"(v128.store {get('P')} (v128.load {get('B')}))",
        f"(v128.store offset=16 {get('P')} (v128.load offset=16 {get('B')}))",
    ]
    nothing = "(v128.const f32x4 0 0 0 0)"
    at, source = f"(i32.add {get('P')} {get('i')})", f"(i32.add {get('B')} {get('i')})"
    some = [
        f"(v128.store {get('P')} {nothing})",
        f"(v128.store offset=16 {get('P')} {nothing})",
        set_("i", f"(i32.shl {get('width')} {number(2)})"),
        "(loop $one",
        "  " + set_("i", f"(i32.sub {get('i')} {number(4)})"),
        f"  (f32.store {at} (f32.load {source}))",
        f"  (br_if $one {get('i')}))",
    ]
    rows = [
        *where(f"(i32.eq {get('width')} {number(8)})", whole, some),
        step("P", number(32)),
        step("B", get("ldb")),
    ]
    return function("pack", "B ldb P K width", {"i": "i32"}, repeat("k", "K", rows), str(pack.__doc__))


def unpack() -> list[str]:
    """The first `width` columns of T[rows,8] into C."""
    to, source = f"(i32.add {get('C')} {get('i')})", f"(i32.add {get('T')} {get('i')})"
    row = [
        set_("i", f"(i32.shl {get('width')} {number(2)})"),
        "(loop $one",
        "  " + set_("i", f"(i32.sub {get('i')} {number(4)})"),
        f"  (f32.store {to} (f32.load {source}))",
        f"  (br_if $one {get('i')}))",
        step("T", number(32)),
        step("C", get("ldc")),
    ]
    return function("unpack", "T C ldc rows width", {"i": "i32"}, repeat("row", "rows", row), str(unpack.__doc__))


def product() -> list[str]:
    """C[M,N] = A[M,K] · B[K,N]"""
    kinds = dict.fromkeys(("m", "a", "c", "width", "rows", "T", "to", "by"), "i32")
    down = [
        set_("rows", f"(select {number(4)} {number(1)} (i32.ge_u {get('m')} {number(4)}))"),
        set_("to", get("c")),
        set_("by", get("ldc")),
        *where(f"(i32.lt_u {get('width')} {number(8)})", [set_("to", get("T")), set_("by", number(32))]),
        *where(
            f"(i32.eq {get('rows')} {number(4)})",
            [call("tile4", "a", "row", "column", "P", "to", "by", "K")],
            [call("tile1", "a", "row", "column", "P", "to", "by", "K")],
        ),
        *where(f"(i32.lt_u {get('width')} {number(8)})", [call("unpack", "T", "c", "ldc", "rows", "width")]),
        step("a", f"(i32.mul {get('row')} {get('rows')})"),
        step("c", f"(i32.mul {get('ldc')} {get('rows')})"),
    ]
    columns = [
        set_("width", f"(select {get('N')} {number(8)} (i32.lt_u {get('N')} {number(8)}))"),
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


def dots_tile(rows: int, columns: int) -> list[str]:
    """C[rows,columns] += A[rows,K] · B[columns,K]ᵀ: a register of four partial sums for each number."""
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
            found += [multiply_add(f"s{r}{c}", "x", f"y{c}") for c in range(columns)]
        return found + [step(name, number(size)) for name in kinds if name[0] in "ab"]

    for test, load, size in (("i32.shr_u", "v128.load", 16), ("i32.and", "v128.load32_zero", 4)):
        body.append(set_("k", f"({test} {get('K')} {number(2 if size == 16 else 3)})"))
        body += where(get("k"), repeat(f"of{size}", "k", sums(load, size)))
    for r, c in cells:
        lanes = [f"(f32x4.extract_lane {i} {get(f's{r}{c}')})" for i in range(4)]
        total = "(f32.add (f32.add {} {}) (f32.add {} {}))".format(*lanes)
        there = f"(f32.load offset={4 * c} {get('C')})"
        body.append(f"(f32.store offset={4 * c} {get('C')} (f32.add {there} {total}))")
        body += [step("C", get("ldc"))] * (c == columns - 1 and r < rows - 1)
    comment = str(dots_tile.__doc__).replace("rows", str(rows)).replace("columns", str(columns))
    return function(f"dots{rows}x{columns}", "A lda B ldb C ldc K", kinds, body, comment)


def dots() -> list[str]:
    """C[M,N] += A[M,K] · B[N,K]ᵀ"""
    kinds = dict.fromkeys(("n", "b", "c", "rows", "columns"), "i32")
    given = ("A", "lda", "b", "ldb", "c", "ldc", "K")

    def of(rows: int) -> list[str]:
        three, one = [call(f"dots{rows}x3", *given)], [call(f"dots{rows}x1", *given)]
        return where(f"(i32.eq {get('columns')} {number(3)})", three, one)

    along = [
        set_("columns", f"(select {number(3)} {number(1)} (i32.ge_u {get('n')} {number(3)}))"),
        *where(f"(i32.eq {get('rows')} {number(4)})", of(4), of(1)),
        step("b", f"(i32.mul {get('ldb')} {get('columns')})"),
        step("c", f"(i32.shl {get('columns')} {number(2)})"),
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


def text() -> str:
    """The module as WAT."""
    parts = [tile(4), tile(1), pack(), unpack(), product()]
    parts += [*(dots_tile(rows, columns) for rows in (4, 1) for columns in (3, 1)), dots()]
    return module("Products of matrices, written by simd.py, which says what the functions do.", parts)


if __name__ == "__main__":
    write(text(), "products.wat", "simd.js", "PRODUCTS")
