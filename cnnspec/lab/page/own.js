// Data of one's own: a folder of images, a folder in it for each class; images and their masks; or a table, whose last
// columns are the class or the numbers to answer. They are read by the browser and stay in it.

const MOST_FILES = 5000; // images that are taken of a folder
const MOST_DATA = 1 << 28; // bytes of all of them, as the network sees them
const LARGER = 512; // pixels along the longer side that a picture is brought to first
const KEPT_FOR_TEST = 5; // every fifth of a class is not learnt from

const ownData = { files: [], pairs: [], masks: [], colours: [], table: null, unread: 0, stamp: 0, fitted: null, key: "" };

const ownThere = () => ownData.table !== null || ownData.files.length > 0;
const folderOf = (file) => file.webkitRelativePath.split("/").at(-2) ?? "";
const ownClasses = () => [...new Set(ownData.files.map(folderOf))].sort();
const shapeNamed = (made, name) => made.told.layers.find((layer) => layer.name === name).shape;
const listed = (names) => `${names.slice(0, 6).join(", ")}${names.length > 6 ? ", ..." : ""}`;

// What a network answers, as its cost has it (explain/kinds.py): classes, numbers, a mask, ...
const answerKind = ({ told }) => told.kinds[told.outputs[0]].as;

// What there is to learn from for a network: { what, misfit }, in words; `misfit` is empty where it fits.
function ownTold(made) {
  const { inputs, outputs } = made.told, { table, files, pairs } = ownData, count = table ? table.rows.length : pairs.length || files.length;
  const seen = shapeNamed(made, inputs[0]), answer = shapeNamed(made, outputs[0]), kind = answerKind(made);
  const told = (what, misfit = "") => ({ what: `${counted(count, table ? "row" : "picture")} of yours, ${what}`, misfit });
  if (inputs.length !== 1 || outputs.length !== 1) return told("", "this network has several inputs or outputs");
  if (table && kind === "numbers") {
    const many = sizeOfShape(answer), columns = table.width - many, line = lineWithoutNumber(table), what = `each with ${counted(many, "number")} to answer`;
    if (line !== null) return told(what, `line ${line} ends with no number, and this network answers with numbers`);
    if (columns < 1 || String(seen) !== String([columns, 1, 1])) return told(what, `of ${counted(table.width, "number")} in a row the last ${many === 1 ? "one is" : `${many} are`} to be answered: begin with \`input ${Math.max(columns, 1)}\``);
    return told(what);
  }
  if (table && String(seen) !== String([table.width - 1, 1, 1])) return told("", `a row has ${counted(table.width - 1, "number")}: begin with \`input ${table.width - 1}\``);
  if (!table && ![1, 3].includes(seen[0])) return told("", "images have 1 or 3 channels: begin with `input 1x28x28`, or `input 3x32x32`");
  if (!table && count * sizeOfShape(seen) > MOST_DATA) return told("", "these images are too many, or the input too large");
  if (pairs.length) {
    const { length } = ownData.colours, what = `with masks of ${counted(length, "class", "classes")}`, end = length === 2 ? "`conv 1x1x1 -> sigmoid`, or `conv 2x1x1 -> softmax`" : `\`conv ${length}x1x1 -> softmax\``;
    const fits = (answer[0] === length || (length === 2 && answer[0] === 1)) && String(answer.slice(1)) === String(seen.slice(1));
    return told(what, kind === "mask" && fits ? "" : `masks of ${counted(length, "class", "classes")} (${listed(ownData.colours.map(colourNamed))}) are as large as the picture: end with ${end}`);
  }
  const classes = table ? classesOfTable(table) : ownClasses(), what = `of ${counted(classes.length, "class", "classes")}`;
  if (answer[1] * answer[2] !== 1 || answer[0] !== classes.length) return told(what, `there are ${counted(classes.length, "class", "classes")} (${listed(classes)}): end with \`dense ${classes.length} -> softmax\``);
  return told(what);
}

// As the trainer wants it: { images, labels, testImages, testLabels, each: labels of a row, answers, classes, kind }.
async function ownFor(made) {
  const shape = shapeNamed(made, made.told.inputs[0]), answer = shapeNamed(made, made.told.outputs[0]), key = `${ownData.stamp} ${shape} ${answer} ${answerKind(made)}`;
  if (ownData.key !== key) Object.assign(ownData, { key, fitted: await fittedOwn(shape, answer, answerKind(made)) });
  return ownData.fitted;
}

async function fittedOwn(shape, answer, answers) {
  const { table, pairs, masks, colours } = ownData;
  if (table && answers === "numbers") {
    const many = sizeOfShape(answer), targets = table.rows.map((row) => Float32Array.from(row.slice(-many), numberOf));
    return { ...split(inputsOfTable(table, table.width - many), targets), answers, classes: [], kind: "table" };
  }
  if (table) {
    const classes = classesOfTable(table), labels = table.rows.map((row) => Uint16Array.of(classes.indexOf(row.at(-1))));
    return { ...split(inputsOfTable(table, table.width - 1), labels), answers: "classes", classes, kind: "table" };
  }
  if (pairs.length) {
    const classOf = new Map(colours.map((colour, k) => [colour, k])), whole = pairs.map((pair, k) => ({ ...pair, read: masks[k] })).filter(({ read }) => read);
    const rows = await fittedFiles(shape, whole), targets = rows.map(({ read }) => fittedMask(read, classOf, shape.slice(1)));
    return { ...split(rows.map(({ pixels }) => pixels), targets), answers: "mask", binary: answer[0] === 1, classes: colours.map(colourNamed), kind: "folder" };
  }
  const classes = ownClasses(), rows = await fittedFiles(shape, ownData.files.map((file) => ({ file })));
  const labels = rows.map(({ file }) => Uint16Array.of(classes.indexOf(folderOf(file))));
  return { ...split(rows.map(({ pixels }) => pixels), labels), answers: "classes", classes, kind: "folder" };
}

// Every fifth row for the test, the others to learn from: of classes every fifth of each.
function split(rows, answers) {
  const seen = new Map(), parts = { images: [], testImages: [] }, labels = { images: [], testImages: [] };
  rows.forEach((row, k) => {
    const of = answers[k].length === 1 && answers[k] instanceof Uint16Array ? answers[k][0] : "all";
    const count = (seen.get(of) || 0) + 1, which = count % KEPT_FOR_TEST ? "images" : "testImages";
    seen.set(of, count);
    parts[which].push(row);
    labels[which].push(answers[k]);
  });
  if (!parts.testImages.length) throw new Error(`there are too few: ${KEPT_FOR_TEST} of a class at least, one of which is for the test`);
  const joined = (some) => {
    const whole = new some[0].constructor(some.length * some[0].length);
    some.forEach((row, k) => whole.set(row, k * row.length));
    return whole;
  };
  return {
    images: joined(parts.images), labels: joined(labels.images),
    testImages: joined(parts.testImages), testLabels: joined(labels.testImages), each: answers[0].length,
  };
}

// The pictures of rows { file, ... } at the network's size, of those that can be read.
async function fittedFiles(shape, wanted) {
  const rows = [];
  let unread = (ownData.pairs.length || wanted.length) - wanted.length;
  for (const row of wanted) {
    const picture = await createImageBitmap(row.file).catch(() => null);
    if (!picture) unread += 1;
    else rows.push({ ...row, pixels: fittedTo(pixelsOf(picture), { digits: false, shape }) });
    if (rows.length % 50 === 0) say(`Reading pictures: ${rows.length} of ${wanted.length} ...`);
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

function takeOwn(found) {
  Object.assign(ownData, { files: [], pairs: [], masks: [], colours: [], table: null, unread: 0, fitted: null, key: "", stamp: ownData.stamp + 1, ...found });
  byId("own-away").hidden = !ownThere();
  stopTraining();
  if (state.network) settingsOfText();
}

function startOwn() {
  byId("own-folder").addEventListener("change", async ({ target }) => {
    const found = [...target.files].filter(({ type }) => type.startsWith("image/")), pairs = pairsOf(found).slice(0, MOST_FILES), files = found.slice(0, MOST_FILES);
    target.value = "";
    if (!files.length) return say("There is no picture in this folder.");
    say(found.length > files.length && !pairs.length ? `The first ${MOST_FILES.toLocaleString("en")} pictures are taken.` : "");
    try {
      const masks = await readMasks(pairs);
      return takeOwn({ files, pairs, masks, colours: coloursOf(masks) });
    } catch (problem) {
      return say(`${problem.message}.`);
    }
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
  if (ownThere()) {
    const { what, misfit } = ownTold(made), { unread } = ownData;
    const left = unread ? ` ${counted(unread, "file")} could not be read, and ${unread === 1 ? "is" : "are"} left out.` : "";
    return misfit ? { fits: false, said: `Your data do not fit: ${misfit}.` } : { fits: true, said: `It learns from ${what}; every fifth is kept for the test. They stay in this browser.${left}` };
  }
  const said = digitsFor(made);
  return { fits: said !== null, said: said ?? "No images come with cnnspec that fit this network: it can be looked at with random numbers, or learn from data of yours." };
}

async function dataFor(made) {
  if (ownThere()) return ownTold(made).misfit ? null : ownFor(made);
  return digitsFor(made) === null ? null : { ...(await digits()), each: 1, answers: "classes", classes: Array.from("0123456789"), kind: "digits" };
}
