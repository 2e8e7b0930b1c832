"""The communication of a training step on many devices, computed from the network.

Every device keeps all parameters and sees its part of the batch. A step adds up, over all devices, the
gradient of every parameter and, for each batch normalisation, its sums on the way there and back. A ring
(what NCCL and Gloo use for large arrays) sends 2 (N - 1) / N of the numbers from each device.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.facts import Facts
from ..ir.summary import amount
from ..settings.train import Train

NUMBER = 4  # bytes: gradients and sums are float32 in every precision

# the slowest link between two devices, in bytes a second and direction
LINKS = (
    ("10 Gbit/s Ethernet", 1.25e9),
    ("100 Gbit/s InfiniBand", 12.5e9),
    ("PCIe 4.0 x16", 32e9),
    ("NVLink 4", 450e9),
)


@dataclass(frozen=True)
class Traffic:
    """A step of a network on so many devices."""

    facts: Facts
    train: Train
    devices: int

    @property
    def numbers(self) -> int:
        """Added up in a step: gradients, and a mean and variance there, their gradients back."""
        return self.facts.parameters + 2 * self.facts.state

    @property
    def sent(self) -> float:
        """Bytes that each device sends, and receives."""
        return 2 * (self.devices - 1) / self.devices * self.numbers * NUMBER

    @property
    def flops(self) -> float:
        """Of each device in a step: forward, and about twice as much backward."""
        return 3 * self.facts.flops * self.train.batch / self.devices

    def text(self) -> str:
        n, batch, optimiser = self.devices, self.train.batch, self.train.optimiser
        even = f"{batch // n} images each" if batch % n == 0 else f"not evenly cut: take one that {n} divides"
        lines = [
            f"{n} devices, batch {batch} ({even}), some {short(self.flops)}FLOP each in a step",
            f"a step adds up {self.facts.parameters:,} gradients and {2 * self.facts.state:,} sums of batches; "
            f"each device sends and receives {amount(int(self.sent))}:",
        ]
        for name, speed in LINKS:
            lines.append(f"  {name:<22} {milliseconds(self.sent / speed)}")
        lines += [
            f"to keep {batch} images on each device: --set train.batch={batch * n}; the rate may then grow up to "
            f"{n} times,",
            f"to {optimiser.lr * n:g} (for adam rather {n}^0.5 times, to {optimiser.lr * n**0.5:.3g}), "
            f"with a warm-up of some epochs",
        ]
        return "\n".join(lines) + "\n"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def short(count: float) -> str:
    """A count with a prefix: 3.2 G."""
    for power, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if count >= power:
            return f"{count / power:.3g} {prefix}"
    return f"{count / 1e3:.3g} k"
