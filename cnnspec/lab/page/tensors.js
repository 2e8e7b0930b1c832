// Weights as the bytes of a safetensors file, and as the few that a link has room for: whole numbers of 4 to 16 bits
// with a scale for each matrix or kernel; vectors (biases, scales, statistics) stay float32.

const VECTOR = 1; // axes of what stays as it is
const PACKED = 1; // how they are packed: the first byte

// name -> float32 numbers.
function readTensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset), length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))), found = new Map();
  for (const [name, told] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [start, end] = told.data_offsets.map((at) => 8 + length + at);
    found.set(name, new Float32Array(bytes.slice(start, end).buffer));
  }
  return found;
}

// Rows [name, shape, float32 numbers] as such bytes.
function writeTensors(rows) {
  const header = {};
  let at = 0;
  for (const [name, shape, numbers] of rows) header[name] = { dtype: "F32", shape, data_offsets: [at, (at += numbers.byteLength)] };
  const text = new TextEncoder().encode(JSON.stringify(header)), bytes = new Uint8Array(8 + text.length + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  at = 8 + text.length;
  for (const [, , { buffer, byteOffset, byteLength }] of rows) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return bytes;
}

const sizeOfShape = (shape) => shape.reduce((a, b) => a * b, 1);

// How many bytes the parameters `begin`, name -> [kind, number, shape], take with so many bits for each matrix.
const packedSize = (begin, bitsOf) => Object.entries(begin).reduce((sum, [name, [, , shape]]) =>
  sum + (shape.length > VECTOR ? 5 + sizeOfShape(shape) * (bitsOf(name) > 8 ? 2 : 1) : 4 * sizeOfShape(shape)), 1);

// A matrix is a byte (whether its numbers take one byte or two), a scale, and whole numbers; what fewer bits spare is
// spared by the deflation after it.
function packWeights(begin, tensors, bitsOf) {
  const bytes = new Uint8Array(packedSize(begin, bitsOf)), view = new DataView(bytes.buffer);
  let at = 1;
  bytes[0] = PACKED;
  const put = (set, size, value) => {
    view[set](at, value, true);
    at += size;
  };
  for (const [name, [, , shape]] of Object.entries(begin)) {
    const numbers = tensors.get(name), matrix = shape.length > VECTOR, bits = bitsOf(name), size = bits > 8 ? 2 : 1;
    const scale = (largestOf(numbers) || 1) / (2 ** (bits - 1) - 1);
    if (matrix) {
      put("setUint8", 1, size);
      put("setFloat32", 4, scale);
    }
    for (const number of numbers) {
      if (!matrix) put("setFloat32", 4, number);
      else put(`setInt${8 * size}`, size, Math.round(number / scale));
    }
  }
  return bytes;
}

// What was packed, as rows of a safetensors file; null where it is of other parameters, or has a number that is none.
function unpackWeights(begin, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 1, right = bytes[0] === PACKED;
  const take = (get, size) => {
    right &&= at + size <= bytes.length;
    const value = right ? view[get](at, true) : 0;
    at += size;
    right &&= Number.isFinite(value);
    return value;
  };
  const rows = Object.entries(begin).map(([name, [, , shape]]) => {
    const matrix = shape.length > VECTOR, size = matrix ? take("getUint8", 1) : 4, scale = matrix ? take("getFloat32", 4) : 1;
    right &&= [1, 2, 4].includes(size) && at + size * sizeOfShape(shape) <= bytes.length;
    if (!right) return null;
    const next = () => (matrix ? scale * take(`getInt${8 * size}`, size) : take("getFloat32", 4));
    return [name, shape, Float32Array.from({ length: sizeOfShape(shape) }, next)];
  });
  return right && at === bytes.length ? rows : null;
}
