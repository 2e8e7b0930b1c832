// A link that holds what is open: text, seed, view, what is looked at. It stays in the address behind #, which
// browsers send to nobody.

const MOST_TEXT = 200_000; // characters that a link may unfold to

async function linkNow() {
  const { text, seed, view, lesson } = state;
  const kept = { text, seed, view, lesson: lesson?.name, image: Number(byId("watched").value) || 0, place: view === "look" ? placeInside() : "" };
  const bytes = await deflated(new TextEncoder().encode(JSON.stringify(kept)), "deflate-raw");
  const packed = base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return `#lab=${packed}`;
}

// What a link holds, or null where it is none of ours: nothing of it is taken for granted.
async function linked(hash) {
  const packed = hash.match(/^#lab=([\w-]+)$/)?.[1];
  if (!packed) return null;
  try {
    const text = await unfolded(bytesOf(packed.replaceAll("-", "+").replaceAll("_", "/")));
    const kept = JSON.parse(text);
    if (typeof kept.text !== "string") return null;
    return {
      text: kept.text,
      seed: Number.isInteger(kept.seed) && kept.seed >= 0 && kept.seed < 2 ** 32 ? kept.seed : 1,
      view: VIEWS.includes(kept.view) ? kept.view : "drawing",
      lesson: typeof kept.lesson === "string" ? kept.lesson : "",
      image: Number.isInteger(kept.image) ? kept.image : 0,
      place: typeof kept.place === "string" ? kept.place : "",
    };
  } catch {
    say("The link is damaged: it holds no spec.");
    return null;
  }
}

// What was deflated; no more of it than a text may have, so that a few bytes cannot fill the memory.
async function unfolded(bytes) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader(), decoder = new TextDecoder();
  let text = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    text += decoder.decode(piece.value, { stream: true });
    if (text.length > MOST_TEXT) throw new Error("too long");
  }
  return text;
}

async function share() {
  const link = new URL(await linkNow(), given.server ? document.baseURI : document.location.href).href;
  window.history.replaceState(null, "", link);
  await navigator.clipboard?.writeText(link).then(() => say("The link is in the clipboard and in the address."), () => say("The link is in the address."));
}
