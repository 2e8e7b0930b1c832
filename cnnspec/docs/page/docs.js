"use strict";
// The search: index.js, asked for at the first key, has a row for each section: page, its title, anchor, title, text.
(() => {
  const MOST = 30, AROUND = 60;
  const field = document.getElementById("search"), list = document.getElementById("found"), count = document.getElementById("count");
  let rows = null, chosen = -1;

  function load() {
    if (rows !== null) return;
    rows = [];
    const script = document.createElement("script");
    script.src = "index.js";
    script.addEventListener("load", () => {
      rows = window.cnnspecPages.map(([page, of, anchor, title, text]) => ({
        page, of, anchor, title, text, heading: title.toLowerCase(), all: `${title} ${of} ${text}`.toLowerCase(),
      }));
      show();
    });
    document.head.append(script);
  }

  // every word must be there; a heading that is what was asked for comes first, then one that has it, then the phrase
  function found(asked) {
    const words = asked.toLowerCase().split(/\s+/).filter(Boolean), phrase = words.join(" ");
    if (!words.length) return [];
    const scored = [];
    for (const row of rows) {
      if (!words.every((word) => row.all.includes(word))) continue;
      const whole = (text) => new RegExp(`(^|[^\\p{L}\\p{N}_])${RegExp.escape ? RegExp.escape(phrase) : phrase.replace(/[^\p{L}\p{N}]/gu, "\\$&")}($|[^\\p{L}\\p{N}_])`, "u").test(text);
      const score = 16 * (row.heading === phrase) + 8 * whole(row.heading) + 4 * words.every((word) => row.heading.includes(word))
        + 2 * whole(row.all) + row.all.includes(phrase);
      scored.push([score, row]);
    }
    return scored.sort((a, b) => b[0] - a[0]).slice(0, MOST).map(([, row]) => row);
  }

  function excerpt(row, asked) {
    const text = row.text, lower = text.toLowerCase();
    const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
    const at = [words.join(" "), ...words].map((word) => lower.indexOf(word)).find((place) => place >= 0) ?? 0;
    const start = Math.max(0, at - AROUND);
    return (start ? "… " : "") + text.slice(start, at + 2 * AROUND) + (text.length > at + 2 * AROUND ? " …" : "");
  }

  const address = (row) => row.anchor ? `${row.page}#${row.anchor}` : row.page;

  function show() {
    const asked = field.value.trim(), results = asked ? found(asked) : [];
    chosen = results.length ? 0 : -1;
    list.replaceChildren(...results.map((row, i) => {
      const item = document.createElement("li"), title = document.createElement("b");
      const page = document.createElement("span"), text = document.createElement("span");
      item.id = `found-${i}`;
      item.setAttribute("role", "option");
      item.dataset.to = address(row);
      title.textContent = row.title || row.of;
      page.textContent = row.of;
      text.textContent = excerpt(row, asked);
      item.append(title, page, text);
      item.addEventListener("mousedown", (event) => event.preventDefault());
      item.addEventListener("click", () => go(item));
      return item;
    }));
    list.hidden = !results.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    count.textContent = !asked ? "" : results.length === MOST ? `the first ${MOST} places` : `${results.length} place${results.length === 1 ? "" : "s"}`;
    choose(chosen);
  }

  function choose(index) {
    chosen = index;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
    const item = list.children[index];
    if (item) {
      field.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  }

  function close() {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function go(item) {
    close();
    location.href = item.dataset.to;
  }

  field.addEventListener("focus", load);
  field.addEventListener("input", () => { load(); show(); });
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    const many = list.children.length;
    if (event.key === "Escape") { close(); return; }
    if (list.hidden && event.key !== "Enter") return;
    if (event.key === "ArrowDown") choose((chosen + 1) % many);
    else if (event.key === "ArrowUp") choose((chosen + many - 1) % many);
    else if (event.key === "Enter" && list.children[chosen]) go(list.children[chosen]);
    else return;
    event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== field && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      field.focus();
    }
  });
  document.documentElement.dataset.ready = "yes";
})();
