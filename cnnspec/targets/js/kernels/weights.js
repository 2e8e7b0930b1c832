// Weights as safetensors files hold them: the length of a header (8 bytes), the header as JSON, numbers behind it.

/** Arrays by name: { shape, numbers } of each. */
export function readWeights(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true)), found = new Map();
  if (!(start <= bytes.length)) throw new Error('these are not weights: the header is longer than the file');
  const header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  for (const [name, { dtype, shape, data_offsets: [from, to] = [] }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const Type = dtype === 'F32' ? Float32Array : dtype === 'F64' ? Float64Array : null;
    if (!Type) throw new Error(`${name} is of type ${dtype}: give weights in F32 or F64`);
    const size = shape.reduce((a, b) => a * b, 1) * Type.BYTES_PER_ELEMENT;
    if (!(from >= 0 && to - from === size && start + to <= bytes.length)) throw new Error(`${name} lies outside of the file`);
    found.set(name, { shape, numbers: new Type(bytes.slice(start + from, start + to).buffer) });
  }
  return found;
}

/** The bytes of a file of arrays [name, shape, numbers], which lie in it in their order. */
export function writeWeights(arrays) {
  const entries = [];
  let end = 0;
  for (const [name, shape, numbers] of arrays) {
    const dtype = numbers instanceof Float32Array ? 'F32' : 'F64';
    entries.push([name, { dtype, shape, data_offsets: [end, end += numbers.byteLength] }]);
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const start = 8 + Math.ceil(text.length / 8) * 8, bytes = new Uint8Array(start + end).fill(32, 8, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(text, 8);
  let at = start;
  for (const [, , numbers] of arrays) {
    bytes.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), at);
    at += numbers.byteLength;
  }
  return bytes;
}

/** The bytes that a text in base64 stands for. */
export function fromBase64(text) {
  const characters = atob(text), bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** The bytes of a file beside a module, in a page, in a worker and in Node. */
export async function readBeside(url) {
  if (url.protocol === 'file:' && typeof process !== 'undefined') {
    const { readFile } = await import('node:fs/promises');
    return new Uint8Array(await readFile(url));
  }
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} is not there: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
