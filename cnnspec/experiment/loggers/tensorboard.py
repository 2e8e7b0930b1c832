"""TensorBoard's event files, in `tensorboard/` of the run's folder: `tensorboard --logdir runs` shows them."""

from __future__ import annotations

from collections.abc import Mapping

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import summary_v2 as hparams
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from .logger import Begun


class TensorBoard:
    """Figures as scalars, settings as hyperparameters."""

    def begin(self, run: Begun) -> None:
        self.writer = EventFileWriter(str(run.folder / "tensorboard"))
        # what an earlier part of the run has written is forgotten: it comes again
        self.writer.add_event(Event(step=0, session_log=SessionLog(status=SessionLog.START)))
        self._add(hparams.hparams_pb(dict(run.settings), trial_id=run.name), 0)
        self.writer.flush()
        self.last = 0

    def log(self, figures: Mapping[str, float], step: int) -> None:
        values = [Summary.Value(tag=name, simple_value=value) for name, value in figures.items()]
        self._add(Summary(value=values), step)
        self.last = step
        self.writer.flush()

    def end(self, status: str, figures: Mapping[str, float]) -> None:
        self.log(figures, self.last)
        self.writer.close()

    def _add(self, summary: Summary, step: int) -> None:
        self.writer.add_event(Event(step=step, summary=summary))
