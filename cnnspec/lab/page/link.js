// A link that holds what is open: text, seed, view, what is looked at, and where they are few enough the weights as they
// are trained. It stays in the address behind #, which browsers send to nobody.
//
//   #lab=TEXT            deflated JSON, in base64 for addresses
//   #lab=TEXT.WEIGHTS    and deflated weights (tensors.js)

const MOST_TEXT = 200_000; // characters that a link may unfold to
const MOST_WEIGHTS = 100_000; // characters of the weights of a link: what browsers and mail let through
const LONG = 8_000; // characters of a link that is told to be long: some messengers cut it
const MOST_BYTES = 300_000; // that they may unfold to
const BITS = [16, 8, 6, 5, 4]; // of the numbers of a matrix

async function linkNow() {
  const { text, seed, view, lesson } = state;
  const kept = { text, seed, view, lesson: lesson?.name, image: Number(byId("watched").value) || 0, place: view === "look" ? await placeNow() : "" };
  const weights = await weightsNow();
  const told = await packed(new TextEncoder().encode(JSON.stringify(kept)));
  return { hash: `#lab=${told}${weights.text && `.${weights.text}`}`, said: weights.said };
}

const arrived = { weights: null, taking: null }; // of the link that the page was opened with, until its network has them

const packed = async (bytes) => base64(await deflated(bytes, "deflate-raw")).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const unpacked = (text) => bytesOf(text.replaceAll("-", "+").replaceAll("_", "/"));

// The weights of what is trained here, and what is said of them. All have 16 bits; as long as that is more than a link
// has room for, the matrix that takes the most has fewer.
async function weightsNow() {
  if (!(training.self?.steps || training.given) || training.of !== wantedKey()) return { text: "", said: "" };
  const { begin } = training.made, bits = new Map(), bitsOf = (name) => bits.get(name) ?? BITS[0];
  const matrices = Object.entries(begin).filter(([, [, , shape]]) => shape.length > VECTOR).map(([name, [, , shape]]) => [name, sizeOfShape(shape)]);
  const tooMany = { text: "", said: "The weights are too many for a link: it holds text and seed. Send the weights as a file." };
  if (packedSize(begin, () => BITS.at(-1)) > MOST_BYTES) return tooMany;
  const tensors = readTensors((await request("weights")).bytes);
  for (;;) {
    const text = packedSize(begin, bitsOf) > MOST_BYTES ? null : await packed(packWeights(begin, tensors, bitsOf));
    if (text !== null && text.length <= MOST_WEIGHTS) {
      const rough = [...bits].map(([name, few]) => `${name} to ${few} bits`).join(", ");
      return { text, said: rough ? `It holds the weights, ${rough}: answers may differ a little.` : "It holds the weights." };
    }
    const more = matrices.filter(([name]) => bitsOf(name) > BITS.at(-1)).sort((a, b) => b[1] * bitsOf(b[0]) - a[1] * bitsOf(a[0]))[0];
    if (!more) return tooMany;
    bits.set(more[0], BITS[BITS.indexOf(bitsOf(more[0])) + 1]);
  }
}

// Take the weights of a link, once its network is there.
async function takeWeights(bytes) {
  try {
    await ensureTrained();
    const rows = unpackWeights(training.made.begin, bytes);
    if (bytes !== arrived.weights) return; // another link is open by now
    if (!rows) throw new Error("they are of another network, or of another version of this page");
    await ensureTrained({ weights: writeTensors(rows) });
    if (training.data) training.accuracy = (await request("measure")).accuracy;
    showProgress();
    say("The weights are those of the link.");
  } catch (problem) {
    if (bytes === arrived.weights) say(`The weights of the link cannot be taken: ${problem.message}.`);
  }
}

// What a link holds, or null where it is none of ours: nothing of it is taken for granted.
async function linked(hash) {
  const [, given, weights] = hash.match(/^#lab=([\w-]+)(?:\.([\w-]+))?$/) || [];
  if (!given) return null;
  try {
    const text = new TextDecoder().decode(await unfolded(unpacked(given), MOST_TEXT));
    const kept = JSON.parse(text);
    if (typeof kept.text !== "string") return null;
    return {
      text: kept.text,
      seed: Number.isInteger(kept.seed) && kept.seed >= 0 && kept.seed < 2 ** 32 ? kept.seed : 1,
      view: VIEWS.includes(kept.view) ? kept.view : "drawing",
      lesson: typeof kept.lesson === "string" ? kept.lesson : "",
      image: Number.isInteger(kept.image) ? kept.image : 0,
      place: typeof kept.place === "string" ? kept.place : "",
      weights: weights ? await unfolded(unpacked(weights), MOST_BYTES) : null,
    };
  } catch {
    say("The link is damaged: it holds no spec.");
    return null;
  }
}

// What was deflated; no more than so many bytes of it, so that a few cannot fill the memory.
async function unfolded(bytes, most) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader(), pieces = [];
  let size = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    pieces.push(piece.value);
    size += piece.value.length;
    if (size > most) throw new Error("too long");
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

async function share() {
  const { hash, said } = await linkNow(), link = new URL(hash, given.server ? document.baseURI : document.location.href).href;
  window.history.replaceState(null, "", link);
  const long = link.length > LONG ? ` It has ${link.length.toLocaleString("en")} characters, which some messengers cut.` : "";
  const where = (there) => say(`The link is ${there}. ${said}${long}`.trim());
  const copied = navigator.clipboard?.writeText(link) ?? Promise.reject(new Error("a page of plain http has no clipboard"));
  await copied.then(() => where("in the clipboard and in the address"), () => where("in the address"));
}
