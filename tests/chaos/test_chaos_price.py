"""Prices that fail: nobody charges at a price that is not known to be right."""

import random
from pathlib import Path

import pytest
from chaos_plan import Plan, Record, all_at_once
from chaos_price import (
    ABSURD,
    CSV,
    HIGHEST,
    MODBUS,
    NEGATIVE,
    NO_PRICE,
)
from chaos_site import ChaosSite, Settings
from chaos_trial import Trial

from master_scada.site_file import read_site
from register_maps.yaml_file import BadFile

LONG_S = (1.1, 1.3)
NOBODY_OPENS = "price of -0.5"
TURNS_S = 1.0
"""Two turns that end together leave nobody for up to three scans; a price that was taken for too high, for
as long as it lasts."""


async def charging_goes_on(site: ChaosSite, trial: Trial) -> None:
    if trial.fault == NOBODY_OPENS:
        assert site.watch.record.longest_without_s < TURNS_S


async def test_without_a_good_price_all_open(tmp_path: Path, record_property: Record) -> None:
    plan = Plan(
        settings=lambda folder: Settings(inside=True, tariff=MODBUS),
        faults=lambda site, sources: {
            "price source gone": sources[0].writes(None, opens_all=True),
            "no price (NaN)": sources[0].writes(NO_PRICE, opens_all=True),
            "price of 214,748": sources[0].writes(ABSURD, opens_all=True),
            "price of 200,000": sources[0].writes(HIGHEST, opens_all=True),
            NOBODY_OPENS: sources[0].writes(NEGATIVE, opens_all=False),
        },
        between_s=LONG_S,
    )
    await all_at_once({"price": plan}, tmp_path, record_property, charging_goes_on)


@pytest.mark.parametrize("price", ["1e9", "nan", "inf", "cheap"])
def test_a_file_with_an_absurd_price_is_refused(tmp_path: Path, price: str) -> None:
    ChaosSite(tmp_path, Settings(tariff=CSV), random.Random())
    (tmp_path / "prices.csv").write_text(f"time,price\n2026-01-01T00:00Z,0.1\n2026-01-01T01:00Z,{price}\n")
    with pytest.raises(BadFile, match=r"prices\.csv:3"):
        read_site(tmp_path / "master1.yaml")
