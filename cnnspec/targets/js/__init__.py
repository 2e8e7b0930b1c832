"""A network as one ES module without dependencies, for pages, workers and Node: `cnnspec compile --emit js`.

    from cnnspec.targets.js.module import module_source, packed

    module_source(spec, weights)                 # predicts; its weights lie in net.safetensors beside it: `packed`
    module_source(spec, weights, train=True)     # trains too
    module_source(spec, weights, look=True)      # shows every value and every gradient
    module_source(spec, weights, embed=True)     # its weights in base64 within
    module_source(spec, weights, embed=True, script=True)    # a classic script that defines `network`

What a module exports (a script has it in `network`):

    load({ weights, dtype, simd, random })       a promise of the network, with its own weights unless others are
                                                 given, as the bytes of a safetensors file
    create(weights, { dtype, simd, random })     the same at once; left out: the embedded ones; null: zeros
        dtype     "float32", or "float64" to explain: agrees with the NumPy engine in float64 to 1e-9
        simd      false: no WebAssembly, also where it is there
        random    a function like Math.random, for dropout

Arrays are typed arrays or plain ones, one image behind the other, each in PyTorch's order (channels first). A batch
has any number of images, and another number at every call. Where a network has several inputs, outputs or targets
they are given as an object by name; names are those of the spec.

    net.predict(images)            outputs by name
    net.prepare(images)            images as the training data have them, as the network sees them, and the names of
    net.classes                    the classes, where the weights of a run tell (`preparation`)
    net.parameters                 rows [name, ., shape, trained]
    net.get(name)                  a copy of a parameter, in PyTorch's layout
    net.set(name, numbers)         changes it; the next call takes it into account
    net.load(bytes), net.save()    all of them, as a safetensors file

    net.look(images)               (look) computes every value
    net.look(images, targets)      forward and backward; returns the mean cost of these images
    net.value(name, image)         a value of one image (counted from 0), as the network is in use: with running
                                   statistics, without dropout; names are the words', inputs among them
    net.gradient(name, image)      the gradient of that mean cost at a value of one image, or, for the name of a
                                   parameter, at all of it
    net.plans.look.outputs         rows [name, ., shape] of every value

    net.learn(images, targets, { rate })         (train) one step of the spec's optimiser; { cost, correct }, the
                                                 answers that are correct by class and by label
    net.measure(images, targets)                 the same as the network is in use; nothing is changed
    net.fit(images, targets, { epochs, batch, shuffle, augment, each, from })
                                                 steps through epochs (`from` on), one for each turn of the loop:
                                                 { epoch, step, rate, images, cost, correct }; `each` is called with
                                                 the augmented images of a batch and gives what the network sees
                                                 (without: `prepare`, where it is known)
    net.steps, net.total, net.first, net.perEpoch    where the schedule is; net.rate, the rate of the next step

`targets` are classes (one for each image, or for each pixel of it) or numbers of the output's shape.

How it is made: the graph of primitives that NumPy plans are written from goes through fewer passes (no layouts of
its own, no Winograd), since values lie as x[c][h][w][n] here; `emit.py` lays out memory by the same liveness,
`lines.py` has the lines of each primitive, `pointwise.py` the expressions of activations, `kernels/` what lines
call, and `bundle.py` takes what is used of it. A word that nobody has written lines for is refused (CNN556).
"""
