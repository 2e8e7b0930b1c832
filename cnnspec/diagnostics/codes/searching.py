"""Codes CNN330 to CNN334 and CNN527: the range test of learning rates, sweeps, and what logs need."""

from __future__ import annotations

from .code import Code, Says

EXAMPLE = 'for example `--set "train.optimiser=adam lr 1e-4..1e-2 log"` or `--set w=16,32,64`'

SEARCHING: tuple[Code, ...] = (
    Code(
        "CNN330",
        "no-rate-found",
        """\
`cnnspec lr` trains a fresh network at a rate that grows from step to step. The cost should fall first and burst
later; here it only rose, or was no number at once. Either the first rate is too large already (`--low`), or nothing
can be learned: the answers do not belong to the images, the values are not finite, the gradient is zero.""",
        how="`cnnspec lr net.cnn --low 1 --high 100` on almost any network.",
        says=(
            Says(
                "the cost only rose, from the first rate, {low:g}, on",
                help=(
                    "begin lower, by `--low`; or look at the data and the network by `cnnspec data` and "
                    "`cnnspec trace`"
                ),
            ),
            Says("the cost of the first step is no number at any rate", case="no number"),
        ),
    ),
    Code(
        "CNN331",
        "no-search-space",
        """\
`--set` of `cnnspec sweep` names what is tried: alternatives between commas (`w=16,32,64`), and ranges of numbers
from low to high, spread by their logarithm where `log` follows (`train.optimiser=adam lr 1e-4..1e-2 log`). A key is
a setting, `train.name` or `data.name`, or the number of a `let`.""",
        how='`cnnspec sweep net.cnn --set "train.optimiser.lr=1..0.1"`.',
        says=(
            Says("a sweep sets `train.name=...`, `data.name=...` or a number of `let`: `w=16,32`", help=EXAMPLE),
            Says("an alternative is empty", help=EXAMPLE, case="empty"),
            Says("a range goes from a number to a larger one", help=EXAMPLE, case="range"),
            Says("a range that is spread by its logarithm begins above 0", help=EXAMPLE, case="logarithm"),
            Says(
                "the grid has {trials} trials; a sweep has {most} at most",
                help="take `--sampler random --trials 100`",
                case="trials",
            ),
        ),
    ),
    Code(
        "CNN332",
        "spec-of-a-sweep-edited",
        """\
A sweep compares its trials, so all of them train one spec. It remembers the text, and what that imports, and does
not go on with another.""",
        how="`cnnspec sweep --resume` after an edit of its spec.",
        says=(
            Says(
                "{spec} was edited since the sweep began",
                help="put it back as it was, or begin a new sweep: its trials would not be comparable",
            ),
        ),
    ),
    Code(
        "CNN333",
        "trial-lost",
        """\
The process of a trial ended before its run did: it was killed, or memory ran out. What it had saved is whole, and
`cnnspec sweep --resume` goes on from there; with fewer `--jobs` there is more memory for each.""",
        how="`kill -9` on one of the processes of `cnnspec sweep --jobs 2`.",
        says=(
            Says(
                "the process of trial {trial} ended with {ended}, its run undone",
                help="go on with `cnnspec sweep --resume {folder}`",
            ),
        ),
    ),
    Code(
        "CNN334",
        "optuna-missing",
        """\
Optuna's samplers (`--sampler tpe` and others) choose what is tried next, and its pruners (`--pruner median`) which
trials are stopped early. It does not come with cnnspec; `pip install "cnnspec[sweep]"` installs it. The sampler
`gp` wants PyTorch too. `grid` and `random` need nothing.""",
        how="`cnnspec sweep net.cnn --sampler tpe` where Optuna is not installed.",
        says=(
            Says(
                "{what} is Optuna's, which is not installed or wants another package: {reason}",
                help='install it by `pip install "cnnspec[sweep]"`, or take `--sampler random` without a pruner',
            ),
        ),
    ),
    Code(
        "CNN527",
        "logger-missing",
        """\
`--log` tells a training to TensorBoard, MLflow or Weights & Biases, whose packages do not come with cnnspec:
`pip install "cnnspec[tensorboard]"`, `pip install mlflow`, `pip install wandb`. Without `--log` none is needed.""",
        how="`cnnspec run net.cnn --log mlflow` where MLflow is not installed.",
        says=(
            Says(
                "the package of the logger {logger} cannot be imported: {reason}", help="install it by `{install}`"
            ),
        ),
    ),
)
