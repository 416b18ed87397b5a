"""A low-voltage network as plain values: what the power flow is made of, whoever described it.

Buses are names. Impedances are of the whole line, in ohms: positive and zero sequence, so that a
two-wire circuit of loop resistance R is a line with r1 = r0 = R.
"""

from dataclasses import dataclass

PHASES = "abc"

VECTOR_GROUPS = {"Dyn": 11, "Dzn": 0, "YNyn": 0, "Yzn": 11}
"""Those that feed a neutral, with their usual clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    name: str
    from_bus: str
    to_bus: str
    r1_ohm: float
    x1_ohm: float
    r0_ohm: float
    x0_ohm: float
    c1_f: float = 0.0
    c0_f: float = 0.0
    max_current_a: float | None = None
    """None: nobody has said what it carries, so nothing is said about its loading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformer:
    name: str
    from_bus: str
    """The high-voltage side."""
    to_bus: str
    rated_va: float
    from_voltage_v: float
    """Line to line, as all nameplates say it."""
    to_voltage_v: float
    short_circuit_pu: float
    copper_loss_pu: float
    """Its resistive part of the short-circuit voltage."""
    no_load_loss_w: float = 0.0
    no_load_current_pu: float = 0.0
    vector_group: str = "Dyn"
    clock: int = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A stiff source."""

    bus: str
    voltage_pu: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """Where something is connected between phases and neutral: a home, a roof, a station.

    `phases` is "a", "b" or "c", or "abc" for a load that draws a third of its power from each.
    """

    name: str
    bus: str
    phases: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a network's description says of a connected customer, once at its quiet and once at its busy
    hour; both are the same where it tells but one."""

    tap: Tap
    low_w: float
    low_var: float
    high_w: float
    high_var: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Radial or meshed. `nominal_voltage_v` is line to line, by bus."""

    source: Source
    nominal_voltage_v: dict[str, float]
    lines: tuple[Line, ...]
    transformers: tuple[Transformer, ...] = ()
    loads: tuple[Load, ...] = ()
    phases: str = PHASES
    """Only "a" for a network of two wires, on which nothing else can be connected."""
    assumptions: tuple[str, ...] = ()
    """Sentences for the report: what the description did not say and the reader has put in."""
