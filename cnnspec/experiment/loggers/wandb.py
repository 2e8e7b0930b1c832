"""Weights & Biases: a run of the project that its own variables name, `WANDB_PROJECT`, `WANDB_MODE` and others."""

from __future__ import annotations

import os
from collections.abc import Mapping

import wandb

from .logger import Begun


class WeightsAndBiases:
    """Figures as its history, settings as its config, the test as its summary."""

    def begin(self, run: Begun) -> None:
        self.run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "cnnspec"),
            name=run.name,
            config=dict(run.settings),
            settings=wandb.Settings(silent=True, console="off"),  # standard output is the command's
        )

    def log(self, figures: Mapping[str, float], step: int) -> None:
        self.run.log(dict(figures), step=step)

    def end(self, status: str, figures: Mapping[str, float]) -> None:
        self.run.summary.update(dict(figures))
        self.run.finish(exit_code=int(status != "finished"))
