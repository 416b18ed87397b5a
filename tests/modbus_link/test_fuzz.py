"""Strangers that send mutated requests: each is answered as the specification wants it, nothing changes
that they may not change, and nothing of them stays behind. `benchmarks/fuzz.py` does the same for longer.
"""

import random
import ssl
from collections.abc import Callable

import pytest
from fuzzing import Figures, Regime, fuzz, fuzz_handshakes
from site_certificates import SiteCertificates
from watched_station import Secured

BATCHES = {Regime.READS: 40, Regime.HELD: 25, Regime.WRITES: 25}

Record = Callable[[str, object], None]


@pytest.fixture
def secured(certificates: SiteCertificates) -> Secured:
    return Secured(
        station=certificates.files("rtu"),
        master=certificates.tls("master").client,
        viewer=certificates.tls("viewer").client,
    )


@pytest.fixture
def seed() -> int:
    """Another one each time; who fails tells it."""
    return random.SystemRandom().randrange(2**32)


@pytest.mark.parametrize("regime", Regime)
def test_mutated_requests(regime: Regime, seed: int, record_property: Record) -> None:
    figures = fuzz(regime, batches=BATCHES[regime], seed=seed)
    record_property("mutated_adus", figures.mutated)
    check_variety(figures, regime)
    assert (figures.closings > 0) == (regime is Regime.WRITES)


@pytest.mark.parametrize("regime", Regime)
def test_mutated_requests_over_tls(
    regime: Regime, seed: int, secured: Secured, record_property: Record
) -> None:
    figures = fuzz(regime, batches=5, seed=seed, secured=secured)
    record_property("mutated_adus", figures.mutated)
    check_variety(figures, regime)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_mutated_handshakes(
    version: ssl.TLSVersion, seed: int, secured: Secured, record_property: Record
) -> None:
    secured.master.maximum_version = version
    figures = fuzz_handshakes(secured, batches=6, seed=seed)
    record_property("mutated_handshakes", figures.handshakes)
    assert figures.handshakes > 100
    assert not figures.closings


def check_variety(figures: Figures, regime: Regime) -> None:
    """Much was tried, and of every kind: each answer that there is has been given."""
    codes = {0, 1, 2, 3, 0x0B} | ({6} if regime is Regime.HELD else set())
    # In WRITES somebody else holds the device now and then, as chance has it.
    assert codes <= set(figures.answered) <= codes | ({6} if regime is Regime.WRITES else set())
    assert figures.mutated > 0.8 * figures.sent > 2000
    assert sum(figures.answered.values()) > figures.sent / 2
    assert figures.connections > figures.closed > 20
    assert regime is Regime.WRITES or not figures.closings
