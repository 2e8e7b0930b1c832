// The page's address says what is looked at, so that a link shows another browser the same:
//
//   #conv2[3,4,5]                          a number
//   #conv2[3,4,5]&example=2                of that example
//   #conv2[3,4,5]&view=gradients           its gradient
//   #conv2[3,4,5]&more=...                 what is one's own or changed, packed: { pixels, title, example, covers, set }
//
// Nothing of it is sent anywhere: what stands behind # stays in the browser.

const LONGEST = 12000; // characters of an address; what would be longer is left out
const MOST_NUMBERS = 2000; // changed numbers that an address holds

// known: what stood behind # when it was last written or followed
const address = { timer: 0, asked: 0, followed: 0, known: "" };

// Write the address a little later: browsers refuse one that changes with every key press. One that somebody
// wrote in the meantime is not lost: it is about to be followed.
function tellAddress() {
  window.clearTimeout(address.timer);
  address.timer = window.setTimeout(async () => {
    const asked = ++address.asked, text = await addressNow();
    if (asked !== address.asked || window.location.hash !== address.known) return;
    window.history.replaceState(null, "", `#${text}`);
    address.known = window.location.hash;
    tellLab(text);
  }, 200);
}

// A page of a lab is a blob in its frame; the lab puts its place into a link, and asks for it then. An answer is `asked`:
// null where nothing is chosen yet.
function tellLab(place, asked = false) {
  const { protocol, origin } = window.location;
  if (protocol === "blob:" && window.parent !== window) window.parent.postMessage({ place, asked }, origin === "null" ? "*" : origin);
}

window.addEventListener("message", async ({ source, data }) => {
  if (source === window.parent && source !== window && data === "place") tellLab(chosen.layer ? await addressNow() : null, true);
});

async function addressNow() {
  const { layer, place, example, view } = chosen, parts = [placeName(layer, place)];
  const base = example.base || example, k = content.examples.indexOf(base);
  if (k > 0) parts.push(`example=${k}`);
  if (view !== "values") parts.push(`view=${view}`);
  const more = {}, set = changedNumbers();
  if (k < 0) Object.assign(more, { pixels: base64Of(base.pixels), title: base.title });
  if (example.covers) more.covers = example.covers;
  if (set) more.set = set;
  const packed = Object.keys(more).length ? await pack(more) : "";
  const told = byId("link-note"), fits = packed.length <= LONGEST && set !== null;
  told.textContent = fits ? "" : "This is too much for a link: it shows the same number, not what is your own.";
  if (packed && fits) parts.push(`more=${packed}`);
  return parts.join("&");
}

// The numbers of parameters that are others than the page came with: { name: [[place, number], ...] }; none as
// undefined, more than fit as null.
function changedNumbers() {
  const set = {};
  let count = 0;
  for (const [full, original] of Object.entries(looked.original)) {
    const now = looked.parameters[full], found = [];
    for (let k = 0; k < now.length; k++) if (now[k] !== original[k]) found.push([k, now[k]]);
    count += found.length;
    if (found.length) set[full] = found.slice(0, MOST_NUMBERS);
  }
  if (count > MOST_NUMBERS) return null;
  return count ? set : undefined;
}

// What an address asks for; null where it names no layer.
function readAddress() {
  let text = window.location.hash.slice(1);
  try {
    text = decodeURIComponent(text);
  } catch {
    return null;
  }
  const [first, ...rest] = text.split("&"), given = Object.fromEntries(rest.map((part) => part.split(/=(.*)/s, 2)));
  const match = first.match(/^(.+?)(?:\[([\d,]+)\])?$/), layer = match && layers.get(match[1]);
  if (!layer) return null;
  const index = match[2] ? match[2].split(",").map(Number) : [];
  const place = layer.rank === 3 ? index : layer.rank === 2 ? [index[0], 0, index[1]] : [index[0], 0, 0];
  const inside = index.length === layer.rank && place.every((k, axis) => k < layer.shape[axis]);
  const example = content.examples[Number(given.example)] || null;
  return { layer, place: inside ? place : null, example, view: given.view === "gradients" ? "gradients" : "values", more: given.more };
}

// Show what the address asks for; tells whether it names a layer.
async function followAddress() {
  const asked = readAddress(), turn = ++address.followed;
  address.known = window.location.hash;
  address.asked++; // what was about to be written is out of date
  window.clearTimeout(address.timer);
  if (!asked) return false;
  let example = asked.example || (asked.more ? content.examples[0] : null);
  if (asked.more) example = await unpackExample(asked.more, example);
  if (turn !== address.followed) return true; // a later address is followed
  showView(asked.view);
  if (example && (example !== chosen.example || !isUpToDate(example))) await showExample(example);
  if (turn !== address.followed) return true;
  choose(asked.layer.name);
  if (asked.place) {
    chosen.place = asked.place;
    showPlace();
  }
  return true;
}

// The example that a link carries, its changes made; the base where the link is damaged.
async function unpackExample(packed, base) {
  try {
    const { pixels, title, covers = [], set = {} } = await unpack(packed);
    let example = pixels ? ownExample(bytesOf(pixels), String(title)) : base;
    await look(example);
    for (const [full, found] of Object.entries(set)) {
      if (!Object.hasOwn(looked.parameters, full)) continue;
      const before = looked.parameters[full], after = before.slice();
      for (const [k, number] of found) if (Number.isInteger(k) && k >= 0 && k < after.length && Number.isFinite(number)) after[k] = number;
      keepStep(`numbers of ${full}, from the link`, () => useParameter(full, before));
      useNumbers(full, after);
    }
    for (const [name, rows, columns] of covers) {
      await look(example);
      const [, height, width] = layers.get(name).shape, within = ([first, end], size) => [first, end].every(Number.isInteger) && first >= 0 && end <= size;
      if (layers.get(name).kind === "input" && within(rows, height) && within(columns, width)) example = coveredPart(example, name, rows, columns);
    }
    return example;
  } catch {
    byId("link-note").textContent = "The rest of this link cannot be read: it was cut short, or is of another page.";
    return base;
  }
}

// ---- JSON as a piece of an address: deflated, in base64 for addresses ------------------------------------

async function pack(told) {
  const stream = new Blob([JSON.stringify(told)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  return base64Of(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function unpack(text) {
  const bytes = bytesOf(text.replaceAll("-", "+").replaceAll("_", "/"));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return JSON.parse(await new Response(stream).text());
}

function base64Of(data) {
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return btoa(text);
}

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
