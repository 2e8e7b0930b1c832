// The window as it slides: where it looks, what has been made so far, and the sum of each step.

const slide = { timer: 0, layer: null, channel: 0, input: null, output: null };
const SLIDING = ["filter", "pick", "mean", "window"];

function showSlide(layer, place, example) {
  stopSlide();
  const section = byId("slide");
  section.hidden = !SLIDING.includes(layer.kind) || !accountable(layer, example);
  if (section.hidden) return;
  const before = layers.get(layer.inputs[0]);
  const input = seen(example, before, "values");
  const { share, first } = layer.kind === "filter" ? groupsOf(layer, input) : { share: 1, first: (c) => c };
  Object.assign(slide, { layer, channel: place[0], example });
  const from = byId("from");
  const channels = Array.from({ length: share }, (_, k) => first(place[0]) + k);
  from.replaceChildren(...channels.map((c) => element("option", { value: c }, String(c))));
  from.onchange = () => stepTo(Number(range.value));
  slide.input = frame(input.shape[1], input.shape[2], 240);
  slide.output = frame(layer.shape[1], layer.shape[2], 240);
  const named = (over, text) => element("figure", { class: "map" }, over, element("figcaption", {}, text));
  byId("slides").replaceChildren(
    named(slide.input, before.name), named(slide.output, `${layer.name}, channel ${place[0]}`),
  );
  const range = byId("place");
  range.max = layer.shape[1] * layer.shape[2] - 1;
  range.value = place[1] * layer.shape[2] + place[2];
  range.oninput = () => stepTo(Number(range.value));
  stepTo(Number(range.value));
}

function stepTo(k) {
  const { layer, channel, example } = slide;
  const range = byId("place");
  k = Math.min(Math.max(k, 0), Number(range.max));
  range.value = k;
  const [i, j] = [Math.floor(k / layer.shape[2]), k % layer.shape[2]];
  const before = layers.get(layer.inputs[0]);
  const input = seen(example, before, "values"), output = seen(example, layer, "values");
  const from = Number(byId("from").value);
  paint(slide.input.firstChild, channelOf(input, from), input.shape[1], input.shape[2], colorOf(before, input, "values"));
  const color = colorOf(layer, output, "values");
  paint(slide.output.firstChild, channelOf(output, channel), layer.shape[1], layer.shape[2], color, k + 1);
  const told = explain(layer, [channel, i, j], example);
  putBox(slide.input, "window", ...(told.box || [null]));
  putBox(slide.output, "pixel", [i, i + 1], [j, j + 1]);
  const terms = told.terms ? shortTerms(told.terms) : told.says;
  range.setAttribute("aria-valuetext", `row ${i}, column ${j}: ${show(told.value)}`);
  const group = (told.groups || []).find((each) => each.channel === from) || told.groups?.[0];
  byId("slide-sums").replaceChildren(...(group ? [matrices(layer, group, null)] : []));
  byId("sliding").textContent = `${placeName(layer, [channel, i, j])} = ${terms} = ${show(told.value)}`;
}

// The terms of a sum on one line; of many the largest.
function shortTerms(terms) {
  const kept = [...terms].sort((a, b) => Math.abs(b[1]) - Math.abs(a[1])).slice(0, 4);
  const text = terms.filter((term) => kept.includes(term)).map(([, value]) => show(value)).join(" + ");
  return terms.length > kept.length ? `${text} + ...` : text;
}

function stopSlide() {
  window.clearInterval(slide.timer);
  slide.timer = 0;
  byId("play").textContent = "play";
}

function playSlide() {
  if (slide.timer) return stopSlide();
  const range = byId("place");
  if (Number(range.value) >= Number(range.max)) stepTo(0);
  byId("play").textContent = "stop";
  slide.timer = window.setInterval(() => {
    stepTo(Number(range.value) + 1);
    if (Number(range.value) >= Number(range.max)) stopSlide();
  }, Number(byId("pace").value));
}

// Another pace takes hold at once.
function setPace() {
  if (!slide.timer) return;
  stopSlide();
  playSlide();
}
