// The controls of training: what is pressed, and what is turned while it runs.

async function start(goal) {
  if (training.going) {
    await request("pause").catch(leaveIt);
    return;
  }
  try {
    if (!state.network || state.checked !== state.text) throw new Error("the text has errors: put them right first");
    await ensureTrained();
    if (!training.data) throw new Error("there are no images here that fit this network: it can be looked at, and `cnnspec run` trains it");
  } catch (problem) {
    say(problem.message);
    return;
  }
  say("");
  training.goal = goal;
  going(true);
  await request("go", { goal }).catch(leaveIt);
}

// Another optimiser is another plan: a new worker goes on with the weights of the old.
async function newOptimiser() {
  if (!training.worker) return;
  const goes = training.going;
  if (goes) await request("pause");
  const { bytes, next } = await request("weights");
  byId("kept").hidden = true; // a new worker knows of no epoch before it
  await makeWorker({ weights: bytes, next });
  if (goes) start(training.goal);
}

const changeOptimiser = () => inTurn(newOptimiser).catch((problem) => say(problem.message));

// The epochs that one may go back to, where there are several.
function showEpochs(first, last, now) {
  byId("kept").hidden = last <= first;
  Object.assign(byId("epoch"), { min: first, max: last, value: now });
  byId("epoch-said").textContent = String(now);
}

async function goToEpoch({ target }) {
  const number = Number(target.value);
  byId("epoch-said").textContent = String(number);
  if (training.going) await request("pause");
  training.accuracy = training.tests.find(({ epoch }) => epoch === number)?.accuracy ?? null;
  await request("epoch", { number });
}

function settingsChanged() {
  byId("rate-said").textContent = show(training.rate, 3);
  if (training.worker) request("set", { settings: settingsNow() }).catch(leaveIt);
}

// The controls as the text has them.
function settingsOfText() {
  const { train } = state.network;
  byId("rate").value = Math.log10(train.rate);
  training.rate = train.rate; // the slider knows it roughly
  byId("rate-said").textContent = show(train.rate, 3);
  const batches = [...new Set([...BATCHES, train.batch])].sort((a, b) => a - b);
  byId("batch").replaceChildren(...batches.map((batch) => element("option", { value: batch }, String(batch))));
  byId("batch").value = train.batch;
  byId("optimiser").replaceChildren(
    element("option", { value: "" }, `as written: ${train.optimiser}`), ...OPTIMISERS.map((name) => element("option", { value: name }, name)),
  );
  const { fits, said } = learnsFrom(state.network);
  byId("learns-from").textContent = said;
  byId("terminal").textContent = "In a terminal: cnnspec run SPEC trains the same; cnnspec predict, report and eval read its weights, and this page takes them from a file.";
  for (const id of ["start", "one-step", "one-epoch"]) byId(id).disabled = !fits;
}

function stopTraining() {
  endWorker();
  going(false);
  Object.assign(training, { of: "", costs: [], tests: [], accuracy: null, self: null });
  byId("progress").textContent = "Nothing has been trained yet.";
  showCurves();
  byId("live").replaceChildren();
  live.key = "";
  byId("answer").textContent = "";
  byId("kept").hidden = true;
  tell("trained");
}

function startTraining() {
  startOwn();
  byId("start").addEventListener("click", () => start("all"));
  byId("one-step").addEventListener("click", () => start("step"));
  byId("one-epoch").addEventListener("click", () => start("epoch"));
  byId("anew").addEventListener("click", stopTraining);
  byId("keep-run").addEventListener("click", keepRun);
  byId("beside").addEventListener("click", goOnBeside);
  byId("seed").addEventListener("change", ({ target }) => {
    state.seed = Math.min(Math.max(Math.round(Number(target.value)) || 0, 0), 4294967295);
    target.value = state.seed;
    stopTraining();
  });
  byId("rate").addEventListener("input", ({ target }) => {
    training.rate = Number((10 ** Number(target.value)).toPrecision(2));
    settingsChanged();
  });
  byId("epoch").addEventListener("input", (event) => goToEpoch(event).catch(leaveIt));
  byId("batch").addEventListener("change", settingsChanged);
  byId("augment").addEventListener("change", settingsChanged);
  byId("optimiser").addEventListener("change", changeOptimiser);
  byId("watched").addEventListener("change", () => training.worker && watch().catch(leaveIt));
  byId("weights-out").addEventListener("click", () => {
    if (training.worker) request("weights").then(({ bytes }) => offer(bytes, "weights.safetensors")).catch(leaveIt);
    else say("There are no weights yet: start begins with some.");
  });
  byId("weights-in").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    if (!file || !state.network) return;
    try {
      await ensureTrained({ weights: new Uint8Array(await file.arrayBuffer()) });
      if (training.data) training.accuracy = (await request("measure")).accuracy;
      showProgress();
      say("The weights are in the network.");
    } catch (problem) {
      say(problem.message);
    }
  });
  hear("view", () => training.self && showLive());
  dark.addEventListener("change", () => training.worker && watch().catch(leaveIt)); // which are other pixels
  hear("network", () => {
    if (training.worker && training.of !== wantedKey()) stopTraining();
    settingsOfText();
  });
}

// Hand a file to the reader.
function offer(bytes, name) {
  const link = element("a", { href: URL.createObjectURL(new Blob([bytes])), download: name });
  document.body.append(link);
  link.click();
  link.remove();
}
