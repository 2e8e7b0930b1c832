// Data of one's own: a folder of images, a folder in it for each class, or a table with the class in its last column.
// They are read by the browser and stay in it.

const MOST_FILES = 5000; // images that are taken of a folder
const MOST_DATA = 1 << 28; // bytes of all of them, as the network sees them
const LARGER = 512; // pixels along the longer side that a picture is brought to first
const KEPT_FOR_TEST = 5; // every fifth of a class is not learnt from

const ownData = { files: [], table: null, unread: 0, stamp: 0, fitted: null, key: "" };

// What there is to learn from: { count, classes, said }, or null.
function ownTold() {
  if (ownData.table) return { classes: ownData.table.classes, shape: [ownData.table.columns, 1, 1], count: ownData.table.labels.length };
  if (ownData.files.length) return { classes: ownClasses(), shape: null, count: ownData.files.length };
  return null;
}

const folderOf = (file) => file.webkitRelativePath.split("/").at(-2) ?? "";
const ownClasses = () => [...new Set(ownData.files.map(folderOf))].sort();
const shapeNamed = (made, name) => made.told.layers.find((layer) => layer.name === name).shape;

// Why they do not fit a network; empty where they do.
function ownMisfit(made) {
  const { inputs, outputs } = made.told, { classes, shape } = ownTold();
  if (inputs.length !== 1 || outputs.length !== 1) return "this network has several inputs or outputs";
  const seen = shapeNamed(made, inputs[0]), answer = shapeNamed(made, outputs[0]);
  if (shape && String(shape) !== String(seen)) return `a row has ${counted(shape[0], "number")}: begin with \`input ${shape[0]}\``;
  if (!shape && ![1, 3].includes(seen[0])) return "images have 1 or 3 channels: begin with `input 1x28x28`, or `input 3x32x32`";
  if (!shape && ownData.files.length * seen[0] * seen[1] * seen[2] > MOST_DATA) return "these images are too many, or the input too large";
  if (answer[1] * answer[2] !== 1 || answer[0] !== classes.length) return `there are ${counted(classes.length, "class", "classes")} (${classes.slice(0, 6).join(", ")}${classes.length > 6 ? ", ..." : ""}): end with \`dense ${classes.length} -> softmax\``;
  return "";
}

// As the trainer wants it: { images, labels, testImages, testLabels, classes, kind }.
async function ownFor(made) {
  const { classes } = ownTold(), shape = shapeNamed(made, made.told.inputs[0]), key = `${ownData.stamp} ${shape}`;
  if (ownData.key !== key) {
    const { table } = ownData, rows = table ? table.rows : await fittedFiles(shape);
    const labels = table ? table.labels : rows.map(({ file }) => classes.indexOf(folderOf(file)));
    Object.assign(ownData, { key, fitted: { ...split(table ? rows : rows.map(({ pixels }) => pixels), labels), classes, kind: table ? "table" : "folder" } });
  }
  return ownData.fitted;
}

// Every fifth of each class for the test, the others to learn from.
function split(rows, labels) {
  const seen = new Map(), parts = { images: [], testImages: [] }, answers = { images: [], testImages: [] };
  rows.forEach((row, k) => {
    const count = (seen.get(labels[k]) || 0) + 1, which = count % KEPT_FOR_TEST ? "images" : "testImages";
    seen.set(labels[k], count);
    parts[which].push(row);
    answers[which].push(labels[k]);
  });
  if (!parts.testImages.length) throw new Error(`there are too few: ${KEPT_FOR_TEST} of a class at least, one of which is for the test`);
  const joined = (some) => {
    const whole = new some[0].constructor(some.length * some[0].length);
    some.forEach((row, k) => whole.set(row, k * row.length));
    return whole;
  };
  return {
    images: joined(parts.images), labels: Uint16Array.from(answers.images),
    testImages: joined(parts.testImages), testLabels: Uint16Array.from(answers.testImages),
  };
}

// The pictures at the network's size, those that can be read.
async function fittedFiles(shape) {
  const rows = [];
  let unread = 0;
  for (const file of ownData.files) {
    const picture = await createImageBitmap(file).catch(() => null);
    if (!picture) unread += 1;
    else rows.push({ file, pixels: fittedTo(pixelsOf(picture), { digits: false, shape }) });
    if (rows.length % 50 === 0) say(`Reading pictures: ${rows.length} of ${ownData.files.length} ...`);
  }
  say("");
  ownData.unread = unread;
  return rows;
}

function pixelsOf(picture) {
  const scale = Math.min(1, LARGER / Math.max(picture.width, picture.height)), sides = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
  const brush = new OffscreenCanvas(...sides).getContext("2d", { willReadFrequently: true });
  brush.drawImage(picture, 0, 0, ...sides);
  picture.close();
  return brush.getImageData(0, 0, ...sides);
}

// A table: { columns, rows: numbers made standard by column, labels, classes }. An error says the line.
function readTable(text) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim()), mark = [",", ";", "\t"].find((one) => lines[0]?.includes(one));
  if (!mark || lines.length < 2) throw new Error("a table has several lines, and commas, semicolons or tabs between its cells");
  const cells = lines.map((line) => line.split(mark).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1")));
  const number = (cell) => (cell === "" ? NaN : Number(cell));
  if (cells[0].slice(0, -1).some((cell) => Number.isNaN(number(cell)))) cells.shift(); // names of the columns
  const width = cells[0]?.length, first = lines.length - cells.length + 1;
  const rows = cells.map((row, k) => {
    if (row.length !== width) throw new Error(`line ${k + first} has ${counted(row.length, "cell")}, the first ${width}`);
    return Float32Array.from(row.slice(0, -1), (cell, column) => {
      if (!Number.isFinite(number(cell))) throw new Error(`line ${k + first}, column ${column + 1}: "${cell.slice(0, 20)}" is no number; the class stands last`);
      return number(cell);
    });
  });
  for (let column = 0; column < width - 1; column++) {
    const average = mean(rows.map((row) => row[column])), deviation = Math.sqrt(mean(rows.map((row) => (row[column] - average) ** 2))) || 1;
    for (const row of rows) row[column] = (row[column] - average) / deviation;
  }
  const names = cells.map((row) => row.at(-1)), classes = [...new Set(names)].sort((a, b) => a - b || (a < b ? -1 : 1));
  return { columns: width - 1, rows, labels: names.map((name) => classes.indexOf(name)), classes };
}

function takeOwn(found) {
  Object.assign(ownData, { files: [], table: null, unread: 0, fitted: null, key: "", stamp: ownData.stamp + 1, ...found });
  byId("own-away").hidden = !ownTold();
  stopTraining();
  if (state.network) settingsOfText();
}

function startOwn() {
  byId("own-folder").addEventListener("change", ({ target }) => {
    const files = [...target.files].filter(({ type }) => type.startsWith("image/")).slice(0, MOST_FILES);
    if (files.length) takeOwn({ files });
    else say("There is no picture in this folder.");
    if (target.files.length > MOST_FILES && files.length === MOST_FILES) say(`The first ${MOST_FILES.toLocaleString("en")} pictures are taken.`);
    target.value = "";
  });
  byId("own-table").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    if (!file) return;
    try {
      takeOwn({ table: readTable(await file.text()) });
    } catch (problem) {
      say(`${file.name}: ${problem.message}.`);
    }
    target.value = "";
  });
  byId("own-away").addEventListener("click", () => takeOwn({}));
}

// ---- what a network learns from --------------------------------------------------------------------

// What is said of it, and whether there is something: one's own comes first, then the digits that come along.
function learnsFrom(made) {
  const told = ownTold();
  if (told) {
    const misfit = ownMisfit(made), what = `${counted(told.count, ownData.table ? "row" : "picture")} of yours, of ${counted(told.classes.length, "class", "classes")}`;
    const left = ownData.unread ? ` ${counted(ownData.unread, "file")} could not be read, and ${ownData.unread === 1 ? "is" : "are"} left out.` : "";
    return misfit ? { fits: false, said: `Your data do not fit: ${misfit}.` } : { fits: true, said: `It learns from ${what}; every fifth is kept for the test. They stay in this browser.${left}` };
  }
  const said = digitsFor(made);
  return { fits: said !== null, said: said ?? "No images come with cnnspec that fit this network: it can be looked at with random numbers, or learn from data of yours." };
}

async function dataFor(made) {
  if (ownTold()) return ownMisfit(made) ? null : ownFor(made);
  return digitsFor(made) === null ? null : { ...(await digits()), classes: Array.from("0123456789"), kind: "digits" };
}
