// Masks of one's own: beside a folder `images` one called `masks`, with a picture of the same name for each. A class is a
// colour; classes are numbered from the darkest colour on.

const MOST_COLOURS = 64;

const stemOf = (file) => file.name.replace(/\.[^.]*$/, "");

// Pairs { file, mask } of a folder's files; none where it has no folder of masks.
function pairsOf(files) {
  const masks = new Map(files.filter((file) => folderOf(file) === "masks").map((file) => [stemOf(file), file]));
  return files.flatMap((file) => (folderOf(file) === "images" && masks.has(stemOf(file)) ? [{ file, mask: masks.get(stemOf(file)) }] : []));
}

// The masks of pairs as they are, { width, height, colours: a number for each pixel }; null of one that cannot be read.
async function readMasks(pairs) {
  const read = [];
  for (const { mask } of pairs) {
    const picture = await createImageBitmap(mask).catch(() => null);
    if (!picture) {
      read.push(null);
      continue;
    }
    const { width, height } = picture, brush = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    brush.drawImage(picture, 0, 0);
    picture.close();
    const { data } = brush.getImageData(0, 0, width, height);
    read.push({ width, height, colours: Uint32Array.from({ length: width * height }, (_, k) => (data[4 * k] << 16) | (data[4 * k + 1] << 8) | data[4 * k + 2]) });
    if (read.length % 50 === 0) say(`Reading masks: ${read.length} of ${pairs.length} ...`);
  }
  return read;
}

// The colours of masks, the darkest first.
function coloursOf(masks) {
  const found = new Set(), light = (colour) => (colour >> 16) + ((colour >> 8) & 255) + (colour & 255);
  for (const mask of masks) {
    for (const colour of mask?.colours ?? []) found.add(colour);
    if (found.size > MOST_COLOURS) throw new Error(`masks have more than ${MOST_COLOURS} colours: each class is one colour; pictures that lose something, as JPEG does, are no masks`);
  }
  return [...found].sort((a, b) => light(a) - light(b) || a - b);
}

const colourNamed = (colour) => `#${colour.toString(16).padStart(6, "0")}`;

// The classes of a mask's pixels at the network's size, cut as its picture is (fit.js), each pixel the nearest one.
function fittedMask({ width, height, colours }, classOf, [tall, wide]) {
  const part = Math.min(height / tall, width / wide), rows = Math.max(1, rounded(part * tall)), columns = Math.max(1, rounded(part * wide));
  const top = Math.floor((height - rows) / 2), left = Math.floor((width - columns) / 2), found = new Uint16Array(tall * wide);
  for (let i = 0; i < tall; i++) {
    for (let j = 0; j < wide; j++) {
      const y = top + Math.floor(((i + 0.5) * rows) / tall), x = left + Math.floor(((j + 0.5) * columns) / wide);
      found[i * wide + j] = classOf.get(colours[y * width + x]);
    }
  }
  return found;
}
