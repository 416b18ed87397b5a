"""The header of a Raspberry Pi with what is wired to it, under the calls of RPi.GPIO.

`GpioHeader` stands in for the module RPi.GPIO: pins are inputs with the pulls of a reset until they are set
up, wrong use raises what RPi.GPIO raises, and each change of a pin's level is kept with its time. Around
it: a push button and other contacts, which bounce, and a contactor whose auxiliary contact is an input.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

LOWEST_PULLED_DOWN = 9
"""After a reset GPIO 0 to 8 are pulled up, the others down."""
PINS = range(28)
Wire = Callable[[], bool | None]
"""The level that something outside gives a pin, None while it leaves the pin alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A pin has another level since `at`."""

    at: float
    pin: int
    level: bool


@dataclass(slots=True, kw_only=True)
class _Pin:
    pull: bool | None
    output: bool | None = None
    """The level that it drives; None for an input."""
    is_set_up: bool = False
    latch: bool = False
    wire: Wire | None = None


class GpioHeader:
    """To be given to the code in place of the module RPi.GPIO."""

    BOARD, BCM = 10, 11
    OUT, IN = 0, 1
    LOW, HIGH = 0, 1
    PUD_OFF, PUD_DOWN, PUD_UP = 20, 21, 22

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.edges: list[Edge] = []
        self.shorts: list[int] = []
        """Pins that drove high what a contact held to ground, or the other way round."""
        self.broken: set[int] = set()
        """Pins at which every call fails, as on a chip that is gone."""
        self.calls = 0
        self._mode: int | None = None
        self._pins = {n: _Pin(pull=n < LOWEST_PULLED_DOWN) for n in PINS}
        self._listeners: list[Callable[[int], None]] = []
        self._noise = False

    # What RPi.GPIO has.

    def setwarnings(self, wanted: bool) -> None:
        pass

    def getmode(self) -> int | None:
        return self._mode

    def setmode(self, mode: int) -> None:
        if self._mode not in (None, mode):
            raise ValueError("A different mode has already been set!")
        self._mode = mode

    def gpio_function(self, pin: int) -> int:
        return self.IN if self._pin(pin).output is None else self.OUT

    def setup(
        self, pin: int, direction: int, pull_up_down: int = PUD_OFF, initial: int | None = None
    ) -> None:
        found = self._pin(pin)
        before = self.level_or_none(pin)
        if direction == self.OUT:
            if pull_up_down != self.PUD_OFF:
                raise ValueError("pull_up_down parameter is not valid for outputs")
            # Without an initial level it drives whatever was written to it last, or 0.
            found.latch = found.latch if initial is None else bool(initial)
            found.pull, found.output = None, found.latch
        else:
            if initial is not None:
                raise ValueError("initial parameter is not valid for inputs")
            found.output = None
            found.pull = {self.PUD_OFF: None, self.PUD_DOWN: False, self.PUD_UP: True}[pull_up_down]
        found.is_set_up = True
        self._note(pin, before)

    def output(self, pin: int, level: int) -> None:
        found = self._pin(pin)
        if found.output is None:
            raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
        before = self.level_or_none(pin)
        found.output = found.latch = bool(level)
        self._note(pin, before)

    def input(self, pin: int) -> int:
        if not self._pin(pin).is_set_up:
            raise RuntimeError("You must setup() the GPIO channel first")
        return int(self.level(pin))

    def cleanup(self) -> None:
        """What ends as an input here may pull in a relay."""
        for n, pin in self._pins.items():
            before = self.level_or_none(n)
            pin.output, pin.pull, pin.is_set_up = None, None, False
            self._note(n, before)
        self._mode = None

    # What is around it.

    def connect(self, pin: int, wire: Wire) -> None:
        self._pins[pin].wire = wire

    def on_edge(self, listener: Callable[[int], None]) -> None:
        """`listener` gets the pin, when the firmware has changed its level."""
        self._listeners.append(listener)

    def level(self, pin: int) -> bool:
        """As a scope would show it. What nobody drives or pulls is noise."""
        level = self.level_or_none(pin)
        if level is None:
            self._noise = not self._noise
            return self._noise
        return level

    def edges_of(self, pin: int) -> list[bool]:
        return [edge.level for edge in self.edges if edge.pin == pin]

    def _pin(self, pin: int) -> _Pin:
        self.calls += 1
        if self._mode is None:
            raise RuntimeError("Please set pin numbering mode using GPIO.setmode(GPIO.BCM)")
        if pin not in self._pins:
            raise ValueError("The channel sent is invalid on a Raspberry Pi")
        if pin in self.broken:
            raise RuntimeError("the chip is gone")
        return self._pins[pin]

    def level_or_none(self, pin: int) -> bool | None:
        """None where nobody drives or pulls it."""
        found = self._pins[pin]
        outside = found.wire() if found.wire else None
        if found.output is None:
            return found.pull if outside is None else outside
        if outside not in (None, found.output):
            self.shorts.append(pin)
        return found.output

    def _note(self, pin: int, before: bool | None) -> None:
        level = self.level_or_none(pin)
        if level is before:
            return
        if level is not None:
            self.edges.append(Edge(at=self.now(), pin=pin, level=level))
        for listener in self._listeners:
            listener(pin)


@dataclass(kw_only=True)
class Contact:
    """Goes to ground. Each time that it moves it bounces for `bounce_s`."""

    now: Callable[[], float]
    is_made: bool = False
    bounce_s: float = 0.005
    _moved_at: float = field(default=-1e9)

    def make(self, made: bool = True) -> None:
        if made is not self.is_made:
            self.is_made, self._moved_at = made, self.now()

    def wire(self) -> bool | None:
        """For the pin: ground or nothing."""
        since_s = self.now() - self._moved_at
        lifted = since_s < self.bounce_s and int(since_s * 5000) % 2 == 1
        return False if self.is_made is not lifted else None


class Contactor:
    """Its coil hangs on a pin by a driver that may be on where the pin floats, so here it is; `auxiliary`
    moves with it."""

    def __init__(
        self, header: GpioHeader, pin: int, *, closes_on: str = "high", takes_s: float = 0.02
    ) -> None:
        self._header, self._pin, self._active = header, pin, closes_on == "high"
        self._takes_s = takes_s
        self.auxiliary = Contact(now=header.now)
        self.pulls: list[float] = []
        """When the coil was switched on."""
        self.welded = self.stuck_open = False
        self.is_supplied = True
        """False where the voltage is too low for the coil to hold."""
        self._coil = self._is_on()
        self._closed = False
        self._moves_at = 0.0
        header.on_edge(self._on_edge)

    @property
    def coil_is_on(self) -> bool:
        return self._is_on()

    def is_closed(self) -> bool:
        """As of now."""
        self._settle()
        return self._closed

    def feedback(self) -> bool | None:
        """The wire to its pin: the auxiliary contact, which is made while it is closed."""
        self._settle()
        return self.auxiliary.wire()

    def dip(self, *, lasting: bool) -> None:
        """The supply of the coil goes away, or is back."""
        self.is_supplied = not lasting
        self._follow()

    def _is_on(self) -> bool:
        return self.is_supplied and self._header.level_or_none(self._pin) in (None, self._active)

    def _on_edge(self, pin: int) -> None:
        if pin == self._pin:
            self._follow()

    def _follow(self) -> None:
        self._settle()
        on = self._is_on()
        if on and not self._coil:
            self.pulls.append(self._header.now())
        if on is not self._coil:
            self._coil, self._moves_at = on, self._header.now() + self._takes_s

    def _settle(self) -> None:
        if self._closed is self._coil or self._header.now() < self._moves_at:
            return
        if self.stuck_open if self._coil else self.welded:
            return
        self._closed = self._coil
        self.auxiliary.make(self._closed)
