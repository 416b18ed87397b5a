"""Which alarm condition holds when; the rest is the state machine's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from plants import charging, circuit, never_seen, plant, silent, waiting

from master_scada.alarm_catalogue import CODES, PATH, catalogue, read_catalogue
from master_scada.alarms import Condition
from master_scada.conditions import Facts, Sources, conditions, sees_other_master
from master_scada.model import Plant, Scan
from master_scada.quality import Doubt
from master_scada.station import Station
from register_maps.vocabulary import AlarmCode, FaultCode, MasterRole, Quality, QualityCause, Unfollowed
from register_maps.yaml_file import BadFile

NO_FACTS = Facts()
RULES = catalogue()


def scan(plant: Plant, **more: Any) -> Scan:
    return Scan(number=1, at=plant.now, took_s=0.1, plant=plant, commands={}, **({"overruns": 0} | more))


def found(
    plant: Plant, facts: Facts = NO_FACTS, before: Scan | None = None, **more: Any
) -> dict[tuple[str, AlarmCode], Condition]:
    sources = Sources((s.name for s in plant.stations), plant.feeder.circuits)
    by_number = conditions(before, scan(plant, **more), facts, sources, RULES)
    return {(sources.names[n // 32], CODES[n % 32]): condition for n, condition in by_number.items()}


def texts(plant: Plant, facts: Facts = NO_FACTS, **more: Any) -> dict[str, str]:
    """What is told of each source, where something holds."""
    return {
        source: RULES[code].text.format_map(condition.words)
        for (source, code), condition in found(plant, facts, **more).items()
        if condition.holds
    }


def station(seen: Station, **more: Any) -> Station:
    return replace(seen, **more)


DOUBT = Doubt(quality=Quality.UNCERTAIN, cause=QualityCause.STALE)
OF_STATIONS = [
    (silent(charging(), told_to_charge=True), AlarmCode.RTU_SILENT, "counted as drawing 3300 W. "),
    (never_seen(), AlarmCode.RTU_SILENT, "counted as drawing an unknown power."),
    (
        station(silent(waiting()), trouble="no reply"),
        AlarmCode.RTU_SILENT,
        "counted as drawing 0 W. no reply",
    ),
    (waiting(fault=True, fault_code=FaultCode.CONTACTOR_WELDED), AlarmCode.CONTACTOR_WELDED, "did not"),
    (waiting(fault=True, fault_code=FaultCode.CONTACTOR_NOT_CLOSED), AlarmCode.CONTACTOR_NOT_CLOSED, ""),
    (waiting(fault=True, fault_code=FaultCode.SENSOR_FAILED), AlarmCode.SENSOR_FAILED, ""),
    (waiting(fault=True, fault_code=FaultCode.IMPLAUSIBLE_VALUE), AlarmCode.IMPLAUSIBLE_VALUE, ""),
    (
        waiting(doubts={"voltage": DOUBT, "power": replace(DOUBT, cause=QualityCause.NO_VALUE)}),
        AlarmCode.DOUBTFUL_VALUES,
        "power no value, voltage stale",
    ),
    (
        station(waiting(), unfollowed=Unfollowed.NOT_ARRIVED, refusal="exception 6"),
        AlarmCode.COMMAND_NOT_ARRIVED,
        "exception 6",
    ),
    (
        station(charging(), unfollowed=Unfollowed.NOT_OPENED),
        AlarmCode.COMMAND_NOT_FOLLOWED,
        "Its contactor was told to open, and is closed. It is counted as drawing 3300 W.",
    ),
    (
        station(waiting(), unfollowed=Unfollowed.NOT_CLOSED),
        AlarmCode.COMMAND_NOT_FOLLOWED,
        "told to close, and is open",
    ),
    (
        station(charging(power_limit_w=1500.0), unfollowed=Unfollowed.OVERDRAWS),
        AlarmCode.DRAWS_TOO_MUCH,
        "It draws 3300 W and may draw 1500 W.",
    ),
    (waiting(failsafe_active=True), AlarmCode.STATION_FAILSAFE, ""),
]


@pytest.mark.parametrize(("of", "code", "text"), OF_STATIONS)
def test_of_a_station(of: Station, code: AlarmCode, text: str) -> None:
    here = found(plant(of))
    assert {c for (source, c) in here if source == "A"} == {code}
    assert text in texts(plant(of))["A"]


def test_a_station_that_is_well_has_none() -> None:
    assert found(plant(waiting(), charging("B"))) == {}


def test_who_does_not_steer_does_not_wonder_about_failsafes() -> None:
    assert found(plant(waiting(failsafe_active=True)), role=MasterRole.STANDBY) == {}


def test_a_master_that_is_replaced_says_so_once() -> None:
    here = plant(waiting())
    steering, watching = {"term": 1001}, {"role": MasterRole.STANDBY, "term": 2002}
    told = texts(here, before=scan(here, **steering), **watching)["site"]
    assert told == (
        "This site has two masters: the other one has taken over in term 2002, this one steered in 1001"
    )
    assert found(here, before=scan(here, **watching), **watching) == {}


def test_who_takes_over_from_a_master_that_it_has_seen_says_so_once() -> None:
    here, saw = plant(waiting()), Facts(saw_other_master=True)
    watching, steering = scan(here, role=MasterRole.STANDBY, term=1001), {"term": 2002}
    told = texts(here, saw, before=watching, **steering)["site"]
    assert told.endswith(
        "two masters: the other one is silent, so this one steers, in term 2002. Nobody stands by"
    )
    assert found(here, before=watching, **steering) == {}  # as the first of the two, when it is started
    assert found(here, saw, before=scan(here, **steering), **steering) == {}


STANDBY = MasterRole.STANDBY
AGES = [
    (0.9, 0.2, STANDBY, True),
    (0.9, 1.9, STANDBY, False),
    (None, 0.2, STANDBY, False),
    (0.9, None, STANDBY, False),
    (0.9, 0.2, MasterRole.STEERING, False),  # it was this one
]


@pytest.mark.parametrize(("before_s", "after_s", "was", "seen"), AGES)
def test_another_master_is_seen_by_what_the_stations_hear(
    before_s: float | None, after_s: float | None, was: MasterRole, seen: bool
) -> None:
    before = scan(plant(waiting(master_age_s=before_s), silent(waiting("B"))), role=was)
    after = scan(plant(waiting(master_age_s=after_s), waiting("B", master_age_s=0.1)), role=STANDBY)
    assert sees_other_master(before, after) is seen
    assert not sees_other_master(None, after)


OF_THE_SITE = [
    (Facts(clock_step_s=-3600.2), AlarmCode.CLOCK_STEPPED, "jumped by -3600 s"),
    (Facts(journal_trouble="disk full"), AlarmCode.JOURNAL_FAILED, "wait in memory. disk full"),
    (Facts(failsafe_active=True), AlarmCode.MASTER_ABOVE_SILENT, "failsafe limit of 5000 W"),
    (Facts(refused_write="h may not write"), AlarmCode.UNAUTHORISED_WRITE, "h may not write"),
    (
        Facts(certificate_file="m.crt", certificate_days=12.3),
        AlarmCode.CERTIFICATE_EXPIRES,
        "m.crt: expires in 12",
    ),
    (Facts(certificate_file="m.crt", certificate_days=-1), AlarmCode.CERTIFICATE_EXPIRES, "has expired"),
]


@pytest.mark.parametrize(("facts", "code", "text"), OF_THE_SITE)
def test_of_the_site(facts: Facts, code: AlarmCode, text: str) -> None:
    assert found(plant(waiting()), facts).keys() == {("site", code)}
    assert text in texts(plant(waiting()), facts)["site"]


def test_the_price_and_overruns() -> None:
    assert found(plant(waiting(), price=None)).keys() == {("site", AlarmCode.PRICE_UNKNOWN)}
    before = scan(plant(waiting()), overruns=2)
    assert found(plant(waiting()), before=before, overruns=2) == {}
    late = texts(plant(waiting()), before=before, overruns=5)
    assert late["site"].startswith("The master was too slow: 3 scans missed, 5 since")


@pytest.mark.parametrize(
    "facts", [Facts(clock_step_s=1.9), Facts(clock_step_s=-1.9), Facts(certificate_days=31)]
)
def test_what_is_near_is_not_yet_so(facts: Facts) -> None:
    assert found(plant(waiting()), facts) == {}


def of_feeder(plant: Plant, code: AlarmCode) -> bool | None:
    """True: it holds; False: not any more, but it goes on; None: neither."""
    assert texts(plant) is not None  # the words are those of the text
    condition = found(plant).get(("feeder", code))
    return None if condition is None else condition.holds


@pytest.mark.parametrize(("power_w", "holds"), [(5060, True), (5040, False), (5000, None), (0, None)])
def test_a_circuit_over_its_limit(power_w: float, holds: bool | None) -> None:
    here = plant(charging(power_w=power_w), waiting("B"))
    assert of_feeder(here, AlarmCode.CIRCUIT_OVER_LIMIT) is holds


def test_power_counts_on_every_circuit_on_the_way() -> None:
    two = (circuit("main", 5000), circuit("row", 3000, "main"))
    here = found(plant(charging(place="row", power_w=4000), circuits=two))
    assert [source for source, code in here if code is AlarmCode.CIRCUIT_OVER_LIMIT] == ["row"]


def test_a_silent_station_may_be_what_is_too_much() -> None:
    gone = silent(charging("B"), told_to_charge=True)
    assert of_feeder(plant(charging(), gone), AlarmCode.CIRCUIT_OVER_LIMIT) is False


@pytest.mark.parametrize(
    ("voltage_v", "low", "high"),
    [
        (104.4, True, None),
        (104.6, False, None),
        (105.1, None, None),
        (115.4, None, False),
        (115.6, None, True),
    ],
)
def test_the_edges_of_the_voltage(voltage_v: float, low: bool | None, high: bool | None) -> None:
    here = plant(waiting(), waiting("B", voltage_v=voltage_v), waiting("C", voltage_v=None))
    assert of_feeder(here, AlarmCode.VOLTAGE_LOW) is low
    assert of_feeder(here, AlarmCode.VOLTAGE_HIGH) is high
    if low:
        assert texts(here)["feeder"].startswith("104.4 V at B, below 104.5 V.")


def test_nobody_knows_that_an_unknown_voltage_is_back() -> None:
    assert of_feeder(plant(waiting(voltage_v=None)), AlarmCode.VOLTAGE_LOW) is False
    assert of_feeder(plant(silent(waiting())), AlarmCode.VOLTAGE_HIGH) is False


CHANGES: list[tuple[str, Callable[[str], str], str]] = [
    ("another word", lambda t: t.replace("{missed}", "{mist}"), "scan_overrun.text: there is no word 'mist'"),
    ("another key", lambda t: t.replace("latch: true", "latsch: true"), "did you mean 'latch'?"),
    ("another alarm", lambda t: t.replace("rtu_silent:\n", "rtu_quiet:\n"), "rtu_silent is missing"),
    (
        "no delay",
        lambda t: t.replace("off_delay_s: 60", "off_delay_s: 0", 1),
        "scan_overrun.off_delay_s: must",
    ),
    (
        "a cause elsewhere",
        lambda t: t.replace("[rtu_silent]", "[price_unknown]", 1),
        "contactor_not_closed.suppressed_by: price_unknown is about a site, this about a station",
    ),
    (
        "a hidden cause",
        lambda t: t.replace("[rtu_silent]", "[station_failsafe]", 1),
        "station_failsafe may be suppressed itself",
    ),
    ("a long remedy", lambda t: t.replace("remedy: ", f"remedy: {'x' * 100}", 1), "longer than 100 bytes"),
]


@pytest.mark.parametrize(("change", "message"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_the_catalogue_s_faults_are_told(tmp_path: Any, change: Callable[[str], str], message: str) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(change(PATH.read_text()))
    with pytest.raises(BadFile) as caught:
        read_catalogue(path)
    assert message in str(caught.value)


def test_every_code_is_in_the_catalogue() -> None:
    assert list(RULES) == list(AlarmCode)[1:]
