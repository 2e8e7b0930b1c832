"""Options that a command does not have: what other tools call those that it has, and what a setting is for."""

from __future__ import annotations

import click

SAME: dict[str, str] = {  # as other tools call them
    **dict.fromkeys(("gpu", "cuda", "device", "accelerator", "backend"), "--engine"),
    **dict.fromkeys(("e", "epoch", "n-epochs", "num-epochs", "max-epochs"), "--epochs"),
    **dict.fromkeys(("learning-rate", "lr-rate"), "--lr"),
    **dict.fromkeys(("batch-size", "bs", "b"), "--batch"),
    **dict.fromkeys(("num-workers", "threads", "j", "jobs", "n"), "--workers"),
    **dict.fromkeys(("output", "out-dir", "output-dir", "save", "save-dir", "logdir", "log-dir"), "--out"),
    **dict.fromkeys(("output-format", "fmt"), "--format"),
    **dict.fromkeys(("silent", "verbose", "v", "log-level"), "--quiet"),
    **dict.fromkeys(("autofix", "fix-only", "apply"), "--fix"),
    **dict.fromkeys(("checkpoint", "continue", "ckpt"), "--resume"),
    **dict.fromkeys(("dataset", "data-dir", "root"), "--data"),
    **dict.fromkeys(("weights-file", "pretrained"), "--weights"),
    **dict.fromkeys(("override", "param", "p", "o", "opt"), "--set"),
}
CLOSE = 0.75  # of two names, from 0 to 1: `--cuda` is no slip of `--data`


def told_better(error: click.NoSuchOption) -> click.UsageError:
    """The same refusal with what was meant: an option by another name, a setting of the spec, a slip of the pen."""
    from difflib import get_close_matches

    from ..lang.hints.placed import override_of

    if error.ctx is None:
        return error
    known = [name for param in error.ctx.command.params for name in (*param.opts, *param.secondary_opts)]
    name = error.option_name.lstrip("-").lower().replace("_", "-")
    same = SAME.get(name, "")
    setting = override_of(name.replace("-", "_"), "...") if "--set" in known else ""
    if same in known:
        meant = [same]
    elif setting:
        meant = [f"--set {setting}"]
    else:
        meant = get_close_matches(error.option_name, known, 3, cutoff=CLOSE)
    hint = f" Did you mean {' or '.join(f'{each!r}' for each in meant)}?" if meant else ""
    return click.UsageError(f"No such option {error.option_name!r}.{hint}", ctx=error.ctx)
