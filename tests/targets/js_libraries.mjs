// One network trained by three libraries of JavaScript in one process, by turns: images a second of each.
// node js_libraries.mjs MODULE NODE_MODULES ROUNDS; MODULE is what `compile --emit js --train` wrote.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [module, folder, rounds] = process.argv.slice(2), BATCH = 64, SIDE = 28;
const require = createRequire(`${folder}/`);
const { load } = await import(pathToFileURL(module)), convnet = require('convnetjs'), tf = require('@tensorflow/tfjs');
const images = Float32Array.from({ length: BATCH * SIDE * SIDE }, Math.random), labels = Array.from({ length: BATCH }, (_, k) => k % 10);

// Each: a step on a batch, and how many steps a turn has.
async function ours() {
  const net = await load();
  return [() => net.learn(images, labels), 12];
}

function convnetjs() {
  const net = new convnet.Net();
  net.makeLayers([
    { type: 'input', out_sx: SIDE, out_sy: SIDE, out_depth: 1 },
    { type: 'conv', sx: 3, filters: 16, stride: 1, pad: 1, activation: 'relu' }, { type: 'pool', sx: 2, stride: 2 },
    { type: 'conv', sx: 3, filters: 32, stride: 1, pad: 1, activation: 'relu' }, { type: 'pool', sx: 2, stride: 2 },
    { type: 'fc', num_neurons: 64, activation: 'relu' }, { type: 'softmax', num_classes: 10 },
  ]);
  const trainer = new convnet.Trainer(net, { method: 'sgd', learning_rate: 0.01, momentum: 0.9, batch_size: BATCH });
  return [() => {
    for (let n = 0; n < BATCH; n++) {
      const x = new convnet.Vol(SIDE, SIDE, 1, 0);
      for (let k = 0; k < SIDE * SIDE; k++) x.w[k] = images[n * SIDE * SIDE + k];
      trainer.train(x, labels[n]);
    }
  }, 1];
}

async function tensorflow() {
  await tf.setBackend('cpu');
  const { conv2d, maxPooling2d, flatten, dense } = tf.layers, padding = 'same', activation = 'relu';
  const net = tf.sequential({ layers: [
    conv2d({ inputShape: [SIDE, SIDE, 1], filters: 16, kernelSize: 3, padding, activation }), maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 32, kernelSize: 3, padding, activation }), maxPooling2d({ poolSize: 2 }),
    flatten(), dense({ units: 64, activation }), dense({ units: 10, activation: 'softmax' }),
  ] });
  net.compile({ optimizer: tf.train.momentum(0.01, 0.9), loss: 'categoricalCrossentropy' });
  const x = tf.tensor4d(images, [BATCH, SIDE, SIDE, 1]), y = tf.oneHot(tf.tensor1d(labels, 'int32'), 10);
  return [() => net.trainOnBatch(x, y), 1];
}

const all = { cnnspec: await ours(), ConvNetJS: convnetjs(), 'TensorFlow.js': await tensorflow() }, found = {};
for (let round = -1; round < Number(rounds); round++) { // the first, in which code is compiled, does not count
  for (const [name, [step, steps]] of Object.entries(all)) {
    const began = performance.now();
    for (let k = 0; k < steps; k++) await step();
    if (round >= 0) (found[name] ||= []).push((1000 * BATCH * steps) / (performance.now() - began));
  }
}
console.log(JSON.stringify(found));
