"""What is wired to the header, told and driven in its own words instead of in levels."""

from dataclasses import dataclass

from rtu_firmware.pi.gpio import Gpio
from rtu_firmware.pi.wiring import PiWiring


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """What the inputs say."""

    contactor_closed: bool
    vehicle_connected: bool
    stop_pressed: bool


class Pins:
    """All contacts go to ground and are pulled up; the contactor is driven open before anything else."""

    def __init__(self, wiring: PiWiring, gpio: Gpio) -> None:
        self._wiring, self._gpio = wiring, gpio
        gpio.output(wiring.contactor.pin, wiring.contactor.closes_on == "low")
        for contact in (wiring.feedback, wiring.plug, wiring.stop_button):
            gpio.input(contact.pin, "up")
        if wiring.leds:
            gpio.output(wiring.leds.green, False)
            gpio.output(wiring.leds.red, False)

    def drive_contactor(self, closed: bool) -> None:
        contactor = self._wiring.contactor
        self._gpio.write(contactor.pin, closed == (contactor.closes_on == "high"))

    def contacts(self) -> Contacts:
        feedback, plug, stop = self._wiring.feedback, self._wiring.plug, self._wiring.stop_button
        return Contacts(
            contactor_closed=self._gpio.read(feedback.pin) == (feedback.closed_is == "high"),
            vehicle_connected=self._gpio.read(plug.pin) == (plug.present_is == "high"),
            stop_pressed=self._gpio.read(stop.pin) == (stop.pressed_is == "high"),
        )

    def light(self, *, green: bool, red: bool) -> None:
        if self._wiring.leds:
            self._gpio.write(self._wiring.leds.green, green)
            self._gpio.write(self._wiring.leds.red, red)
