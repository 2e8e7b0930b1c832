// Something of one's own to ask the network about: a drawing, a picture from a file, or what the camera sees.

const PAD = 196; // pixels along a side of the pad
const PEN = 16; // how broad a stroke is there
const SMALL = 512; // pixels along the longer side that a picture of a file is brought to first

const own = { example: null, busy: false, again: null, file: null };

function showPad() {
  if (!content.own) return;
  byId("own").hidden = false;
  const pad = byId("pad"), pen = pad.getContext("2d", { willReadFrequently: true });
  pad.width = pad.height = PAD;
  Object.assign(pen, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "black" });
  const drawn = () => pen.getImageData(0, 0, PAD, PAD), empty = () => drawn().data.every((byte) => byte === 255);
  const white = () => {
    pen.fillStyle = "white";
    pen.fillRect(0, 0, PAD, PAD);
  };
  const down = (x, y) => {
    keep("a stroke");
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x, y);
    pen.stroke();
  };
  const on = (...places) => {
    for (const [x, y] of places) pen.lineTo(x, y);
    pen.stroke();
    askAbout(drawn(), "your drawing");
  };
  const up = () => askAbout(drawn(), "your drawing");
  const clear = () => {
    if (!empty()) keep("the pad cleared");
    white();
    if (chosen.wanted === own.example) showExample(content.examples[0]);
  };
  const at = (event) => {
    const { left, top, width, height } = pad.getBoundingClientRect();
    return [((event.clientX - left) / width) * PAD, ((event.clientY - top) / height) * PAD];
  };
  // A step of drawing, which can be undone: the pad as it was, and the example that was looked at.
  const keep = (what) => {
    const before = drawn(), example = chosen.example;
    keepStep(what, () => {
      pen.putImageData(before, 0, 0);
      return empty() ? showExample(example) : askAbout(before, "your drawing");
    });
  };
  white();
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    down(...at(event));
    event.preventDefault();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pad.hasPointerCapture(event.pointerId)) return;
    const between = event.getCoalescedEvents?.() ?? []; // moves that came since the last event
    on(...(between.length ? between : [event]).map(at));
  });
  pad.addEventListener("pointerup", up);
  penByKeys(pad, { down, on: (x, y) => on([x, y]), up, clear });
  byId("clear").addEventListener("click", clear);
  byId("file").addEventListener("change", async (event) => {
    const [file] = event.target.files, before = chosen.example;
    if (!file) return;
    own.file = file;
    const image = await pixelsOf(file);
    if (file !== own.file) return; // another one was chosen meanwhile
    if (await askAbout(image, file.name)) keepStep(`a picture from ${file.name}`, () => showExample(before));
    event.target.value = ""; // so that the same file can be chosen again
  });
  startCamera();
}

// The pixels of a picture's file, at most SMALL along its longer side; null where it is none.
async function pixelsOf(file) {
  const picture = await createImageBitmap(file).catch(() => null);
  return picture && pixelsOfPicture(picture, picture.width, picture.height);
}

function pixelsOfPicture(picture, width, height) {
  const scale = Math.min(1, SMALL / Math.max(width, height));
  const canvas = element("canvas", { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) });
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return brush.getImageData(0, 0, canvas.width, canvas.height);
}

// Fit an image and look at it; while the network is at work the newest image waits, others are left out. Tells whether
// it was an image.
async function askAbout(image, title) {
  const note = byId("fitted");
  if (!image) {
    note.textContent = `${title} is no picture that this browser can read.`;
    return false;
  }
  if (own.busy) {
    own.again = [image, title];
    return true;
  }
  const pixels = fittedTo(image, content.own);
  note.textContent = pixels ? content.own.says : "Nothing is drawn: all of it is of one grey.";
  if (!pixels) return false;
  own.busy = true;
  await showExample(ownExample(pixels, title)).finally(() => {
    own.busy = false;
  });
  const { again } = own; // nothing where something else was chosen meanwhile
  own.again = null;
  if (again) askAbout(...again);
  return true;
}

const ownExample = (pixels, title) => ({ title, label: null, known: false, pixels, seen: null });

// Look at an example: one of the page's, or one of one's own, which gets an entry in the list.
function showExample(example) {
  const k = content.examples.indexOf(example);
  if (k < 0) {
    let option = byId("example").querySelector("[value=own]");
    if (!option) byId("example").append((option = element("option", { value: "own" })));
    option.textContent = example.title;
    own.example = example;
  }
  byId("example").value = k < 0 ? "own" : String(k);
  own.again = null;
  return chooseExample(example);
}
