"""Station files: what they may leave out, and how every fault in them is told."""

from pathlib import Path

import pytest

from register_maps.yaml_file import BadFile, place_text
from rtu_firmware.station_file import StationFile, read_station

EXAMPLES = Path(__file__).parents[2] / "examples"

SHORTEST = """
name: RTS1
board: sim
listen: {port: 5021}
rated_power_w: 3300
minimum_power_w: 1300
"""


def station(folder: Path, text: str) -> StationFile:
    path = folder / "station.yaml"
    path.write_text(text)
    return read_station(path)


def faults(folder: Path, text: str) -> dict[str, str]:
    """Message by place."""
    with pytest.raises(BadFile) as caught:
        station(folder, text)
    return {place_text(fault.place).removesuffix(": "): fault.message for fault in caught.value.faults}


@pytest.mark.parametrize("name", ["rts1", "rts2"])
def test_the_examples_are_good(name):
    read = read_station(EXAMPLES / f"{name}.yaml")
    assert read.name == name.upper()
    assert read.vehicle is not None
    assert read.vehicle.capacity_kwh == 24


def test_what_is_left_out_is_safe(tmp_path):
    read = station(tmp_path, SHORTEST)
    assert read.listen.host == "127.0.0.1"
    assert (read.failsafe.timeout_s, read.failsafe.power_limit_w) == (10, 0)
    assert read.nominal_voltage_v == 110
    assert read.emergency_band == (0.85, 1.15)
    assert read.vehicle is None
    assert read.line.resistance_ohm == 0.05


def test_the_ratings_are_the_file_s(tmp_path):
    more = "nominal_voltage_v: 230\nemergency_band: [0.8, 1.2]\n"
    ratings = station(tmp_path, SHORTEST + more).ratings
    assert (ratings.rated_power_w, ratings.minimum_power_w) == (3300, 1300)
    assert (ratings.nominal_voltage_v, ratings.emergency_band) == (230, (0.8, 1.2))


def test_every_fault_is_told_at_once_with_its_place(tmp_path):
    found = faults(
        tmp_path,
        """
name: RTS1
board: breadboard
listen: {port: 70000, hots: 0.0.0.0}
rated_power_w: -3300
failsafe: {timeout_s: 0, power_limit_w: -1}
vehicle: {capacity_kwh: 0, state_of_charge: 101}
line: {resistance_ohm: -0.1}
emergency_band: [0.85]
colour: red
""",
    )
    assert set(found) == {
        "board",
        "listen.port",
        "listen.hots",
        "rated_power_w",
        "minimum_power_w",
        "failsafe.timeout_s",
        "failsafe.power_limit_w",
        "vehicle.capacity_kwh",
        "vehicle.state_of_charge",
        "line.resistance_ohm",
        "emergency_band[1]",
        "colour",
    }
    assert found["minimum_power_w"] == "is missing"
    assert "did you mean 'host'" in found["listen.hots"]
    assert "-3300" in found["rated_power_w"]


def test_a_fault_s_line_is_told(tmp_path):
    with pytest.raises(BadFile, match=r"station\.yaml:5: rated_power_w: must be"):
        station(tmp_path, SHORTEST.replace("3300", "0"))


@pytest.mark.parametrize(
    ("more", "place", "words"),
    [
        ("failsafe: {timeout_s: 3601}", "failsafe.timeout_s", "3600"),
        ("failsafe: {timeout_s: 1.5}", "failsafe.timeout_s", "integer"),
        ("failsafe: {power_limit_w: 3301}", "failsafe.power_limit_w", "above rated_power_w"),
        ("failsafe: {power_limit_w: .inf}", "failsafe.power_limit_w", "finite"),
        ("failsafe: 10", "failsafe", "mapping"),
        ("nominal_voltage_v: 0", "nominal_voltage_v", "greater than 0"),
        ("nominal_voltage_v: .nan", "nominal_voltage_v", "finite"),
        ("emergency_band: [1.0, 1.15]", "emergency_band", "below 1 to above 1"),
        ("emergency_band: [0.85, 1.0]", "emergency_band", "below 1 to above 1"),
        ("emergency_band: [1.15, 0.85]", "emergency_band", "below 1 to above 1"),
        ("vehicle: {capacity_kwh: 24}", "vehicle.state_of_charge", "missing"),
    ],
)
def test_a_fault_is_told_at_its_place(tmp_path, more, place, words):
    found = faults(tmp_path, SHORTEST + more)
    assert list(found) == [place]
    assert words in found[place]


def test_contradictions_are_told_together(tmp_path):
    text = SHORTEST.replace("1300", "4000") + "failsafe: {power_limit_w: 5000}\nemergency_band: [0.8, 0.9]\n"
    found = faults(tmp_path, text)
    assert set(found) == {"minimum_power_w", "failsafe.power_limit_w", "emergency_band"}
    assert "4000 W is above rated_power_w 3300 W" in found["minimum_power_w"]
    assert "[0.8, 0.9]" in found["emergency_band"]


def test_a_station_whose_minimum_is_its_rating_is_good(tmp_path):
    assert station(tmp_path, SHORTEST.replace("1300", "3300")).minimum_power_w == 3300


def test_a_file_that_is_none_is_told(tmp_path):
    with pytest.raises(BadFile, match="can't be read"):
        read_station(tmp_path / "nowhere.yaml")
    assert "not valid YAML" in faults(tmp_path, "name: [")[""]
    assert "mapping" in faults(tmp_path, "- RTS1")[""]


def test_a_role_that_could_hold_the_station_and_not_keep_it_going(tmp_path):
    roles = "{master: {write: all}, operator: {write: [stop_request]}, feed: {write: [price]}}"
    text = SHORTEST.replace("port: 5021", f"port: 5021, roles: {roles}")
    found = faults(tmp_path, text)
    assert found["listen.roles.feed.write"].startswith("whoever writes price holds the station")
    assert set(found) == {"listen.roles.feed.write", "listen.roles"}
