// Products of matrices and the memory that they lie in: plain JavaScript in any precision, WebAssembly in float32.

/** Arrays of a network, one behind the other in one memory, and the two products on them.
 *
 *    product(a, at, row, column, b, bAt, bRow, c, cAt, cRow, m, k, n)
 *        c[m][n] = a[m][k] · b[k][n]: a[i,l] is a[at + i·row + l·column], so a transposed a costs nothing
 *    dots(a, at, aRow, b, bAt, bRow, c, cAt, cRow, m, n, k)
 *        c[m][n] += a[m][k] · b[n][k]ᵀ
 *
 * All sizes, places and strides are in numbers; rows of b and c are runs. */
export class Room {
  constructor(bytes, Real, buffer = new ArrayBuffer(bytes)) {
    this.Real = Real;
    this.buffer = buffer;
    this.used = 0;
    this.tiny = Real === Float64Array ? 2 ** -1022 : 2 ** -126; // the smallest normal number
  }

  /** A new array of `count` zeros. */
  take(count, Type = this.Real) {
    const found = new Type(this.buffer, this.used, count);
    this.used += (found.byteLength + 63) & ~63;
    return found;
  }

  product(a, at, row, column, b, bAt, bRow, c, cAt, cRow, m, k, n) {
    for (let i = 0; i < m; i++) {
      const to = cAt + i * cRow;
      let l = 0;
      c.fill(0, to, to + n);
      for (; l + 3 < k; l += 4) { // four rows of b at a time: c is read and written a quarter as often
        const x = at + i * row + l * column, from = bAt + l * bRow;
        const x0 = a[x], x1 = a[x + column], x2 = a[x + 2 * column], x3 = a[x + 3 * column];
        for (let j = 0; j < n; j++) {
          const y = from + j;
          c[to + j] += x0 * b[y] + x1 * b[y + bRow] + x2 * b[y + 2 * bRow] + x3 * b[y + 3 * bRow];
        }
      }
      for (; l < k; l++) {
        const x = a[at + i * row + l * column], from = bAt + l * bRow;
        for (let j = 0; j < n; j++) c[to + j] += x * b[from + j];
      }
    }
  }

  dots(a, at, aRow, b, bAt, bRow, c, cAt, cRow, m, n, k) {
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        const x = at + i * aRow, y = bAt + j * bRow;
        let s = 0, t = 0, l = 0; // two of each: an addition waits for the one before it
        for (; l + 1 < k; l += 2) { s += a[x + l] * b[y + l]; t += a[x + l + 1] * b[y + l + 1]; }
        if (l < k) s += a[x + l] * b[y + l];
        c[cAt + i * cRow + j] += s + t;
      }
  }
}
