"""Codes CNN3xx: training."""

from __future__ import annotations

from .code import Code

TRAINING: tuple[Code, ...] = (
    Code(
        "CNN301",
        "warmup-too-long",
        """\
The warm-up of a schedule is told in epochs, of which parts are allowed (`warmup 0.5`). One that lasts as
long as the training, or longer, never lets the schedule reach its full rate; most often steps were meant.
Divide the steps by the number of batches in an epoch, or take a tenth of the epochs.""",
        wrong="""\
input 1x28x28
conv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax
train { schedule cosine warmup 100 ; epochs 5 }
""",
        right="""\
input 1x28x28
conv 8x3x3 -> relu -> maxpool 2 -> dense 10 -> softmax
train { schedule cosine warmup 0.5 ; epochs 5 }
""",
    ),
    Code(
        "CNN302",
        "not-finite",
        """\
The cost, or a parameter, became NaN or infinite. The training stops at once; the parameters stay as they were
before the step, and the last checkpoint is kept. The message names the step and the first tensor, in the order
of the computation, that is not finite: images and targets mean the data; a layer means that its inputs or weights
grew too large; a gradient that the way back did.

What helps most often: a smaller learning rate, a warm-up (`schedule cosine warmup 0.5`), clipping the gradient
(`optimiser adam clip 1`), normalisation (`bn` after each convolution), inputs scaled to about 1.""",
        how="`optimiser sgd lr 1e6` on almost any network.",
    ),
    Code(
        "CNN303",
        "nothing-to-judge",
        """\
There is not one image to train on or to judge: the arrays are empty, or validation, test and limits left nothing
over. A mean over no images is no number. `model.predict` and `model.activations` of no images are no mistake, and
give arrays of length 0.""",
        how="`model.fit` or `model.evaluate` with empty arrays; `cnnspec eval` where the data say `test 0`.",
    ),
    Code(
        "CNN304",
        "memory",
        """\
The predicted peak of a training step is more than what is free: on the machine, or within the limits that a
container or a scheduler sets. The training is refused before anything is allocated. Most of the memory is for
activations, which grow with the batch; the message names the largest batch that would do.""",
        how="A large network and a large batch on a small machine.",
    ),
    Code(
        "CNN305",
        "cannot-write",
        """\
The system refused to write a file: the disk is full, the folder cannot be written to, or the disk reports a
fault. Files are written under another name first and then renamed, so what was there before is whole; the
training can go on from its last checkpoint with `--resume`.""",
        how="`--out` on a disk that is full.",
    ),
    Code(
        "CNN306",
        "several-inputs-or-outputs",
        """\
A network with several inputs or outputs takes an array for each, by its name: `source npz` has them, or Python
gives them (`model.fit({"left": a, "right": b}, y)`). Other sources give one image and one answer at a time; so do
several processes that share a run, and a network that is to answer its input itself.""",
        how="`cnnspec run` on a spec with two `input` statements and `source digits`.",
    ),
    Code(
        "CNN322",
        "out-of-memory",
        """\
The system refused to give more memory: the limits of a process (`ulimit -v`), of a container or of a job are
reached, or the machine has no more. Nothing that was written is lost: a run goes on from its last checkpoint with
`--resume`, on a machine with more memory or with fewer workers. A training's need is told before it begins, and
grows with its batch; `cnnspec summary` shows which layers need most.""",
        how="`ulimit -v 400000` before `cnnspec run` of a large network.",
    ),
    Code(
        "CNN323",
        "unknown-part",
        """\
`freeze` and `rate` speak of layers by name: a layer (`conv1`), a block or a net with all that is in it
(`stage1`, `trunk`), or what `as` names. A name inside of another is told whole (`trunk.stage1`), and `*` in quotes
stands for any letters ("trunk.*"). What is named must have parameters: `relu as stem` names the relu alone, and
`(conv 8x3x3 -> relu) as stem` the convolution too. `cnnspec summary` lists the names.""",
        wrong="""\
input 1x28x28
conv 8x3x3 as stem -> relu -> maxpool 2 -> dense 10 -> softmax
train { freeze stm }
""",
        right="""\
input 1x28x28
conv 8x3x3 as stem -> relu -> maxpool 2 -> dense 10 -> softmax
train { freeze stem }
""",
    ),
    Code(
        "CNN324",
        "nothing-learns",
        """\
Every layer with parameters is frozen when the training begins, so a step would change nothing. Leave out of
`freeze` what is to learn: most often the new head of a network whose other layers come from `--weights`.""",
        wrong="""\
input 1x28x28
conv 8x3x3 as stem -> relu -> maxpool 2 -> dense 10 as head -> softmax
train { freeze stem, head until 3 }
""",
        right="""\
input 1x28x28
conv 8x3x3 as stem -> relu -> maxpool 2 -> dense 10 as head -> softmax
train { freeze stem until 3 }
""",
    ),
    Code(
        "CNN325",
        "not-in-this-target",
        """\
Some settings of `train` speak of parts of a network (`freeze`, `rate`), or of more than one batch or one step
(`accumulate`, `ema`, `decay_norm off`). Training on both engines, `run` and `model.fit` follow them. A file that
trains by itself (`--emit python --train`) does not, and is refused rather than written without them.""",
        how="`cnnspec compile --emit python --train` on a spec whose `train` says `ema 0.99`.",
    ),
    Code(
        "CNN310",
        "precision-needs-jax",
        """\
`precision bfloat16` and `precision float16` ask for activations of half the bits. Processors have no fast
arithmetic in them, so the engine on NumPy does not offer it; the engine on JAX does, with parameters that stay
float32.""",
        how="`cnnspec run` without `--engine jax` on a spec whose `train` says `precision bfloat16`.",
    ),
    Code(
        "CNN311",
        "jax-missing",
        """\
The engine that runs on GPUs, TPUs and several machines is JAX, which does not come with cnnspec. Install it by
`pip install "cnnspec[jax]"`, and for a GPU as JAX's own page says, such as `pip install "jax[cuda12]"`.""",
        how="`--engine jax` where JAX is not installed.",
    ),
    Code(
        "CNN312",
        "devices",
        """\
Fewer devices are there than `--devices` asks for, or the processes of a run could not find one another: an
address that cannot be reached, or not all of them started.""",
        how="`--engine jax --devices 8` on a machine with one GPU.",
    ),
    Code(
        "CNN313",
        "process-lost",
        """\
A run on several processes needs all of them at every step. One ended (killed, out of memory, its machine gone),
so the others end too. The checkpoint is whole: `--resume` goes on from it, with any number of processes.""",
        how="`kill -9` on one of the processes of a run with `--coordinator`.",
    ),
    Code(
        "CNN314",
        "not-comparable",
        """\
`cnnspec bench --against torch` writes the network, its cost and its optimiser for PyTorch, and there is none like
one of them, so a comparison would time two different things. What cannot be compared stands in the message;
inference alone (`--mode infer`) needs neither cost nor optimiser.""",
        how="`cnnspec bench --against torch` on a spec with `optimiser lion`.",
    ),
    Code(
        "CNN315",
        "side-ended",
        """\
`cnnspec bench` runs each side of a comparison in a process of its own, and one of them was ended from outside: by
somebody, by a scheduler, or by the system because memory ran out. The numbers of the others say nothing then.""",
        how="`kill` on one of the processes of `cnnspec bench`.",
    ),
    Code(
        "CNN316",
        "worker-died",
        """\
One of the programs that share the work with `workers` ended from outside: somebody killed it, or the system did
because memory ran out (signal 9); or it could not be started. The parameters and the count of steps are as before
the step, unless the message says that an update was under way: then load saved weights. The model starts its
workers anew when it is asked again.""",
        how='`kill -9` on a worker of a model that was compiled with `workers=2, parallel="processes"`.',
    ),
    Code(
        "CNN317",
        "jax-after-fork",
        """\
JAX keeps threads, and perhaps a GPU, that a forked process does not have; a model on the engine JAX would wait for
them for ever. Start processes by `spawn`, and compile or unpickle the model there. Models on the engine NumPy live
on in a forked process, each as a copy.""",
        how="`os.fork()` in a program with a model of the engine JAX, and `predict` in the child.",
    ),
    Code(
        "CNN318",
        "changed-amid-an-answer",
        """\
A function that answers a signal (or a callback of the like) trained the model or set its parameters in the middle
of its `predict` or `evaluate`, in the same thread, which would wait for itself. Note the signal there, and change
the model when the answer is there. Other threads may do both at any time: they wait for one another.""",
        how="`train_step` in the handler of SIGALRM, which interrupts `predict`.",
    ),
    Code(
        "CNN319",
        "sides-disagree",
        """\
Before `cnnspec bench --against` times anything, both programs compute the outputs of the same images, and the
gradients of the same cost, from the same weights. They differ by more than rounding does, so one of the two
computes another network, and how fast it is says nothing. A suite goes on with the other networks, and its exit
code is 1.""",
        how="a word that is translated wrongly for another framework.",
    ),
    Code(
        "CNN330",
        "no-rate-found",
        """\
`cnnspec lr` trains a fresh network at a rate that grows from step to step. The cost should fall first and burst
later; here it only rose, or was no number at once. Either the first rate is too large already (`--low`), or nothing
can be learned: the answers do not belong to the images, the values are not finite, the gradient is zero.""",
        how="`cnnspec lr net.cnn --low 1 --high 100` on almost any network.",
    ),
    Code(
        "CNN331",
        "no-search-space",
        """\
`--set` of `cnnspec sweep` names what is tried: alternatives between commas (`w=16,32,64`), and ranges of numbers
from low to high, spread by their logarithm where `log` follows (`train.optimiser=adam lr 1e-4..1e-2 log`). A key is
a setting, `train.name` or `data.name`, or the number of a `let`.""",
        how='`cnnspec sweep net.cnn --set "train.optimiser.lr=1..0.1"`.',
    ),
    Code(
        "CNN332",
        "spec-of-a-sweep-edited",
        """\
A sweep compares its trials, so all of them train one spec. It remembers the text, and what that imports, and does
not go on with another.""",
        how="`cnnspec sweep --resume` after an edit of its spec.",
    ),
    Code(
        "CNN333",
        "trial-lost",
        """\
The process of a trial ended before its run did: it was killed, or memory ran out. What it had saved is whole, and
`cnnspec sweep --resume` goes on from there; with fewer `--jobs` there is more memory for each.""",
        how="`kill -9` on one of the processes of `cnnspec sweep --jobs 2`.",
    ),
    Code(
        "CNN334",
        "optuna-missing",
        """\
`--sampler tpe` asks Optuna which settings to try next. It does not come with cnnspec;
`pip install "cnnspec[sweep]"` installs it. `grid` and `random` need nothing.""",
        how="`cnnspec sweep net.cnn --sampler tpe` where Optuna is not installed.",
    ),
    Code(
        "CNN527",
        "logger-missing",
        """\
`--log` tells a training to TensorBoard, MLflow or Weights & Biases, whose packages do not come with cnnspec:
`pip install "cnnspec[tensorboard]"`, `pip install mlflow`, `pip install wandb`. Without `--log` none is needed.""",
        how="`cnnspec run net.cnn --log mlflow` where MLflow is not installed.",
    ),
)
