"""Which voltage each tap of a network has while all of them draw: three-phase, unbalanced.

The only file that knows power-grid-model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grid_sim.network.model import Network, Tap

Floats = np.ndarray[Any, np.dtype[np.float64]]


class NetworkError(RuntimeError):
    """No voltage can be found: more is drawn than the network can carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One state of the network, or many: then the arrays have one axis more, the first."""

    voltage_v: Floats
    """(…, taps, 3), phase to neutral; NaN for a phase that the tap does not use."""
    loading: Floats
    """(…,): of the line with the most current for what it carries, in the phase with the most; NaN where
    no line says what it carries. 1.0 is full."""
    supplied_w: Floats
    """(…,): what the source gives, losses and all."""


class PowerFlow:
    """A network with `taps`; the order of `taps` is that of all arrays."""

    def __init__(self, network: Network, taps: Sequence[Tap]) -> None:
        raise NotImplementedError

    def solve(self, p_w: Floats, q_var: Floats) -> Flow:
        """`p_w`, `q_var`: (taps,). NetworkError where there is no solution."""
        raise NotImplementedError

    def solve_each(self, p_w: Floats, q_var: Floats) -> Flow:
        """`p_w`, `q_var`: (states, taps); quicker than one after the other."""
        raise NotImplementedError
