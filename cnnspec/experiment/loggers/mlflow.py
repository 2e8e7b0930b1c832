"""MLflow: a run of the experiment and the server that its own variables name, `MLFLOW_TRACKING_URI` and others."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from .logger import Begun

ENDS = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}
LONGEST = 500  # letters of a parameter; MLflow takes 6,000, earlier ones 500
AT_ONCE = 100  # parameters of a call


class MLflow:
    """Figures as metrics, settings as parameters."""

    def begin(self, run: Begun) -> None:
        self.client = MlflowClient()
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "cnnspec")
        known = self.client.get_experiment_by_name(name)
        experiment = known.experiment_id if known else self.client.create_experiment(name)
        self.run = self.client.create_run(experiment, run_name=run.name).info.run_id
        self.client.log_batch(self.run, tags=[RunTag("cnnspec.folder", str(run.folder))])
        said = [Param(name, str(value)[:LONGEST]) for name, value in run.settings.items()]
        for first in range(0, len(said), AT_ONCE):
            self.client.log_batch(self.run, params=said[first : first + AT_ONCE])

    def log(self, figures: Mapping[str, float], step: int) -> None:
        now = int(time.time() * 1000)
        self.client.log_batch(self.run, [Metric(name, value, now, step) for name, value in figures.items()])

    def end(self, status: str, figures: Mapping[str, float]) -> None:
        self.log(figures, 0)
        self.client.set_terminated(self.run, ENDS[status])
