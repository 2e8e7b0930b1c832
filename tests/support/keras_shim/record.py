"""What was compared within each test, and why the rest was not."""

from __future__ import annotations

import traceback
from collections import Counter
from dataclasses import dataclass, field

from cnnspec.diagnostics import SpecError

from .said import NotComparable


@dataclass
class Record:
    """One test: what agreed by kind (`values`, `gradients`, `shapes`, ...), what did not, reasons for the rest."""

    agreed: Counter = field(default_factory=Counter)
    disagreed: list[str] = field(default_factory=list)
    reasons: Counter = field(default_factory=Counter)


class Ledger:
    """The test under way; `busy` while the shim itself calls Keras, or a layer that is compared calls others."""

    def __init__(self) -> None:
        self.now: Record | None = None
        self.busy = False

    def compare(self, what: str, judge) -> None:
        """Run a comparison, a function that notes what agrees; whatever it raises is noted, and never raised."""
        if self.now is None or self.busy:
            return
        self.busy = True
        try:
            judge(self.now)
        except NotComparable as reason:
            self.now.reasons[str(reason)] += 1
        except SpecError as error:
            self.now.disagreed.append(f"{what}: refused: {error}")
        except Exception:
            self.now.disagreed.append(f"{what}: the shim: {traceback.format_exc(limit=-4)}")
        finally:
            self.busy = False

    def note(self, record: Record, kind: str, what: str, difference: str) -> None:
        if difference:
            record.disagreed.append(f"{what}: {kind}: {difference}")
        else:
            record.agreed[kind] += 1


LEDGER = Ledger()
