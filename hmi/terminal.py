"""The master's view as a live table on a terminal."""

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hmi.master_view import MasterView, StationRow
from hmi.texts import load_texts
from register_maps.vocabulary import ChargeState

# Blue and orange are told apart by everyone; words say the same.
GOOD, LIMITED, BAD = "bold dodger_blue1", "bold dark_orange", "bold red"

WIDE = 104
"""Columns from which there is room for energy and time."""


def screen(view: MasterView, time_of_day: str, events: Iterable[str], width: int) -> RenderableType:
    """The whole screen: the site's three conditions, the stations, the last events."""
    return Group(
        Panel(_site(view), title=Text(f"{view.site}  {time_of_day}"), title_align="left", border_style="dim"),
        _stations(view, is_wide=width >= WIDE),
        Panel(
            Text("\n".join(events), no_wrap=True, overflow="ellipsis"),
            title="Last events",
            title_align="left",
            border_style="dim",
        ),
        Text(f"{view.scans} scans, {view.overruns} overruns", style="dim"),
    )


def _site(view: MasterView) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for width in (7, 16, 16, None):
        table.add_column(width=width, no_wrap=True)
    table.add_row("Price", *_price(view))
    table.add_row("Power", *_power(view))
    table.add_row("Voltage", *_voltage(view))
    return table


def _price(view: MasterView) -> tuple[RenderableType, ...]:
    limit = f"limit {view.price_limit:.2f}" if view.price_limit is not None else ""
    if view.price is None:
        return Text("unknown", style=BAD), "", limit
    verdict = _verdict("too dear" if view.price_is_over else "ok", view.price_is_over, limit)
    price = Text(f"{view.price:.4f} {view.currency}/kWh")
    return price, _bar(view.price, 2 * (view.price_limit or 1)), verdict


def _power(view: MasterView) -> tuple[RenderableType, ...]:
    limit = f"limit {view.power_limit_w / 1000:.2f} kW"
    if view.power_w is None:
        return Text("unknown", style=BAD), "", limit
    is_over = view.power_w > view.power_limit_w
    verdict = _verdict("too much" if is_over else "ok", is_over, limit)
    return f"{view.power_w / 1000:.2f} kW", _bar(view.power_w, view.power_limit_w), verdict


def _voltage(view: MasterView) -> tuple[RenderableType, ...]:
    low, high = view.voltage_low_limit_v, view.voltage_high_limit_v
    band = f"band {low:.1f} to {high:.1f} V"
    if view.lowest_voltage_v is None or view.highest_voltage_v is None:
        return Text("unknown", style=BAD), "", band
    measured = f"{view.lowest_voltage_v:.1f} to {view.highest_voltage_v:.1f} V"
    verdict = _verdict("out" if view.voltage_is_out else "ok", view.voltage_is_out, band)
    return measured, _bar(view.lowest_voltage_v - low, high - low), verdict


def _verdict(text: str, is_limiting: bool, limit: str) -> Text:
    return Text.assemble((text, LIMITED if is_limiting else GOOD), f", {limit}")


def _stations(view: MasterView, *, is_wide: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0))
    for heading in ("station", "state", "charge", "", "power", "voltage", "to full"):
        table.add_column(heading, no_wrap=heading != "state", ratio=1 if heading == "state" else None)
    for heading in ("time", "energy") if is_wide else ():
        table.add_column(heading, no_wrap=True)
    for row in view.stations:
        table.add_row(*_station(row), *(_session(row) if is_wide else ()))
    return table


def _station(row: StationRow) -> tuple[RenderableType, ...]:
    texts = load_texts()
    charge = row.state_of_charge_pct
    reason = row.reason_text(texts)
    why = f": {reason}" if reason else ""
    return (
        Text(row.name),  # what others have named is no markup
        Text.assemble((row.state_text(texts), _style(row)), why),
        _bar(charge or 0, 100, width=10),
        "" if charge is None else f"{charge:.1f} %",
        "" if row.power_w is None else f"{row.power_w:.0f} W",
        "" if row.voltage_v is None else f"{row.voltage_v:.1f} V",
        duration(row.time_to_full_s),
    )


def _session(row: StationRow) -> tuple[RenderableType, ...]:
    energy_wh = row.session_energy_wh
    return duration(row.charging_time_s), "" if energy_wh is None else f"{energy_wh / 1000:.2f} kWh"


def _style(row: StationRow) -> str:
    if not row.answers or row.state is ChargeState.FAULTED:
        return BAD
    return GOOD if row.state in (ChargeState.CHARGING, ChargeState.FINISHING) else LIMITED


def duration(seconds: float | None) -> str:
    """3725 → "1:02 h"; nothing where there is no value."""
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02} h"


def _bar(value: float, total: float, width: int = 16) -> ProgressBar:
    share = min(max(value / total, 0.0), 1.0) if total else 0.0
    return ProgressBar(
        total=1.0, completed=share, width=width, complete_style="dodger_blue1", finished_style="dark_orange"
    )
