// Chance that a seed decides, and parameters as they begin. (These functions are also put into the worker.)

// Random numbers in [0, 1): sfc32, seeded by one number; the first are left out, in which seeds still resemble each other.
function randomOf(seed) {
  let a = 0x9e3779b9, b = 0x243f6a88, c = seed >>> 0, d = 1;
  const next = () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (let k = 0; k < 15; k++) next();
  return next;
}

// The numbers of a parameter, [kind, number, shape] (ir/owned.py), drawn one after the other.
function drawnNumbers([kind, number, shape], random) {
  const size = shape.reduce((a, b) => a * b, 1);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  if (kind === "uniform") return Float32Array.from({ length: size }, () => (2 * random() - 1) * number);
  if (kind === "normal") return Float32Array.from({ length: size }, () => normal() * number);
  if (kind === "fill") return new Float32Array(size).fill(number);
  const long = Math.max(shape[0], size / shape[0]), few = size / long, rows = [];
  for (let k = 0; k < few; k++) { // Gram and Schmidt, twice, so that rounding leaves nothing
    const row = Float64Array.from({ length: long }, normal);
    for (const other of [...rows, ...rows]) {
      const share = row.reduce((sum, value, j) => sum + value * other[j], 0);
      for (let j = 0; j < long; j++) row[j] -= share * other[j];
    }
    const norm = Math.hypot(...row);
    rows.push(row.map((value) => value / norm));
  }
  const lies = shape[0] === few;
  return Float32Array.from({ length: size }, (_, k) => (lies ? rows[Math.floor(k / long)][k % long] : rows[k % few][Math.floor(k / few)]));
}
