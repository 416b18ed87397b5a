"""The figures of one run: what an engineer asks for first."""

from dataclasses import dataclass

from grid_sim.day.model import Day, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything is of the scenario's days; minutes are scans times the scan period."""

    cars: int
    cars_served: int
    """That got at least 99 % of what they needed."""
    requested_kwh: float
    delivered_kwh: float
    cost: float
    """Of the delivered energy, in the site's currency; without what was drawn while no price was known."""
    peak_charging_kw: float
    peak_supplied_kw: float
    minutes_over_power_limit: float
    """Of any circuit."""
    minutes_under_band: float
    minutes_over_band: float
    """At any tap, by the main circuit's band."""
    longest_out_of_band_s: float
    minutes_out_beyond_answer: float
    """Of the stretches out of the band, what lies beyond `answer_s`."""
    answer_s: float
    """How long the rule may take: two scans to see and to act on it for every step that it takes."""
    lowest_pu: float
    highest_pu: float
    peak_loading: float | None
    minutes_overloaded: float
    switchings: int
    most_switchings: int
    """Of any one station."""
    energy_balance: float
    """What the stations metered, as a share of what the cars got."""

    @property
    def undelivered_kwh(self) -> float:
        return self.requested_kwh - self.delivered_kwh

    @property
    def delivered_share(self) -> float:
        return self.delivered_kwh / self.requested_kwh if self.requested_kwh else 1.0


def outcome(day: Day, run: Run) -> Outcome:
    raise NotImplementedError
