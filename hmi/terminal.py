"""The master's view as a live table on a terminal."""

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hmi.master_view import MasterView, StationRow
from register_maps.vocabulary import ChargeState

# Blue and orange are told apart by everyone; words say the same.
GOOD, LIMITED, BAD = "bold dodger_blue1", "bold dark_orange", "bold red"


def screen(view: MasterView, time_of_day: str, events: Iterable[str]) -> RenderableType:
    """The whole screen: the site's three conditions, the stations, the last events."""
    return Group(
        Panel(_site(view), title=f"{view.site}  {time_of_day}", title_align="left", border_style="dim"),
        _stations(view),
        Panel(Text("\n".join(events)), title="Last events", title_align="left", border_style="dim"),
        Text(f"{view.scans} scans, {view.overruns} overruns", style="dim"),
    )


def _site(view: MasterView) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(width=8)
    table.add_column(width=26)
    table.add_column(width=30)
    table.add_column()
    table.add_row("Price", *_price(view))
    table.add_row("Power", *_power(view))
    table.add_row("Voltage", *_voltage(view))
    return table


def _price(view: MasterView) -> tuple[RenderableType, ...]:
    limit = f"limit {view.price_limit:.2f}" if view.price_limit is not None else ""
    if view.price is None:
        return Text("unknown", style=BAD), "", limit
    verdict = (
        Text("too dear: nobody charges", style=LIMITED) if view.price_is_over else Text("ok", style=GOOD)
    )
    return (
        f"{view.price:.4f} {view.currency}/kWh",
        _bar(view.price, 2 * (view.price_limit or 1)),
        limit,
        verdict,
    )


def _power(view: MasterView) -> tuple[RenderableType, ...]:
    limit = f"limit {view.power_limit_w / 1000:.2f} kW"
    if view.power_w is None:
        return Text("unknown", style=BAD), "", limit
    return f"{view.power_w / 1000:.2f} kW", _bar(view.power_w, view.power_limit_w), limit


def _voltage(view: MasterView) -> tuple[RenderableType, ...]:
    low, high = view.voltage_low_limit_v, view.voltage_high_limit_v
    band = f"band {low:.1f} to {high:.1f} V"
    if view.lowest_voltage_v is None or view.highest_voltage_v is None:
        return Text("unknown", style=BAD), "", band
    measured = f"{view.lowest_voltage_v:.1f} to {view.highest_voltage_v:.1f} V"
    verdict = Text("out of its band", style=LIMITED) if view.voltage_is_out else Text("ok", style=GOOD)
    return measured, _bar(view.lowest_voltage_v - low, high - low), band, verdict


def _stations(view: MasterView) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True)
    for heading in (
        "station",
        "state",
        "charge",
        "",
        "power",
        "voltage",
        "energy",
        "charging",
        "to full",
        "why",
    ):
        table.add_column(heading, ratio=2 if heading == "why" else None, no_wrap=True)
    for station in view.stations:
        table.add_row(*_station(station))
    return table


def _station(row: StationRow) -> tuple[RenderableType, ...]:
    charge = row.state_of_charge_pct
    return (
        row.name,
        Text(row.state_text, style=_style(row)),
        _bar(charge or 0, 100, width=18),
        "" if charge is None else f"{charge:.1f} %",
        "" if row.power_w is None else f"{row.power_w:.0f} W",
        "" if row.voltage_v is None else f"{row.voltage_v:.1f} V",
        "" if row.session_energy_wh is None else f"{row.session_energy_wh / 1000:.2f} kWh",
        duration(row.charging_time_s),
        duration(row.time_to_full_s),
        row.reason_text,
    )


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


def _bar(value: float, total: float, width: int = 30) -> ProgressBar:
    share = min(max(value / total, 0.0), 1.0) if total else 0.0
    return ProgressBar(
        total=1.0, completed=share, width=width, complete_style="dodger_blue1", finished_style="dark_orange"
    )
