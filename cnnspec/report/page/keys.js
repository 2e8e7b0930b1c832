// The pad and the pictures by the keyboard: a mark that arrow keys move, and what Enter does there.

const STEPS = 28; // key presses from one side of a picture to the other
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

const within = (k, size) => Math.min(Math.max(k, 0), size - 1);

// A pen over the pad that arrow keys move; `down` sets it on the paper, `on` draws to where it is, `up` ends the stroke.
function penByKeys(pad, { down, on, up, clear }) {
  const pen = { y: PAD / 2, x: PAD / 2, drawing: false }, mark = byId("pen"), step = PAD / STEPS;
  const say = (text) => {
    mark.style.top = `${(100 * pen.y) / PAD}%`;
    mark.style.left = `${(100 * pen.x) / PAD}%`;
    mark.classList.toggle("down", pen.drawing);
    byId("pen-said").textContent = text || `the pen is ${pen.drawing ? "down" : "up"}, ${Math.round(pen.x / step)} to the right, ${Math.round(pen.y / step)} down`;
  };
  const lift = () => {
    if (pen.drawing) up();
    pen.drawing = false;
  };
  pad.addEventListener("keydown", (event) => {
    const { key } = event, arrow = ARROWS[key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (arrow) {
      [pen.y, pen.x] = [pen.y, pen.x].map((k, axis) => Math.min(Math.max(k + arrow[axis] * step, 0), PAD));
      if (pen.drawing) on(pen.x, pen.y);
      say();
    } else if (key === " " || key === "Enter") {
      if (pen.drawing) lift();
      else {
        pen.drawing = true;
        down(pen.x, pen.y);
      }
      say();
    } else if (key === "Delete" || key === "Backspace") {
      lift();
      clear();
      say("the pad is empty");
    } else if (key === "Escape") {
      lift();
      say();
    } else return;
    event.preventDefault();
  });
  pad.addEventListener("focus", () => say());
  pad.addEventListener("blur", () => {
    lift();
    byId("pen-said").textContent = "";
  });
}

// The parts of pictures that keys have marked, by the input's name: [row, column] where it begins and where it ends.
const marked = new Map();

// Arrow keys move a mark over a picture, with Shift they stretch it, Enter covers what is under it.
function coverByKeys(over, name) {
  const { height, width } = over.pixels, sizes = [height, width], steps = sizes.map((size) => Math.max(1, Math.round(size / STEPS)));
  const box = () => {
    const { from, to } = marked.get(name);
    return [0, 1].map((axis) => [Math.min(from[axis], to[axis]), Math.max(from[axis], to[axis]) + 1]);
  };
  const show = () => {
    const [rows, columns] = box();
    putBox(over, "pixel", rows, columns);
    byId("pointed").textContent = `rows ${rows[0]} to ${rows[1] - 1}, columns ${columns[0]} to ${columns[1] - 1}: Enter covers them`;
  };
  over.setAttribute("role", "application");
  over.setAttribute("tabindex", "0");
  over.setAttribute("aria-label", `${over.getAttribute("aria-label")}; arrow keys mark a part, with Shift they stretch it, Enter covers it`);
  over.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (arrow) {
      const middle = sizes.map((size, axis) => within(Math.floor(size / 2) - steps[axis] * 2, size));
      const known = marked.get(name) || { from: middle, to: middle.map((k, axis) => within(k + 4 * steps[axis] - 1, sizes[axis])) };
      const moved = (corner) => corner.map((k, axis) => within(k + arrow[axis] * steps[axis], sizes[axis]));
      const [from, to] = [event.shiftKey ? known.from : moved(known.from), moved(known.to)];
      const same = event.shiftKey || [0, 1].every((axis) => to[axis] - from[axis] === known.to[axis] - known.from[axis]);
      marked.set(name, same ? { from, to } : known); // at an edge it stays as it is
      show();
    } else if (event.key === "Enter" && marked.has(name)) cover(name, ...box());
    else if (event.key === "Escape") {
      marked.delete(name);
      putBox(over, "pixel", null);
      byId("pointed").textContent = "";
    } else return;
    event.preventDefault();
  });
  over.addEventListener("focus", () => marked.has(name) && show());
  over.addEventListener("blur", () => {
    putBox(over, "pixel", null);
    byId("pointed").textContent = "";
  });
}
