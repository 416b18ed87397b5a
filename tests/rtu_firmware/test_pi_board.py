"""The Pi's board: what it makes of contacts and sensors, its lamps, and its ends."""

import pytest
from gpio_header import Contactor, GpioHeader
from pi_hardware import station_file
from still_clock import StillClock
from test_pi_gpio import package, wiring

from modbus_link.errors import BadInput
from register_maps.vocabulary import ChargeState
from rtu_firmware.board import Measurement
from rtu_firmware.boards import open_board
from rtu_firmware.pi.board import PiBoard
from rtu_firmware.pi.gpio import Header
from rtu_firmware.pi.guard import SAMPLES, SILENCE_S
from rtu_firmware.pi.pins import Pins
from rtu_firmware.pi.sensing import Sensed, Sensing, SensorError

FEEDBACK, PLUG, STOP, GREEN, RED = 27, 22, 23, 24, 25


class Box:
    """A sensor that says what it is told to."""

    def __init__(self, name: str, **values: float) -> None:
        self.name = name
        self.values = values
        self.trouble = ""

    async def read(self) -> Sensed:
        if self.trouble:
            raise SensorError(self.trouble)
        return Sensed(**self.values)

    def close(self) -> None:
        pass


class Bench:
    def __init__(self) -> None:
        self.clock = StillClock()
        self.clock.move_on(100)
        self.header = GpioHeader(self.clock.now)
        self.grounded = {STOP, PLUG}
        for pin in (FEEDBACK, PLUG, STOP):
            self.header.connect(pin, lambda pin=pin: False if pin in self.grounded else None)
        self.meter = Box("meter", voltage_v=12.0, current_a=4.0, power_w=48.0)
        self.gauge = Box("gauge", state_of_charge_pct=40.0)
        sensing = Sensing([self.meter, self.gauge], self.clock)
        self.board = PiBoard(Pins(wiring(), Header(self.header)), sensing, self.clock)

    async def round(self, elapsed_s: float = 0.2) -> Measurement:
        """Time passes, the sensors are read, the contacts settle."""
        self.clock.move_on(elapsed_s)
        await self.board.sensing.round()
        return self.measure()

    def measure(self) -> Measurement:
        for _ in range(SAMPLES):
            self.board.watch.look()
        return self.board.measure(self.clock.now())

    @property
    def lamps(self) -> tuple[bool, bool]:
        return self.header.level(GREEN), self.header.level(RED)


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_it_tells_what_contacts_and_sensors_say(bench):
    seen = await bench.round()
    assert seen == Measurement(
        at=bench.clock.now(),
        vehicle_connected=True,
        contactor_closed=False,
        voltage_v=12.0,
        current_a=4.0,
        power_w=48.0,
        state_of_charge_pct=40.0,
    )
    bench.grounded = {FEEDBACK}
    seen = await bench.round()
    assert (seen.contactor_closed, seen.vehicle_connected, seen.stop_pressed) == (True, False, True)


async def test_before_the_first_round_it_knows_no_value(bench):
    seen = bench.measure()
    assert (seen.voltage_v, seen.power_w, seen.state_of_charge_pct) == (None, None, None)


@pytest.mark.parametrize("which", ["meter", "gauge"])
async def test_values_grow_old_while_a_sensor_is_in_trouble(bench, which):
    since = (await bench.round()).at
    getattr(bench, which).trouble = "no device at 0x40"
    for _ in range(3):
        seen = await bench.round(1.0)
    assert (seen.at, seen.trouble) == (since, "no device at 0x40")
    assert (seen.voltage_v, seen.state_of_charge_pct) == (12.0, 40.0)
    getattr(bench, which).trouble = ""
    seen = await bench.round(1.0)
    assert (seen.at, seen.trouble) == (bench.clock.now(), "")


async def test_a_sensor_that_hangs_is_told(bench):
    """It raises nothing, and keeps the gauge, which comes after it, from being read."""
    await bench.round()
    bench.clock.move_on(1.9)
    assert bench.measure().trouble == ""
    bench.clock.move_on(0.2)
    seen = bench.measure()
    assert seen.trouble.startswith("meter: nothing new for 2 s: does its bus hang?; gauge: nothing new")
    assert (await bench.round()).trouble == ""


async def test_troubles_are_told_together(bench):
    bench.meter.trouble, bench.gauge.trouble = "no device at 0x40", "no device at 0x36"
    assert (await bench.round()).trouble == "no device at 0x40; no device at 0x36"


async def test_without_a_vehicle_nobody_misses_its_gauge(bench):
    bench.grounded.remove(PLUG)
    bench.gauge.trouble = "no device at 0x36"
    seen = await bench.round(60.0)
    assert (seen.at, seen.trouble, seen.state_of_charge_pct) == (bench.clock.now(), "", None)


async def test_a_gauge_that_has_just_arrived_has_time_and_tells_nothing_of_the_vehicle_before(bench):
    await bench.round()
    bench.grounded.remove(PLUG)
    bench.gauge.trouble = "no device at 0x36"
    await bench.round(60.0)
    bench.grounded.add(PLUG)
    plugged = await bench.round(60.0)
    assert (plugged.at, plugged.state_of_charge_pct) == (bench.clock.now(), None)
    assert (await bench.round(1.0)).at == plugged.at, "it is waited for"
    bench.gauge.trouble, bench.gauge.values = "", {"state_of_charge_pct": 7.0}
    seen = await bench.round(0.2)
    assert (seen.at, seen.state_of_charge_pct) == (bench.clock.now(), 7.0)


async def test_contacts_that_can_not_be_read_grow_old_too(bench):
    bench.board.switch(True, bench.clock.now())
    since = (await bench.round()).at
    bench.header.broken = {PLUG}
    seen = await bench.round(0.2)
    assert seen.tripped
    assert seen.trouble == "GPIO 22: the chip is gone"
    assert not bench.header.level(17)
    assert seen.at == since


async def test_a_stop_is_told_until_it_was_followed_and_the_button_is_released(bench):
    bench.board.switch(True, bench.clock.now())
    bench.grounded.remove(STOP)
    assert (await bench.round()).stop_pressed
    assert not bench.header.level(17)
    bench.board.switch(False, bench.clock.now())
    assert (await bench.round()).stop_pressed
    bench.grounded.add(STOP)
    assert (await bench.round()).stop_pressed, "not yet followed since"
    bench.board.switch(False, bench.clock.now())
    assert not (await bench.round()).stop_pressed


async def test_a_hung_loop_is_told_when_it_is_back(bench, caplog):
    bench.board.switch(True, bench.clock.now())
    seen = await bench.round(SILENCE_S + 0.1)
    assert seen.tripped
    assert "no order for 1 s" in seen.trouble
    bench.measure()
    assert caplog.text.count("no order for 1 s") == 1


@pytest.mark.parametrize(
    ("state", "at", "lamps"),
    [
        (ChargeState.AVAILABLE, 0.0, (False, False)),
        (ChargeState.PREPARING, 0.0, (True, False)),
        (ChargeState.CHARGING, 0.0, (True, False)),
        (ChargeState.SUSPENDED_EV, 0.7, (True, False)),
        (ChargeState.SUSPENDED_EVSE, 0.0, (False, True)),
        (ChargeState.FINISHING, 0.7, (False, True)),
        (ChargeState.FAULTED, 0.0, (False, True)),
        (ChargeState.FAULTED, 0.5, (False, False)),
        (ChargeState.FAULTED, 1.4, (False, True)),
        (ChargeState.FAULTED, 1.6, (False, False)),
    ],
)
def test_lamps_show_the_state(bench, state, at, lamps):
    bench.board.indicate(ChargeState.CHARGING, at)
    bench.board.indicate(state, at)
    assert bench.lamps == lamps


def test_a_lamp_is_set_only_when_it_changes(bench):
    for n in range(20):
        bench.board.indicate(ChargeState.CHARGING, n / 10)
    assert bench.header.edges_of(GREEN) == [True]
    before = bench.header.calls
    bench.board.indicate(ChargeState.CHARGING, 2.0)
    assert bench.header.calls == before


async def test_a_lamp_that_can_not_be_set_opens(bench):
    bench.board.switch(True, bench.clock.now())
    bench.header.broken = {RED}
    bench.board.indicate(ChargeState.CHARGING, 0.0)
    assert not bench.header.level(17)
    assert (await bench.round()).trouble == "GPIO 25: the chip is gone"


def test_closing_opens_for_good_and_never_floats(bench):
    bench.board.switch(True, bench.clock.now())
    bench.board.indicate(ChargeState.CHARGING, 0.0)
    bench.board.close()
    bench.board.switch(True, bench.clock.now())
    bench.board.close()
    assert bench.header.edges_of(17) == [True, False]
    assert bench.header.gpio_function(17) == bench.header.OUT
    assert bench.lamps == (False, False)


@pytest.mark.parametrize("by", ["looking", "closing"])
def test_a_pin_that_another_program_drives_is_opened_again(bench, by):
    """RPi.GPIO shares a pin with everybody."""
    contactor = Contactor(bench.header, 17)
    bench.header.connect(FEEDBACK, contactor.feedback)
    bench.measure()
    bench.header.output(17, True)
    bench.clock.move_on(1.0)
    assert contactor.is_closed()
    if by == "looking":
        bench.measure()
        bench.board.watch.look()
    else:
        bench.board.close()
    assert not contactor.coil_is_on


def test_closing_with_broken_pins_raises_nothing(bench):
    bench.board.switch(True, bench.clock.now())
    bench.header.broken = set(range(28))
    bench.board.close()


def test_pins_that_another_program_has_are_told(tmp_path, monkeypatch):
    package(
        tmp_path,
        "BCM, OUT = 11, 0\ndef setwarnings(on): ...\ndef setmode(mode): ...\ndef gpio_function(pin): ...\n"
        "def setup(pin, direction, initial): raise LookupError('GPIO busy')",
        monkeypatch,
    )
    with pytest.raises(BadInput, match="board: pi: GPIO 17: GPIO busy: does another program use it"):
        open_board(station_file(), StillClock())
