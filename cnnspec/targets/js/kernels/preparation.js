// How the images of the training were prepared.

/** Images as the training data have them, as the network sees them: x · scale + offset, channel by channel. Whole
 * numbers from 0 to 255 are bytes, others floats; a network of bytes takes floats from 0 to 1 for bytes over 255. */
export function prepared(x, { stored, scale, offset }, [channels, ...sides]) {
  const bytes = x instanceof Uint8Array || x instanceof Uint8ClampedArray || (Array.isArray(x) && x.some((v) => v > 1) && x.every(Number.isInteger));
  if (stored === 'floats' && bytes) throw new Error('the network was trained on floats, and these are bytes');
  if (stored === 'bytes' && !bytes && !x.every((v) => v >= 0 && v <= 1))
    throw new Error('the network was trained on bytes: give those, or floats from 0 to 1');
  const pixels = sizeOf(sides), grown = stored === 'bytes' && !bytes ? 255 : 1, out = new Float32Array(x.length);
  for (let i = 0, at = 0; at < x.length; i = (i + 1) % channels) {
    const factor = scale[scale.length > 1 ? i : 0] * grown, more = offset[offset.length > 1 ? i : 0];
    for (const end = at + pixels; at < end; at++) out[at] = x[at] * factor + more;
  }
  return out;
}
