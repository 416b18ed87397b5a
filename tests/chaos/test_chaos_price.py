"""Prices that fail, and a clock that is stepped: nobody charges at a price that is not known to be right."""

import random
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from chaos_price import (
    ABSURD,
    CSV,
    HIGHEST,
    MODBUS,
    NEGATIVE,
    NO_PRICE,
    PRELOADS,
    FakedClock,
    PriceSource,
    write_prices,
)
from chaos_site import ChaosSite, Settings
from chaos_trial import try_fault
from processes import run

Record = Callable[[str, object], None]
LASTS_S = 1.6
HOUR_S = 3600


async def test_a_price_that_fails_opens_all_and_a_negative_one_opens_nobody(
    tmp_path: Path, record_property: Record
) -> None:
    site = ChaosSite(tmp_path, Settings(inside=True, tariff=MODBUS), random.Random())
    source = PriceSource(site.ports["master1"])
    faults = {
        "price source gone": source.writes(None, opens_all=True),
        "price of 214,748": source.writes(ABSURD, opens_all=True),
        "price of 200,000": source.writes(HIGHEST, opens_all=True),
        "no price (NaN)": source.writes(NO_PRICE, opens_all=True),
        "price of -0.5": source.writes(NEGATIVE, opens_all=False),
    }
    async with source.writing(), site.running():
        for name, fault in faults.items():
            trial = await try_fault(site, name, *fault, LASTS_S)
            record_property("trial", str(trial))
            assert trial.is_good, trial
            if name == "price of -0.5":
                assert site.watch.record.least_w > 0


async def test_a_clock_stepped_by_an_hour_costs_no_scan(tmp_path: Path, record_property: Record) -> None:
    if not PRELOADS:
        pytest.skip("libfaketime is missing")
    clock = FakedClock(tmp_path)
    write_prices(tmp_path, datetime.now().astimezone())
    settings = Settings(inside=True, tariff=CSV, environment=clock.environment)
    site = ChaosSite(tmp_path, settings, random.Random())
    async with site.running():
        before = await site.read_master()
        for seconds in (HOUR_S, -HOUR_S):
            fault = clock.stepped(seconds, alone=lambda site: site.names)
            trial = await try_fault(site, f"clock stepped by {seconds / HOUR_S:+g} h", *fault, LASTS_S)
            record_property("trial", str(trial))
            assert trial.is_good, trial
        after = await site.read_master()
    assert before
    assert after
    assert after["silent_count"] == 0
    record_property("overruns", int(after["overruns"]) - int(before["overruns"]))


@pytest.mark.parametrize("price", ["1e9", "nan", "inf", "cheap"])
def test_a_file_with_an_absurd_price_is_refused(tmp_path: Path, price: str) -> None:
    site = ChaosSite(tmp_path, Settings(tariff=CSV), random.Random())
    (tmp_path / "prices.csv").write_text(f"time,price\n2026-01-01T00:00Z,0.1\n2026-01-01T01:00Z,{price}\n")
    done = run("check", site.folder / "master1.yaml")
    assert done.returncode == 2
    assert "prices.csv:3" in done.stderr
