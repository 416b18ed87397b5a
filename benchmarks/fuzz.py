"""A million mutated requests to a running station, and every reply judged; the tests do the same for less.

A real RTU with a simulated board serves pev_rtu on loopback, in this process; hypothesis draws what is sent
to it. `tests/modbus_link/strict_station.py` says what each reply has to be, and what a client may change.
The first mistake, connection that hangs, task that stays, error in the log, or contactor that closes
without permission ends the run.

    python benchmarks/fuzz.py
    python benchmarks/fuzz.py --adus 50000 --seed 7
    python benchmarks/fuzz.py --only WRITES --seed 7 --batches 50 --shrink     # what failed, made small

With the same seed and number of batches it sends the same. To make a failure small takes minutes.
"""

import argparse
import logging
import random
import resource
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "modbus_link")]

from fuzzing import Figures, Regime, fuzz, fuzz_handshakes  # noqa: E402
from site_certificates import make_certificates  # noqa: E402
from watched_station import Secured  # noqa: E402

SHARES = {Regime.READS: 0.4, Regime.HELD: 0.2, Regime.WRITES: 0.4}
TLS_SHARE = 0.05
"""Of the requests, beyond the others: TLS is slow, and what is in it is judged by the same code."""
HANDSHAKE_BATCHES = 50
CODES = (0, 1, 2, 3, 6, 0x0B)
HEADER = (
    f"{'':<14}{'sent':>9}{'mutated':>9}{'answered':>9}{'normal':>8}{'ex. 1':>8}{'ex. 2':>8}{'ex. 3':>8}"
    f"{'ex. 6':>8}{'ex. 0B':>8}{'opened':>8}{'closed':>8}{'s':>7}{'ADUs/s':>8}"
)


def whole_run(adus: int, seed: int, secured: Secured) -> None:
    print(HEADER)
    total, total_s = Figures(), 0.0
    for over, share in ((None, 1.0), (secured, TLS_SHARE)):
        for regime in Regime:
            seed += 10_000  # none is sent what another was
            began = time.perf_counter()
            figures = in_rounds(SHARES[regime] * share * adus, regime, over, seed)
            seconds = time.perf_counter() - began
            report(f"{regime.name}{', TLS' if over else ''}", figures, seconds)
            total, total_s = total + figures, total_s + seconds
    report("all", total, total_s)
    print(f"mutated ADUs: {total.mutated}, of {total.sent} sent; {total.answered.total()} were answered")
    print(f"mutated TLS handshakes: {handshakes(seed, secured)}")
    print(f"the contactor closed {total.closings} times, each time with permission")


def in_rounds(wanted: float, regime: Regime, over: Secured | None, seed: int) -> Figures:
    """Until so many are mutated: 10 to 100 batches with one seed, then with the next. The first batch of a
    round is empty."""
    figures = Figures()
    while figures.mutated < wanted:
        batches = int((wanted - figures.mutated) / 800)
        figures += fuzz(regime, batches=min(100, max(10, batches)), seed=seed, secured=over)
        seed += 1
    return figures


def handshakes(seed: int, secured: Secured) -> int:
    count = 0
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        secured.master.maximum_version = version
        count += fuzz_handshakes(secured, batches=HANDSHAKE_BATCHES, seed=seed).handshakes
    return count


def again(options: argparse.Namespace, secured: Secured) -> None:
    """One regime, as the tests run it."""
    over = secured if options.tls else None
    began = time.perf_counter()
    figures = fuzz(
        Regime[options.only], batches=options.batches, seed=options.seed, secured=over, shrink=options.shrink
    )
    print(HEADER)
    report(options.only, figures, time.perf_counter() - began)


def report(name: str, figures: Figures, seconds: float) -> None:
    answered = "".join(f"{figures.answered[code]:>8}" for code in CODES)
    print(
        f"{name:<14}{figures.sent:>9}{figures.mutated:>9}{figures.answered.total():>9}{answered}"
        f"{figures.connections:>8}{figures.closed:>8}{seconds:>7.1f}{figures.sent / seconds:>8.0f}",
        flush=True,
    )


@contextmanager
def certificates() -> Iterator[Secured]:
    with tempfile.TemporaryDirectory() as folder:
        made = make_certificates(Path(folder) / "certificates")
        yield Secured(
            station=made.files("rtu"), master=made.tls("master").client, viewer=made.tls("viewer").client
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Send a million mutated requests to a station.")
    parser.add_argument("--adus", type=int, default=1_250_000, help="mutated ones, in the clear")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--only", choices=[r.name for r in Regime], help="one regime, with this seed")
    parser.add_argument("--batches", type=int, default=100, help="with --only")
    parser.add_argument("--tls", action="store_true", help="with --only")
    parser.add_argument("--shrink", action="store_true", help="with --only: make what fails small")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger().addHandler(logging.NullHandler())  # thousands of strangers are refused, rightly
    print(f"seed {options.seed}")
    with certificates() as secured:
        if options.only:
            again(options, secured)
        else:
            whole_run(options.adus, options.seed, secured)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory of this process, at most: {peak_mb:.0f} MB")


if __name__ == "__main__":
    main()
