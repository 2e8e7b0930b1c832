// Runs that are kept beside the one that is trained now: their curves are drawn with it, whatever is changed meanwhile.

const MOST_RUNS = 3; // dashes that can be told apart
const comparing = { runs: [] }; // { name, costs, tests }

// What is trained now, in words: what one may have turned.
function runNamed() {
  const { optimiser, rate } = state.network.train, chosen = byId("optimiser").value || optimiser;
  const turned = training.rate === rate ? "" : `, rate ${show(training.rate, 3)}`, { batch, augment } = settingsNow();
  return `${counted(training.made.told.totals.parameters, "parameter")}, ${chosen}${turned}, batch ${batch}${augment ? "" : ", not augmented"}, seed ${state.seed}`;
}

function keepRun() {
  if (!training.costs.length) return say("There is no curve yet: train a step first.");
  const { costs, tests } = training;
  comparing.runs = [...comparing.runs, { name: runNamed(), costs: [...costs], tests: [...tests] }].slice(-MOST_RUNS);
  say("It is kept: change something and begin anew, and both are drawn.");
  showKept();
  return showCurves();
}

function showKept() {
  byId("kept-runs").replaceChildren(...comparing.runs.map((run, k) => {
    const away = () => {
      comparing.runs = comparing.runs.filter((other) => other !== run);
      showKept();
      showCurves();
      byId("keep-run").focus();
    };
    const line = drawn("svg", { class: "sample", width: 36, height: 8, "aria-hidden": "true" });
    line.append(drawn("polyline", { class: `kept-${k}`, points: "0,4 36,4" }));
    const last = run.tests.at(-1), reached = last ? `: ${percent(last.accuracy)} on the test images after ${counted(last.epoch, "epoch")}` : `: ${counted(run.costs.length, "step")}`;
    return element("li", {}, line, ` ${run.name}${reached} `, element("button", { type: "button", "aria-label": `no longer draw ${run.name}`, on: { click: away } }, "away"));
  }));
}

// Rows of pairs as a curve of at most so many points, each the mean of `every`.
const thinned = (costs, every, k) => Array.from({ length: Math.ceil(costs.length / every) }, (_, i) => mean(costs.slice(i * every, (i + 1) * every).map((pair) => pair[k])));

// The curves of the run that is trained now, and of those that are kept, over the same steps and epochs.
function showCurves() {
  const runs = [training, ...comparing.runs], longest = Math.max(...runs.map(({ costs }) => costs.length));
  if (!longest) return byId("curves").replaceChildren();
  const every = Math.ceil(longest / LONGEST_CURVE), [now, ...kept] = runs;
  const of = (title, written, values) => curve(title, values(now), written, kept.map(values));
  const charts = [
    of("cost of a step", show, ({ costs }) => thinned(costs, every, 0)), of("accuracy of a step", percent, ({ costs }) => thinned(costs, every, 1)),
  ];
  if (runs.some(({ tests }) => tests.length)) charts.push(of("test accuracy of an epoch", percent, ({ tests }) => tests.map(({ accuracy }) => accuracy)));
  return byId("curves").replaceChildren(...charts);
}
