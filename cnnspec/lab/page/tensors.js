// Weights as the bytes of a safetensors file, and as the few that a link has room for: whole numbers of 16 or 8 bits
// with a scale for each matrix or kernel; vectors (biases, scales, statistics) stay float32.

const VECTOR = 1; // axes of what stays as it is

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

// How many bytes the parameters `begin`, name -> [kind, number, shape], take with whole numbers of so many bits.
const packedSize = (begin, bits) => Object.values(begin).reduce((sum, [, , shape]) =>
  sum + (shape.length > VECTOR ? 4 + (sizeOfShape(shape) * bits) / 8 : 4 * sizeOfShape(shape)), 1);

function packWeights(begin, tensors, bits) {
  const bytes = new Uint8Array(packedSize(begin, bits)), view = new DataView(bytes.buffer), most = 2 ** (bits - 1) - 1;
  let at = 1;
  bytes[0] = bits;
  const put = (set, size, value) => {
    view[set](at, value, true);
    at += size;
  };
  for (const [name, [, , shape]] of Object.entries(begin)) {
    const numbers = tensors.get(name), matrix = shape.length > VECTOR, scale = (largestOf(numbers) || 1) / most;
    if (matrix) put("setFloat32", 4, scale);
    for (const number of numbers) {
      if (!matrix) put("setFloat32", 4, number);
      else put(`setInt${bits}`, bits / 8, Math.round(number / scale));
    }
  }
  return bytes;
}

// What was packed, as rows of a safetensors file; null where it is of other parameters, or has a number that is none.
function unpackWeights(begin, bytes) {
  const bits = bytes[0], view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (![8, 16].includes(bits) || bytes.length !== packedSize(begin, bits)) return null;
  let at = 1, right = true;
  const take = (get, size) => {
    const value = view[get](at, true);
    at += size;
    right &&= Number.isFinite(value);
    return value;
  };
  const rows = Object.entries(begin).map(([name, [, , shape]]) => {
    const matrix = shape.length > VECTOR, scale = matrix ? take("getFloat32", 4) : 1;
    const next = () => (matrix ? scale * take(`getInt${bits}`, bits / 8) : take("getFloat32", 4));
    return [name, shape, Float32Array.from({ length: sizeOfShape(shape) }, next)];
  });
  return right ? rows : null;
}
