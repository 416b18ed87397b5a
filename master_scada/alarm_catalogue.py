"""What the master can alarm about: the entries of alarm_catalogue.yaml, checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, MaxLen
from pydantic import Strict, with_config

from register_maps.vocabulary import AlarmCode, AlarmPriority
from register_maps.yaml_file import STRICT_KEYS, Faults, Real, read_yaml, unknown

PATH = Path(__file__).with_name("alarm_catalogue.yaml")
TEXT_BYTES, REMEDY_BYTES = 120, 100
"""What the registers have room for."""
CODES = tuple(AlarmCode)
SITE, CIRCUIT, STATION = "site", "circuit", "station"
WORDS: Mapping[AlarmCode, frozenset[str]] = {
    AlarmCode.SCAN_OVERRUN: frozenset({"missed", "overruns"}),
    AlarmCode.CLOCK_STEPPED: frozenset({"seconds"}),
    AlarmCode.JOURNAL_FAILED: frozenset({"trouble"}),
    AlarmCode.MASTER_ABOVE_SILENT: frozenset({"limit"}),
    AlarmCode.UNAUTHORISED_WRITE: frozenset({"who"}),
    AlarmCode.CERTIFICATE_EXPIRES: frozenset({"file", "when"}),
    AlarmCode.OTHER_MASTER: frozenset({"which"}),
    AlarmCode.CIRCUIT_OVER_LIMIT: frozenset({"power", "limit"}),
    AlarmCode.VOLTAGE_LOW: frozenset({"voltage", "station", "edge"}),
    AlarmCode.VOLTAGE_HIGH: frozenset({"voltage", "station", "edge"}),
    AlarmCode.RTU_SILENT: frozenset({"counted", "trouble"}),
    AlarmCode.DOUBTFUL_VALUES: frozenset({"values"}),
    AlarmCode.COMMAND_NOT_ARRIVED: frozenset({"why"}),
    AlarmCode.COMMAND_NOT_FOLLOWED: frozenset({"what", "counted"}),
    AlarmCode.DRAWS_TOO_MUCH: frozenset({"power", "limit"}),
}
"""What conditions.py has to say of each case."""


@with_config(STRICT_KEYS)
@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Of one code; the file says what each key means."""

    scope: Literal["site", "circuit", "station"]
    priority: Literal["urgent", "high", "medium", "low"]
    on_delay_s: Annotated[Real, Ge(0), Le(3600)]
    off_delay_s: Annotated[Real, Ge(1), Le(3600)]
    deadband: Annotated[Real, Gt(0), Le(0.5)] | None = None
    latch: Annotated[bool, Strict()] = False
    suppressed_by: Annotated[list[AlarmCode], MaxLen(4)] = field(default_factory=list)
    text: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An entry, ready to use."""

    code: AlarmCode
    scope: str
    priority: AlarmPriority
    on_delay_s: float
    off_delay_s: float
    deadband: float
    latch: bool
    suppressed_by: tuple[AlarmCode, ...]
    text: str
    remedy: str


Catalogue = Mapping[AlarmCode, Rule]


@cache
def catalogue() -> Catalogue:
    return read_catalogue(PATH)


def read_catalogue(path: Path) -> Catalogue:
    """Every code's rule; BadFile with every fault in the file."""
    faults = Faults(path)
    data = read_yaml(path)
    known = [code.value for code in CODES[1:]]
    for name in data.keys() - set(known):
        faults.add((name,), unknown("alarm", name, known))
    for name in known:
        if name not in data:
            faults.add((), f"{name} is missing")
    given = {AlarmCode(name): faults.parse(Entry, data[name], (name,)) for name in known if name in data}
    entries = {code: entry for code, entry in given.items() if entry}
    for code, entry in entries.items():
        for key, message in _contradictions(code, entry, entries):
            faults.add((code.value, key), message)
    faults.raise_if_any()
    return {code: _rule(code, entry) for code, entry in entries.items()}


def _contradictions(
    code: AlarmCode, entry: Entry, entries: Mapping[AlarmCode, Entry]
) -> Iterator[tuple[str, str]]:
    try:
        used = {name for _, name, _, _ in Formatter().parse(entry.text) if name is not None}
    except ValueError as error:
        yield "text", f"is no template: {error}"
        return
    words = WORDS.get(code, frozenset())
    for name in sorted(used - words):
        yield "text", unknown("word", name, sorted(words))
    if not used and len(entry.text.encode()) > TEXT_BYTES:
        yield "text", f"is longer than {TEXT_BYTES} bytes"
    if len(entry.remedy.encode()) > REMEDY_BYTES:
        yield "remedy", f"is longer than {REMEDY_BYTES} bytes"
    for name in entry.suppressed_by:
        other = entries.get(name)
        if other and other.scope != entry.scope:
            yield "suppressed_by", f"{name} is about a {other.scope}, this about a {entry.scope}"
        if other and (other.suppressed_by or name == code):
            yield "suppressed_by", f"{name} may be suppressed itself, and then nobody would tell of this"


def _rule(code: AlarmCode, entry: Entry) -> Rule:
    return Rule(
        code=code,
        scope=entry.scope,
        priority=AlarmPriority(entry.priority),
        on_delay_s=entry.on_delay_s,
        off_delay_s=entry.off_delay_s,
        deadband=entry.deadband or 0.0,
        latch=entry.latch,
        suppressed_by=tuple(entry.suppressed_by),
        text=entry.text,
        remedy=entry.remedy,
    )
