// The drawing of the last text that was right, its layers, its totals.

const shownNetwork = { drawing: "", layers: "" }; // what stands in the page: only what differs is made anew

function showNetwork() {
  const { drawing, told } = state.network;
  if (shownNetwork.drawing !== drawing) {
    const picture = new DOMParser().parseFromString(drawing, "image/svg+xml").documentElement; // ours: names in it are text
    byId("picture").replaceChildren(document.importNode(picture, true));
    shownNetwork.drawing = drawing;
  }
  byId("totals").textContent =
    `${counted(told.totals.parameters, "parameter")}, ${counted(told.totals.macs, "multiply-add")} for an image`;
  const head = ["layer", "as written", "gives", "parameters", "multiply-adds", "sees"];
  const rows = told.layers.map((layer) => {
    const cells = [
      layer.written, layer.output, layer.count ? layer.count.toLocaleString("en") : "",
      layer.macs ? layer.macs.toLocaleString("en") : "", layer.field.map(([, size]) => size).join("×"),
    ];
    return [layer.name, ...cells];
  });
  const layers = JSON.stringify(rows);
  if (layers === shownNetwork.layers) return;
  shownNetwork.layers = layers;
  byId("layers").replaceChildren(element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name))), ...rows.map(([name, ...cells]) =>
    element("tr", {}, element("th", { scope: "row" }, name), ...cells.map((cell) => element("td", {}, cell)))));
}

// ---- tabs ------------------------------------------------------------------------------------------

const VIEWS = ["drawing", "train", "look"];

function showView(view) {
  state.view = view;
  document.body.dataset.view = view;
  for (const name of VIEWS) {
    byId(name).hidden = name !== view;
    const tab = byId(`tab-${name}`);
    tab.setAttribute("aria-selected", String(name === view));
    tab.tabIndex = name === view ? 0 : -1;
  }
  tell("view");
}

// A view that the reader chose; where it stands below the text, as on a phone, it comes to the top.
function turnTo(view) {
  showView(view);
  if (window.matchMedia("(max-width: 899px)").matches) byId("shown").scrollIntoView();
}

function startTabs() {
  for (const view of VIEWS) {
    const tab = byId(`tab-${view}`);
    tab.addEventListener("click", () => turnTo(view));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const next = VIEWS[(VIEWS.indexOf(view) + step + VIEWS.length) % VIEWS.length];
      turnTo(next);
      byId(`tab-${next}`).focus({ preventScroll: true });
    });
  }
}
