// Something of one's own to ask the network about: a drawing, or a picture from a file.

const PAD = 196; // pixels along a side of the pad
const PEN = 16; // how broad a stroke is there
const SMALL = 512; // pixels along the longer side that a picture of a file is brought to first

const own = { example: null, busy: false, again: null };

function showPad() {
  if (!content.own) return;
  byId("own").hidden = false;
  const pad = byId("pad"), pen = pad.getContext("2d", { willReadFrequently: true });
  pad.width = pad.height = PAD;
  Object.assign(pen, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "black" });
  const clear = () => {
    pen.fillStyle = "white";
    pen.fillRect(0, 0, PAD, PAD);
  };
  const at = (event) => {
    const { left, top, width, height } = pad.getBoundingClientRect();
    return [((event.clientX - left) / width) * PAD, ((event.clientY - top) / height) * PAD];
  };
  clear();
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...at(event));
    pen.lineTo(...at(event));
    pen.stroke();
    event.preventDefault();
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pad.hasPointerCapture(event.pointerId)) return;
    pen.lineTo(...at(event));
    pen.stroke();
    askAbout(pen.getImageData(0, 0, PAD, PAD), "your drawing");
  });
  pad.addEventListener("pointerup", () => askAbout(pen.getImageData(0, 0, PAD, PAD), "your drawing"));
  byId("clear").addEventListener("click", () => {
    clear();
    if (own.example) chooseExample(content.examples[0]);
    byId("example").value = "0";
  });
  byId("file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) askAbout(await pixelsOf(file), file.name);
  });
}

// The pixels of a picture's file, at most SMALL along its longer side; null where it is none.
async function pixelsOf(file) {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return null;
  const scale = Math.min(1, SMALL / Math.max(picture.width, picture.height));
  const canvas = element("canvas", { width: Math.max(1, Math.round(picture.width * scale)), height: Math.max(1, Math.round(picture.height * scale)) });
  const brush = canvas.getContext("2d");
  brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return brush.getImageData(0, 0, canvas.width, canvas.height);
}

// Fit an image and look at it; while the network is at work the newest image waits, others are left out.
async function askAbout(image, title) {
  const note = byId("fitted");
  if (!image) {
    note.textContent = `${title} is no picture that this browser can read.`;
    return;
  }
  if (own.busy) {
    own.again = [image, title];
    return;
  }
  const pixels = fittedTo(image, content.own);
  note.textContent = pixels ? content.own.says : "Nothing is drawn: all of it is of one grey.";
  if (!pixels) return;
  own.busy = true;
  if (!own.example) byId("example").append(element("option", { value: "own" }, "your own"));
  own.example = { title, label: null, known: false, pixels, seen: null };
  byId("example").value = "own";
  await chooseExample(own.example);
  own.busy = false;
  const again = own.again;
  own.again = null;
  if (again) askAbout(...again);
}
