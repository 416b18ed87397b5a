"""Values as a person reads them; a dash where there is none."""

NO_VALUE = "–"


def price(value: float | None) -> str:
    """At least two decimals, and as many more as the price has: 0.2001 is above 0.20."""
    if value is None:
        return NO_VALUE
    return _trimmed(value, 4)


def power(watts: float | None) -> str:
    return _with_prefix(watts, "W")


def energy(watt_hours: float | None) -> str:
    return _with_prefix(watt_hours, "Wh")


def kilowatts(watts: float | None) -> str:
    return NO_VALUE if watts is None else f"{watts / 1000:.2f} kW"


def kilowatt_limit(watts: float | None) -> str:
    """To the watt: nobody shall agree to less than what is written."""
    return NO_VALUE if watts is None else f"{_trimmed(watts / 1000, 3)} kW"


def voltage(volts: float | None) -> str:
    return NO_VALUE if volts is None else f"{volts:.1f} V"


def percent(value: float | None, *, estimated: bool = False) -> str:
    """Never 100 before it is: rounded down, but for what a register's last digit adds."""
    return NO_VALUE if value is None else f"{'≈ ' if estimated else ''}{int(value + 0.05)} %"


def _trimmed(value: float, decimals: int) -> str:
    """At least two decimals."""
    whole, _, rest = f"{value:.{decimals}f}".partition(".")
    return f"{whole}.{rest.rstrip('0'):0<2}"


def _with_prefix(value: float | None, unit: str) -> str:
    if value is None:
        return NO_VALUE
    return f"{value:.0f} {unit}" if abs(value) < 999.5 else f"{value / 1000:.2f} k{unit}"
