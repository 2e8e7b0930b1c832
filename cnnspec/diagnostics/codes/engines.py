"""Codes CNN310 to CNN319: the engines, their devices and processes, and what they are compared with."""

from __future__ import annotations

from .code import Code, Says

ENGINES: tuple[Code, ...] = (
    Code(
        "CNN310",
        "precision-needs-jax",
        """\
`precision bfloat16` and `precision float16` ask for activations of half the bits. Processors have no fast
arithmetic in them, so the engine on NumPy does not offer it; the engine on JAX does, with parameters that stay
float32.""",
        how="`cnnspec run` without `--engine jax` on a spec whose `train` says `precision bfloat16`.",
        says=(
            Says(
                "precision {precision} needs an engine that computes in it, and NumPy does not",
                help="use `--engine jax`, or `precision float32`",
            ),
        ),
    ),
    Code(
        "CNN311",
        "jax-missing",
        """\
The engine that runs on GPUs, TPUs and several machines is JAX, which does not come with cnnspec. Install it by
`pip install "cnnspec[jax]"`, and for a GPU as JAX's own page says, such as `pip install "jax[cuda12]"`.""",
        how="`--engine jax` where JAX is not installed.",
        says=(
            Says(
                "the engine jax needs the package jax, which is not there",
                help=('install it by `pip install "cnnspec[jax]"`; for a GPU also `pip install "jax[cuda12]"`'),
            ),
        ),
    ),
    Code(
        "CNN312",
        "devices",
        """\
Fewer devices are there than `--devices` asks for, or the processes of a run could not find one another: an
address that cannot be reached, or not all of them started.""",
        how="`--engine jax --devices 8` on a machine with one GPU.",
        says=(
            Says(
                "{wanted} devices are asked for, and JAX finds {found}: {devices}",
                help="give `--devices {found}`, or none",
            ),
            Says(
                "the processes of the run could not meet: {why}",
                help=(
                    "start all, with one `--coordinator` that each can reach, one `--processes`, each "
                    "its own `--process`"
                ),
                case="apart",
            ),
            Says(
                "a job of Kubernetes finds its processes by the package kubernetes, which is not there",
                help='install it by `pip install "jax[k8s]"`, or give `--coordinator`, `--processes` and '
                "`--process`",
                case="Kubernetes",
            ),
        ),
    ),
    Code(
        "CNN313",
        "process-lost",
        """\
A run on several processes needs all of them at every step. One ended (killed, out of memory, its machine gone),
so the others end too. The checkpoint is whole: `--resume` goes on from it, with any number of processes.""",
        how="`kill -9` on one of the processes of a run with `--coordinator`.",
        says=(
            Says(
                "process {process} lost another one of the run: {reason}",
                help="its own messages say why it ended; go on with `--resume` on any number of processes",
            ),
        ),
    ),
    Code(
        "CNN314",
        "not-comparable",
        """\
`cnnspec bench --against torch` writes the network, its cost and its optimiser for PyTorch, and there is none like
one of them, so a comparison would time two different things. What cannot be compared stands in the message;
inference alone (`--mode infer`) needs neither cost nor optimiser.""",
        how="`cnnspec bench --against torch` on a spec with `optimiser lion`.",
        says=(
            Says("the network has no parameters to train", help="give `--mode infer`", case="nothing to train"),
            Says(
                "the step in PyTorch would be another one: it does not know {unknown}",
                help="leave that out with --set, or time inference: `--mode infer`",
                case="step",
            ),
            Says(
                "PyTorch has no function for `{cost}` of `{activation}`, so training cannot be compared",
                help="compare another cost, or time inference alone: `--mode infer`",
                case="cost",
            ),
            Says(
                "PyTorch has no optimiser `{word}`, so training cannot be compared",
                help="give another optimiser, or time inference: `--mode infer`",
                case="optimiser",
            ),
            Says(
                "on an input of {input} the network cannot be measured: {why}",
                help="give another `--input`, or leave it out",
                case="input",
            ),
            Says(
                "{one} runs on {device} and {other} on {another}, so that their times tell of the devices",
                help="install both for one device, or hide the card: JAX_PLATFORMS=cpu CUDA_VISIBLE_DEVICES=",
                case="device",
            ),
            Says(
                "ONNX Runtime trains no network that is exported to it",
                help="time inference: `--mode infer`, or `--mode latency`",
                case="ONNX Runtime",
            ),
            Says(
                "{what} is not compared with TensorFlow", help="leave out `--against tensorflow`", case="TensorFlow"
            ),
            Says(
                "the step in TensorFlow would be another one: it does not know {unknown}",
                help="leave out `--against tensorflow`",
                case="TensorFlow step",
            ),
            Says(
                "sequences are not compared with TensorFlow",
                help="leave out `--against tensorflow`",
                case="sequences",
            ),
            Says(
                "training by `{cost}` is not compared with TensorFlow here",
                help="leave out `--against tensorflow`",
                case="TensorFlow cost",
            ),
        ),
    ),
    Code(
        "CNN315",
        "side-ended",
        """\
`cnnspec bench` runs each side of a comparison in a process of its own, and one of them was ended from outside: by
somebody, by a scheduler, or by the system because memory ran out. The numbers of the others say nothing then.""",
        how="`kill` on one of the processes of `cnnspec bench`.",
        says=(
            Says("the process of {name} was ended by {signal}"),
            Says(
                "the process of {name} was ended by {signal}",
                help="where memory ran out, take a smaller `--batch`",
                case="killed",
            ),
        ),
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
        says=(
            Says("{worker}", help="nothing has changed; the model may be asked again"),
            Says(
                "{worker} amid an update: the parameters are half a step on",
                help="load saved weights, or compile anew",
                case="half",
            ),
        ),
    ),
    Code(
        "CNN317",
        "jax-after-fork",
        """\
JAX keeps threads, and perhaps a GPU, that a forked process does not have; a model on the engine JAX would wait for
them for ever. Start processes by `spawn`, and compile or unpickle the model there. Models on the engine NumPy live
on in a forked process, each as a copy.""",
        how="`os.fork()` in a program with a model of the engine JAX, and `predict` in the child.",
        says=(
            Says(
                "JAX does not work in a process that was forked from one which uses it",
                help=("start processes by spawn (`multiprocessing.get_context('spawn')`), or use the engine numpy"),
            ),
        ),
    ),
    Code(
        "CNN318",
        "changed-amid-an-answer",
        """\
A function that answers a signal (or a callback of the like) trained the model or set its parameters in the middle
of its `predict` or `evaluate`, in the same thread, which would wait for itself. Note the signal there, and change
the model when the answer is there. Other threads may do both at any time: they wait for one another.""",
        how="`train_step` in the handler of SIGALRM, which interrupts `predict`.",
        says=(Says("the model cannot change while it answers: a signal's function or the like asks for both"),),
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
        says=(
            Says(
                "{what} is not that of {who}: off by {off:.1e} of its size in {dtype}",
                help="tell us, with the spec: one of the two is wrong",
            ),
        ),
    ),
)
