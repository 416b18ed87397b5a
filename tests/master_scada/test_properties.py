"""The rule and the interlock against plants that nobody would think of.

The plant here keeps its own truth: which contactors are closed, what an RTU that does not answer does.
The master sees only readings, forgets everything at a restart, and must still never let a contactor
close that takes what may be drawn over any circuit's limit.
"""

import random
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st
from plants import READING

from master_scada.decide import decide
from master_scada.memory import Memory
from master_scada.model import Circuit, Command, Feeder, Plant, Rules
from master_scada.station import Reading, Station
from register_maps.vocabulary import LimitReason

PERIOD_S = 1.0
FAILSAFE_S = 5.0
RULES = Rules(price_limit=0.20, rotation_s=20, minimum_off_s=3, settle_s=2)


@dataclass
class Charger:
    """The truth about one station."""

    name: str
    circuit: str
    rated_w: float
    priority: int
    failsafe_w: float
    slow: bool
    throttles: bool
    rng: random.Random
    enabled: bool = False
    limit_w: float = 0.0
    closed: bool = False
    vehicle: bool = True
    full: bool = False
    stopped: bool = False
    linked: bool = True
    voltage_v: float = 110.0
    heard_at: float = 0.0

    def may_draw_w(self) -> float:
        """Closed, or free to close by itself at any moment."""
        if self.closed or (self.enabled and self._wants()):
            limit_w = self.limit_w if self.throttles else self.rated_w
            return min(self.rated_w, max(limit_w, self.failsafe_w))
        return min(self.rated_w, self.failsafe_w)

    def _wants(self) -> bool:
        return self.vehicle and not self.full and not self.stopped

    def obey(self, command: Command, now: float) -> None:
        self.enabled, self.limit_w, self.heard_at = command.charge_enable, command.power_limit_w, now

    def step(self, now: float) -> None:
        alone = now - self.heard_at > FAILSAFE_S
        if alone:
            self.enabled, self.limit_w = False, 0.0
        wanted = self._wants() and (self.enabled or (alone and self.failsafe_w > 0))
        if self.closed and not wanted and self.slow and self.rng.random() < 0.5:
            return  # the contactor takes longer than a scan
        self.closed = wanted

    def read(self) -> Reading | None:
        if not self.linked:
            return None
        return replace(
            READING,
            vehicle_connected=self.vehicle,
            contactor_closed=self.closed,
            charge_enable=self.enabled,
            power_limit_w=self.limit_w if self.throttles else None,
            power_w=(self.limit_w if self.throttles else self.rated_w) if self.closed else 0.0,
            fully_charged=self.full,
            user_stopped=self.stopped,
            voltage_v=self.voltage_v,
            rated_power_w=self.rated_w,
            minimum_power_w=self.rated_w / 3,
            failsafe_power_limit_w=self.failsafe_w,
        )


class Site:
    """A random tree of circuits with random chargers, and a master that scans them."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.feeder = Feeder(_circuits(rng))
        self.chargers = [_charger(rng, n, self.feeder) for n in range(rng.randint(1, 8))]
        if rng.random() < 0.3:
            _share_failsafe(self.chargers, self.feeder)
        self.known_ratings = rng.random() < 0.7
        self.price: float | None = 0.12
        self.now = 0.0
        self.restart()

    def restart(self) -> None:
        self.memory = Memory()
        self.last: dict[str, Reading] = {}
        self.sent: dict[str, Command] = {}

    def disturb(self) -> None:
        rng = self.rng
        for charger in self.chargers:
            if rng.random() < 0.06:
                charger.linked = not charger.linked
            if rng.random() < 0.03:
                charger.stopped = not charger.stopped
            if rng.random() < 0.02:
                charger.full = True
            if rng.random() < 0.03:
                charger.vehicle, charger.full, charger.stopped = not charger.vehicle, False, False
            if rng.random() < 0.1:
                charger.voltage_v = rng.choice([110, 110, 110, 106, 104, 103, 116])
        if rng.random() < 0.05:
            self.price = rng.choice([0.12, 0.20, 0.20001, 0.5, None])
        if rng.random() < 0.02:
            self.restart()

    def scan(self) -> tuple[Plant, dict[str, Command]]:
        readings = {c.name: seen for c in self.chargers if (seen := c.read())}
        self.last |= readings
        self.answered = set(readings)
        plant = Plant(
            now=self.now,
            price=self.price,
            rules=RULES,
            feeder=self.feeder,
            stations=tuple(self._station(c, readings.get(c.name)) for c in self.chargers),
        )
        decision = decide(plant, self.memory)
        self.memory = decision.memory
        self.sent |= {name: decision.commands[name] for name in readings}
        return plant, decision.commands

    def _station(self, charger: Charger, seen: Reading | None) -> Station:
        told = self.sent.get(charger.name)
        return Station(
            name=charger.name,
            circuit=charger.circuit,
            priority=charger.priority,
            rated_power_w=charger.rated_w if self.known_ratings else None,
            reading=seen,
            last=self.last.get(charger.name),
            told_to_charge=told is not None and told.charge_enable,
            throttles=charger.throttles,
        )

    def pass_on(self, commands: dict[str, Command]) -> None:
        """To those that answer; a write may get lost on the way there, or only its reply on the way back."""
        for charger in self.chargers:
            if charger.name in self.answered and self.rng.random() > 0.03:
                charger.obey(commands[charger.name], self.now)
        self.now += PERIOD_S
        for charger in self.chargers:
            charger.step(self.now)

    def overloads(self) -> dict[str, float]:
        """By circuit: watts that may be drawn beyond its limit."""
        loads = dict.fromkeys(self.feeder.circuits, 0.0)
        for charger in self.chargers:
            for name in self.feeder.path(charger.circuit):
                loads[name] += charger.may_draw_w()
        return {
            name: watts - self.feeder.circuits[name].power_limit_w
            for name, watts in loads.items()
            if watts > self.feeder.circuits[name].power_limit_w + 1e-6
        }


def _circuits(rng: random.Random) -> list[Circuit]:
    circuits = []
    for n in range(rng.randint(1, 5)):
        circuits.append(
            Circuit(
                name=f"C{n}",
                parent=f"C{rng.randrange(n)}" if n else None,
                power_limit_w=rng.choice([2000, 3300, 5000, 7000, 12000]),
                nominal_voltage_v=110,
                voltage_band=(0.95, 1.05),
            )
        )
    return circuits


def _charger(rng: random.Random, number: int, feeder: Feeder) -> Charger:
    return Charger(
        name=f"S{number}",
        circuit=rng.choice(list(feeder.circuits)),
        rated_w=rng.choice([1500.0, 3300.0, 3300.0, 7400.0]),
        priority=rng.choice([1, 1, 1, 2, 3]),
        failsafe_w=0.0,
        slow=rng.random() < 0.3,
        throttles=rng.random() < 0.7,
        rng=rng,
    )


def _share_failsafe(chargers: list[Charger], feeder: Feeder) -> None:
    """Each may draw a little by itself; all of them together stay within every limit."""
    tightest = min(circuit.power_limit_w for circuit in feeder.circuits.values())
    for charger in chargers:
        share_w = min(charger.rated_w, tightest / len(chargers))
        charger.failsafe_w = share_w if charger.throttles or share_w == charger.rated_w else 0.0


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_contactor_closes_into_an_overload_and_every_decision_has_a_reason(seed: int) -> None:
    site = Site(random.Random(seed))
    for _ in range(60):
        site.disturb()
        plant, commands = site.scan()
        for station in plant.stations:
            _check(station, commands[station.name], plant)
        site.pass_on(commands)
        assert not site.overloads()


def _check(station: Station, command: Command, plant: Plant) -> None:
    seen = station.reading
    assert command.charge_enable == (command.reason is LimitReason.NONE)
    if not command.charge_enable:
        assert command.power_limit_w == 0
        return
    assert seen is not None
    assert seen.vehicle_connected
    assert (seen.user_stopped, seen.fully_charged, seen.fault, station.held) == (False,) * 4
    assert plant.price is not None
    assert plant.price <= plant.rules.price_limit
    assert station.minimum_w <= command.power_limit_w <= station.rating_w


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_where_all_is_well_nobody_starves_and_nobody_hunts(seed: int) -> None:
    """Equal priorities, steady price and voltage: all get turns, and switch no oftener than turns ask."""
    site = Site(random.Random(seed))
    for charger in site.chargers:
        charger.priority, charger.failsafe_w = 1, 0.0
    could = {c.name for c in site.chargers if _fits_alone(c, site.feeder)}
    had_a_turn: set[str] = set()
    switchings = dict.fromkeys((c.name for c in site.chargers), 0)
    scans = int((2 * RULES.rotation_s + 20) * (len(site.chargers) + 1))
    for _ in range(scans):
        _, commands = site.scan()
        before = {c.name: c.closed for c in site.chargers}
        site.pass_on(commands)
        for charger in site.chargers:
            switchings[charger.name] += charger.closed != before[charger.name]
        had_a_turn |= {c.name for c in site.chargers if c.closed}
    assert had_a_turn == could
    # A turn is a closing and an opening, and lasts rotation_s at the least.
    most = 2 * (scans * PERIOD_S / RULES.rotation_s + 1)
    assert max(switchings.values()) <= most


def _fits_alone(charger: Charger, feeder: Feeder) -> bool:
    tightest = min(feeder.circuits[name].power_limit_w for name in feeder.path(charger.circuit))
    return tightest >= (charger.rated_w / 3 if charger.throttles else charger.rated_w)
