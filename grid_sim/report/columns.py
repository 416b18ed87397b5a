"""Many scans as the few columns that a figure has room for."""

from dataclasses import dataclass
from itertools import chain

import numpy as np

from grid_sim.arrays import Codes, Floats

MOST_COLUMNS = 480
"""About as many as a figure is wide in pixels."""
_ROUND_S = (*(1, 2, 5, 10, 15, 20, 30), *(60 * m for m in (1, 2, 3, 5, 10, 15, 20, 30)))
_ROUND_H_S = tuple(3600 * hours for hours in (1, 2, 3, 6, 12, 24, 48, 96, 192))


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Groups of equally many scans, the last one maybe of fewer."""

    scans: int
    each: int
    scan_period_s: float

    @property
    def width_s(self) -> float:
        return self.each * self.scan_period_s

    @property
    def at_s(self) -> Floats:
        """(columns,): the middle of each."""
        begins = self._begins
        ends = np.append(begins[1:], self.scans)
        middles: Floats = (begins + ends) / 2 * self.scan_period_s
        return middles

    def least(self, values: Floats) -> Floats:
        """Of (scans, …) values; like the others, NaN counts only where there is nothing else."""
        found: Floats = np.fmin.reduceat(values, self._begins, axis=0)
        return found

    def most(self, values: Floats) -> Floats:
        found: Floats = np.fmax.reduceat(values, self._begins, axis=0)
        return found

    def mean(self, values: Floats) -> Floats:
        known = ~np.isnan(values)
        sums = np.add.reduceat(np.where(known, values, 0.0), self._begins, axis=0)
        counts = np.add.reduceat(known.astype(np.float64), self._begins, axis=0)
        means: Floats = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
        return means

    def longest(self, codes: Codes) -> Codes:
        """Of (scans, …) codes the one that held longest in each column; the lowest of those that held
        equally long."""
        kinds = np.unique(codes)
        counts = [np.add.reduceat((codes == kind).astype(np.int64), self._begins, axis=0) for kind in kinds]
        winners: Codes = kinds[np.argmax(counts, axis=0)]
        return winners

    @property
    def _begins(self) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
        return np.arange(0, self.scans, self.each)


def columns(scans: int, scan_period_s: float, most: int = MOST_COLUMNS) -> Columns:
    """Every scan where there is room, or else columns of a round time."""
    if scans <= most:
        return Columns(scans=scans, each=1, scan_period_s=scan_period_s)
    each = (max(1, round(round_s / scan_period_s)) for round_s in chain(_ROUND_S, _ROUND_H_S))
    fits = next((n for n in each if n * most >= scans), -(-scans // most))
    return Columns(scans=scans, each=fits, scan_period_s=scan_period_s)
