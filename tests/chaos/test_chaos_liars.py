"""Stations that lie: the others go on, and the limit is kept."""

from pathlib import Path

from chaos_liars import Liar, all_lies
from chaos_plan import Fault, Plan, Record, all_at_once
from chaos_site import ChaosSite, Settings

LASTS_S = (0.9, 1.3)
SITES = 3


async def test_a_lie_makes_nobody_draw_too_much(tmp_path: Path, record_property: Record) -> None:
    def part(number: int) -> Plan:
        def lies(site: ChaosSite, sources: object) -> dict[str, Fault]:
            """Each lie once, either while the liar draws or while it doesn't."""
            choice = dict(list(all_lies("RTS2").items())[number::SITES])
            return {name: site.rng.choice(faults) for name, faults in choice.items()}

        settings = Settings(inside=True, rtu=Liar)
        return Plan(settings=lambda folder: settings, faults=lies, between_s=LASTS_S)

    await all_at_once({f"part {n}": part(n) for n in range(SITES)}, tmp_path, record_property)
