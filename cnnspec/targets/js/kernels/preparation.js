// How the images of the training were prepared.

/** Images as the training data have them, as the network sees them, channels first: x · scale + offset, channel by
 * channel, NaN being `fill`. Whole numbers from 0 to 255 are bytes, others floats; a network of bytes takes floats from
 * 0 to 1 for bytes over 255. `strides` tell how far apart neighbours along channels, rows and columns lie in x; without
 * them its channels are first. Of pictures, see `asBytes`. */
export function prepared(x, kept, shape) {
  const { stored, scale, offset, strides = null, fill = null, bytesAs = null } = kept, [channels, ...sides] = shape;
  if (isPicture(x) || (Array.isArray(x) && isPicture(x[0]))) {
    if (stored !== 'bytes' || sides.length !== 2 || (channels !== 1 && channels !== 3)) throw new Error(`the network takes no pictures, but ${shape.join('x')}`);
    return prepared(asBytes(Array.isArray(x) ? x : [x], kept, shape), { ...kept, strides: null }, shape);
  }
  const own = x instanceof Uint8Array || x instanceof Uint8ClampedArray;
  const bytes = own || (Array.isArray(x) && x.some((v) => v > 1) && x.every(Number.isInteger));
  if (stored === 'floats' && own && bytesAs === null) throw new Error('the network was trained on floats, and these are bytes');
  if (stored === 'bytes' && !bytes && !x.every((v) => v >= 0 && v <= 1))
    throw new Error('the network was trained on bytes: give those, or floats from 0 to 1');
  const [rows, columns] = sides.length === 2 ? sides : [1, sizeOf(sides)], size = channels * rows * columns;
  const [channel, row, column] = strides ?? [rows * columns, columns, 1];
  const grown = stored === 'bytes' ? (bytes ? 1 : 255) : own ? bytesAs : 1, out = new Float32Array(x.length);
  for (let from = 0, at = 0; at < x.length; from += size)
    for (let c = 0; c < channels; c++) {
      const factor = scale[scale.length > 1 ? c : 0] * grown, more = offset[offset.length > 1 ? c : 0];
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < columns; j++, at++) {
          const value = x[from + c * channel + i * row + j * column];
          out[at] = (fill && Number.isNaN(value) ? fill[c] : value) * factor + more;
        }
    }
  return out;
}
