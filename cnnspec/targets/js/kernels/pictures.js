// Pictures of any size, as a canvas gives them, as the numbers of an image.

/** Whether something is a picture of bytes red, green, blue, opacity: { width, height, data }, as ImageData is. */
export function isPicture(x) {
  return Boolean(x) && typeof x === 'object' && x.width > 0 && x.height > 0 && x.data?.length === 4 * x.width * x.height;
}

/** Pictures as bytes [n][c][h][w] of a network's sizes: laid on a colour, grey where c is 1, and resized as Pillow
 * does (to one step of 255) where the training's were; else they must have that size. */
export function asBytes(pictures, { size = null, background = [255, 255, 255] }, [channels, height, width]) {
  const out = new Uint8Array(pictures.length * channels * height * width);
  pictures.forEach((picture, k) => {
    if (!isPicture(picture)) throw new Error('some of these are pictures, and others are not');
    if (!(size || (picture.height === height && picture.width === width)))
      throw new Error(`the network takes pictures of ${height}x${width}, and this one is ${picture.height}x${picture.width}`);
    planesOf(picture, channels, background).forEach((plane, c) => {
      const resized = resizedPlane(plane, [picture.height, picture.width], [height, width]);
      out.set(resized, (k * channels + c) * height * width);
    });
  });
  return out;
}

/** The colours of a picture, or its grey (ITU-R 601, as Pillow weighs it), each [h][w]. */
export function planesOf({ data }, channels, background) {
  const pixels = data.length / 4, planes = Array.from({ length: channels }, () => new Float64Array(pixels));
  const laid = (at, c) => Math.round((data[at + c] * data[at + 3] + background[c] * (255 - data[at + 3])) / 255);
  for (let i = 0, at = 0; i < pixels; i++, at += 4) {
    if (channels === 1) planes[0][i] = (laid(at, 0) * 19595 + laid(at, 1) * 38470 + laid(at, 2) * 7471 + 32768) >> 16;
    else for (let c = 0; c < 3; c++) planes[c][i] = laid(at, c);
  }
  return planes;
}

/** x[h][w] -> [height][width], whole numbers: bilinear; made smaller, each pixel is the mean of those it covers. */
export function resizedPlane(x, [h, w], [height, width]) {
  if (h === height && w === width) return x;
  const down = coverage(h, height), across = coverage(w, width), narrow = new Float64Array(h * width), out = new Float64Array(height * width);
  for (let i = 0; i < h; i++)
    across.forEach(({ first, shares }, j) => {
      let sum = 0;
      for (let k = 0; k < shares.length; k++) sum += shares[k] * x[i * w + first + k];
      narrow[i * width + j] = sum;
    });
  down.forEach(({ first, shares }, i) => {
    for (let j = 0; j < width; j++) {
      let sum = 0;
      for (let k = 0; k < shares.length; k++) sum += shares[k] * narrow[(first + k) * width + j];
      out[i * width + j] = Math.min(255, Math.max(0, Math.round(sum)));
    }
  });
  return out;
}

/** Which of `count` pixels are in each of `wanted`, from the first on, and how much of it each is. */
export function coverage(count, wanted) {
  const ratio = count / wanted, reach = Math.max(ratio, 1);
  return Array.from({ length: wanted }, (_, k) => {
    const centre = (k + 0.5) * ratio - 0.5, first = Math.max(0, Math.ceil(centre - reach));
    const shares = [];
    for (let i = first; i <= Math.min(count - 1, centre + reach); i++) shares.push(Math.max(0, 1 - Math.abs(i - centre) / reach));
    const sum = shares.reduce((a, b) => a + b, 0);
    return { first, shares: shares.map((share) => share / sum) };
  });
}
