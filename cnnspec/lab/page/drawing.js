// The drawing of the last text that was right, its layers, its totals.

function showNetwork() {
  const { drawing, told } = state.network;
  const picture = new DOMParser().parseFromString(drawing, "image/svg+xml").documentElement; // ours: names in it are text
  byId("picture").replaceChildren(document.importNode(picture, true));
  byId("totals").textContent =
    `${counted(told.totals.parameters, "parameter")}, ${counted(told.totals.macs, "multiply-add")} for an image`;
  const head = ["layer", "as written", "gives", "parameters", "multiply-adds", "sees"];
  const rows = told.layers.map((layer) => {
    const cells = [
      layer.written, layer.output, layer.count ? layer.count.toLocaleString("en") : "",
      layer.macs ? layer.macs.toLocaleString("en") : "", layer.field.map(([, size]) => size).join("×"),
    ];
    return element("tr", {}, element("th", { scope: "row" }, layer.name), ...cells.map((cell) => element("td", {}, cell)));
  });
  byId("layers").replaceChildren(element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name))), ...rows);
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

function startTabs() {
  for (const view of VIEWS) {
    const tab = byId(`tab-${view}`);
    tab.addEventListener("click", () => showView(view));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const next = VIEWS[(VIEWS.indexOf(view) + step + VIEWS.length) % VIEWS.length];
      showView(next);
      byId(`tab-${next}`).focus();
    });
  }
}
