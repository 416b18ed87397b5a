"""The master's view as a live table on a terminal."""

from collections.abc import Iterable

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hmi.alarm_view import AlarmsView
from hmi.look import Look
from hmi.master_view import MasterView, StationRow, mark
from hmi.texts import load_texts
from register_maps.vocabulary import AlarmPriority, ChargeState, Quality

# Blue and orange are told apart by everyone; words say the same.
GOOD, LIMITED, BAD = "bold dodger_blue1", "bold dark_orange", "bold red"

DOUBT = {Quality.UNCERTAIN: "doubtful", Quality.BAD: "partial"}

WIDE = 104
"""Columns from which there is room for energy and time."""


def screen(view: MasterView, time_of_day: str, events: Iterable[str], width: int) -> RenderableType:
    """The whole screen: the site's three conditions, the worst alarm, the stations, the last events."""
    standby = f"  {load_texts()('master.standby').upper()}" if view.is_standby else ""
    title = Text(f"{view.site}  {time_of_day}{standby}")
    return Group(
        Panel(_site(view), title=title, title_align="left", border_style="dim"),
        _alarms(view.alarms),
        _stations(view, is_wide=width >= WIDE),
        Panel(
            Text("\n".join(events), no_wrap=True, overflow="ellipsis"),
            title="Last events",
            title_align="left",
            border_style="dim",
        ),
        Text(f"{view.scans} scans, {view.overruns} overruns", style="dim"),
    )


def _alarms(alarms: AlarmsView) -> Text:
    """One line, in full where the terminal is wide enough."""
    if not alarms.count:
        return Text("  No alarms", style="dim")
    counts = (
        f"{alarms.count} alarm{'s' if alarms.count > 1 else ''}, {alarms.unacknowledged} not acknowledged"
    )
    worst = alarms.worst
    what = (
        f"; {load_texts().named('alarm_priority', worst.priority)}: {worst.name}: {worst.text}"
        if worst
        else ""
    )
    is_urgent = alarms.worst_priority is AlarmPriority.URGENT
    style = (BAD if is_urgent else LIMITED) if alarms.unacknowledged else "dim"
    return Text(f"! {counts}{what}", style=style, no_wrap=True, overflow="ellipsis")


def _site(view: MasterView) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for width in (7, 18, 12, None):
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
    verdict = _verdict("too much" if is_over else "ok", is_over, limit, view.power_quality)
    return (
        mark(f"{view.power_w / 1000:.2f} kW", view.power_quality),
        _bar(view.power_w, view.power_limit_w),
        verdict,
    )


def _voltage(view: MasterView) -> tuple[RenderableType, ...]:
    low, high = view.voltage_low_limit_v, view.voltage_high_limit_v
    band = f"band {low:.1f} to {high:.1f} V"
    if view.lowest_voltage_v is None or view.highest_voltage_v is None:
        return Text("unknown", style=BAD), "", band
    measured = f"{view.lowest_voltage_v:.1f} to {view.highest_voltage_v:.1f} V"
    verdict = _verdict(
        "out" if view.voltage_is_out else "ok", view.voltage_is_out, band, view.voltage_quality
    )
    return mark(measured, view.voltage_quality), _bar(view.lowest_voltage_v - low, high - low), verdict


def _verdict(text: str, is_limiting: bool, limit: str, quality: Quality = Quality.GOOD) -> Text:
    if not is_limiting and quality is not Quality.GOOD:
        return Text.assemble((DOUBT[quality], LIMITED), f", {limit}")
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
        "" if charge is None else row.marked(f"{charge:.1f} %", "state_of_charge"),
        "" if row.power_w is None else row.marked(f"{row.power_w:.0f} W", "power"),
        "" if row.voltage_v is None else row.marked(f"{row.voltage_v:.1f} V", "voltage"),
        duration(row.time_to_full_s),
    )


def _session(row: StationRow) -> tuple[RenderableType, ...]:
    energy_wh = row.session_energy_wh
    energy = "" if energy_wh is None else row.marked(f"{energy_wh / 1000:.2f} kWh", "session_energy")
    return duration(row.charging_time_s), energy


def _style(row: StationRow) -> str:
    if row.look in (Look.SILENT, Look.FAULT):
        return BAD
    return GOOD if row.state in (ChargeState.CHARGING, ChargeState.FINISHING) else LIMITED


def duration(seconds: float | None) -> str:
    """3725 → "1:02 h"; nothing where there is no value."""
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02} h"


def _bar(value: float, total: float, width: int = 12) -> ProgressBar:
    share = min(max(value / total, 0.0), 1.0) if total else 0.0
    return ProgressBar(
        total=1.0, completed=share, width=width, complete_style="dodger_blue1", finished_style="dark_orange"
    )
