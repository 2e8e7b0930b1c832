// What runs the plans of a network.

/** How many numbers an array of a shape has. */
export function sizeOf(shape) {
  return shape.reduce((a, b) => a * b, 1);
}

/** x[n][size] -> out[size][n]: the images of a batch innermost, as plans have them. */
export function inward(x, size, n, out) {
  for (let i = 0; i < n; i++) for (let j = 0, from = i * size; j < size; j++) out[j * n + i] = x[from + j];
}

/** x[size][n] -> out[n][size] */
export function outward(x, size, n, out) {
  for (let i = 0; i < n; i++) for (let j = 0, to = i * size; j < size; j++) out[to + j] = x[j * n + i];
}

/** A network in use: numbers of images in, one image behind the other and channels first, outputs out.
 *
 * `tables` are what the module says of it: parameters [name, p's name, shape, trained], and plans, whose inputs,
 * outputs, ... are [name, b's name, shape]. Images that are given together go through a plan together. */
export class Network {
  constructor(tables, weights, { dtype = 'float32', simd = true, random = Math.random } = {}) {
    if (dtype !== 'float32' && dtype !== 'float64') throw new Error(`dtype is float32 or float64, not ${dtype}`);
    Object.assign(this, tables, { dtype, simd, random, most: 0 });
    this.Real = dtype === 'float64' ? Float64Array : Float32Array;
    this.makeRoom(1);
    if (weights) this.load(weights);
  }

  // ---- memory -------------------------------------------------------------------------------------------

  /** Room for `n` images; parameters and moments are taken along. */
  makeRoom(n) {
    const { Real, parameters } = this, before = this.blocks, plans = Object.values(this.plans);
    const sizes = { trained: 0, state: 0 };
    for (const [, , shape, trained] of parameters) sizes[trained ? 'trained' : 'state'] += sizeOf(shape);
    for (const name of this.blockNames()) sizes[name] = sizes.trained;
    const arena = Math.max(...plans.map((plan) => plan.arena)) * n, beside = plans.reduce((sum, plan) => sum + plan.beside, 0);
    const columns = Math.max(...plans.map((plan) => plan.columns)), flipped = Math.max(...plans.map((plan) => plan.flipped));
    const scratch = columns ? Math.max(COLUMNS, columns * n) + flipped : 0;
    const numbers = Object.values(sizes).reduce((a, b) => a + b, 0) + arena + scratch;
    const bytes = numbers * Real.BYTES_PER_ELEMENT + beside * 8 + 64 * (Object.keys(sizes).length + plans.length + 4);
    this.room = openRoom(bytes, Real, this.simd, this.deepest);
    this.blocks = {};
    for (const [name, size] of Object.entries(sizes)) {
      this.blocks[name] = this.room.take(size);
      if (before) this.blocks[name].set(before[name]);
    }
    this.besides = new Map(plans.map((plan) => [plan, this.room.take(plan.beside, Float64Array)]));
    this.room.scratch = this.room.take(scratch);
    this.arena = this.room.take(arena);
    this.p = this.named(this.blocks.trained, true);
    Object.assign(this.p, this.named(this.blocks.state, false));
    if (this.blocks.gradient) this.g = this.named(this.blocks.gradient, true);
    this.most = n;
    this.prepared = new Set();
    this.bound = new Map();
  }

  /** Blocks as long as all trained parameters together. */
  blockNames() {
    return Object.values(this.plans).some((plan) => plan.backward) ? ['gradient'] : [];
  }

  /** A block as arrays by the names that plans call them. */
  named(block, trained) {
    const found = {};
    let at = 0;
    for (const [, id, shape, mine] of this.parameters)
      if (mine === trained) found[id] = block.subarray(at, at += sizeOf(shape));
    return found;
  }

  /** The arrays of a plan for n images. */
  arrays(plan, n) {
    if (n > this.most) this.makeRoom(n);
    const key = `${plan} ${n}`;
    if (!this.bound.has(key)) {
      const { buffer, byteOffset } = this.arena, { Real } = this, beside = this.besides.get(this.plans[plan]);
      const at = (offset) => byteOffset + offset * n * Real.BYTES_PER_ELEMENT, slot = (offset) => beside.byteOffset + 8 * offset;
      this.bound.set(key, this.plans[plan].arrays({
        floats: (offset, size) => new Real(buffer, at(offset), size * n),
        bytes: (offset, size) => new Uint8Array(buffer, at(offset), size * n),
        fixed: (offset, size) => new Real(buffer, slot(offset), size),
        wide: (offset, size) => new Float64Array(buffer, slot(offset), size),
      }));
    }
    return this.bound.get(key);
  }

  // ---- parameters -----------------------------------------------------------------------------------------

  /** A copy of a parameter, in PyTorch's layout. */
  get(name) {
    return this.p[this.parameter(name)[1]].slice();
  }

  /** Change a parameter. */
  set(name, numbers) {
    const [, id, shape] = this.parameter(name);
    if (numbers.length !== sizeOf(shape)) throw new Error(`${name} has ${sizeOf(shape)} numbers (${shape.join('x')}), got ${numbers.length}`);
    this.p[id].set(numbers);
    this.prepared.clear();
  }

  parameter(name) {
    const found = this.parameters.find(([known]) => known === name);
    if (!found) throw new Error(`there is no parameter ${name}: there are ${this.parameters.map(([known]) => known).join(', ')}`);
    return found;
  }

  /** Take the weights of a safetensors file, such as a run keeps. */
  load(bytes) {
    const found = readWeights(bytes);
    const differing = [...found.keys()].filter((name) => !this.parameters.some(([known]) => known === name));
    for (const [name, , shape] of this.parameters)
      if (!found.has(name) || String(found.get(name).shape) !== String(shape)) differing.push(name);
    if (differing.length) throw new Error(`these are not the weights of this network: ${differing.join(', ')}`);
    for (const [name, { numbers }] of found) this.set(name, numbers);
  }

  /** The weights as the bytes of a safetensors file. */
  save() {
    return writeWeights(this.parameters.map(([name, , shape]) => [name, shape, this.get(name)]));
  }

  // ---- running --------------------------------------------------------------------------------------------

  /** Numbers for inputs by name: what was given for one input alone, or an object of arrays; and how many images.
   * They are prepared, unless the network has `seen` them so, or is one that prepares nothing. */
  feed(plan, x, seen = !this.prepares) {
    const { inputs } = this.plans[plan], alone = ArrayBuffer.isView(x) || Array.isArray(x) || isPicture(x);
    const given = { ...(alone ? { [inputs[0][0]]: x } : x) };
    if (!seen) for (const [name] of inputs) if (given[name] !== undefined) given[name] = this.prepare(given[name], name);
    let n = 0;
    for (const [name, , shape] of inputs) {
      const count = given[name] === undefined ? NaN : given[name].length / sizeOf(shape);
      if (!Number.isInteger(count) || count === 0 || (n && n !== count))
        throw new Error(`input ${name} wants images of ${sizeOf(shape)} numbers (${shape.join('x')}) each, as many as the other inputs`);
      n = count;
    }
    const b = this.arrays(plan, n);
    for (const [name, id, shape] of inputs) inward(given[name], sizeOf(shape), n, b[id]);
    return { b, n };
  }

  /** Outputs by name, one image behind the other. */
  predict(x) {
    const plan = this.plans.use, { b, n } = this.feed('use', x);
    this.makeReady(plan, b);
    plan.forward(this.room, b, this.p, n, this.random);
    return Object.fromEntries(plan.outputs.map(([name, id, shape]) => [name, this.taken(b[id], sizeOf(shape), n)]));
  }

  /** What parameters alone decide is made once after they have changed. */
  makeReady(plan, b) {
    if (plan.prepare && !this.prepared.has(plan)) plan.prepare(this.room, b, this.p);
    this.prepared.add(plan);
  }

  /** Images as the training data have them, as an input sees them (where the weights of a run tell how). */
  prepare(x, name = this.plans.use.inputs[0][0]) {
    if (!this.preparation) throw new Error('nothing is known of how images were prepared');
    const [, , shape] = this.plans.use.inputs.find(([known]) => known === name);
    return prepared(x, this.preparation.others?.[name] ?? this.preparation, shape);
  }

  taken(array, size, n) {
    const out = new this.Real(size * n);
    outward(array, size, n, out);
    return out;
  }
}

/** Targets by the names of outputs, or those of the only one: numbers of the output's shape for each image, or a class
 * for each image (each pixel, where the output has some). */
export function aim(targets, b, y, n) {
  const given = ArrayBuffer.isView(y) || Array.isArray(y) ? { [targets[0][0]]: y } : y;
  for (const [name, id, shape] of targets) {
    const [classes] = shape, size = sizeOf(shape), pixels = size / classes, t = b[id], from = given[name];
    if (from?.length === size * n) inward(from, size, n, t);
    else if (from?.length === pixels * n && classes > 1) {
      t.fill(0);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < pixels; j++) {
          const label = from[i * pixels + j];
          if (!(label >= 0 && label < classes)) throw new Error(`class ${label} is not one of the ${classes} that ${name} tells apart`);
          t[(label * pixels + j) * n + i] = 1;
        }
    } else throw new Error(`targets of ${name} are ${size} numbers for each image${classes > 1 ? `, or ${pixels} classes` : ''}`);
  }
}
