// What pages are made of, and numbers as they are written.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, run] of Object.entries(value)) made.addEventListener(event, run);
    else if (name === "class") made.className = value;
    else if (value !== false && value !== null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

// Five digits; what is printed of a sum and of the activation that it makes is the same.
function show(value, digits = 5) {
  if (!Number.isFinite(value)) return String(value);
  return value === 0 ? "0" : String(Number(value.toPrecision(digits)));
}
