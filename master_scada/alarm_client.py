"""A master's alarms over Modbus, for whoever has its address: `pev-scada alarms`."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from rich.console import Console

from master_scada.alarm_registers import ALL
from master_scada.alarms import MOST_SHELVED_S, OPEN
from modbus_link.client import ModbusClient
from modbus_link.device import Device
from modbus_link.errors import BadInput, ExceptionCode, Refused
from register_maps.points import Value
from register_maps.register_map import load_map
from register_maps.vocabulary import AlarmAction, AlarmState

CONNECT_S = 2.5
_COUNTS = ("alarm_count", "unacknowledged_count", "worst_priority")
_STYLES = {"urgent": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One alarm as the master shows it."""

    number: int
    code: str
    state: str
    priority: str
    source: int
    time: int
    shelved_left: int
    name: str
    text: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants done with an alarm; `number` ALL stands for every one."""

    action: AlarmAction
    number: int
    shelve_s: int = 0


def alarm_wish(
    *,
    acknowledge: str | None,
    shelve: int | None,
    minutes: float | None,
    unshelve: int | None,
    out_of_service: int | None,
    in_service: int | None,
) -> Wish | None:
    """Of the command's options, of which one at the most is given; None for only looking."""
    given = {
        AlarmAction.ACKNOWLEDGE: None if acknowledge is None else _number(acknowledge),
        AlarmAction.SHELVE: shelve,
        AlarmAction.UNSHELVE: unshelve,
        AlarmAction.TAKE_OUT_OF_SERVICE: out_of_service,
        AlarmAction.RETURN_TO_SERVICE: in_service,
    }
    wishes = [Wish(action=action, number=n) for action, n in given.items() if n is not None]
    if len(wishes) > 1:
        raise BadInput("one thing at a time: give only one of --acknowledge, --shelve and the like")
    if (shelve is None) != (minutes is None):
        raise BadInput("--shelve N and --minutes M go together")
    if minutes is not None and not 1 <= 60 * minutes <= MOST_SHELVED_S:
        raise BadInput(f"--minutes {minutes:g}: an alarm may be shelved for a day at the most")
    wish = wishes[0] if wishes else None
    return replace(wish, shelve_s=round(60 * minutes)) if wish and minutes is not None else wish


def _number(text: str) -> int:
    if text == "all":
        return ALL
    if not (text.isascii() and text.isdigit() and 0 < int(text) < ALL):
        raise BadInput(f"--acknowledge {text!r}: the number of an alarm, or all")
    return int(text)


class AlarmClient:
    """Reads the list and acts upon it."""

    def __init__(self, client: ModbusClient) -> None:
        self._client = client
        self._map = load_map("pev_master")
        alarms = self._map.expanded(alarm=self._map.groups["alarm"].max_count)
        names = [name for name in alarms.points if name not in self._map.points]
        self._list = Device(client, alarms, [*_COUNTS, *names])

    async def read(self) -> tuple[dict[str, Value], list[Listed]]:
        """The counts, and the alarms, the worst first; BadInput where somebody else answers."""
        await self._check()
        values = await self._list.read()
        size = self._map.groups["alarm"].max_count
        blocks = [
            {name: values[f"alarm_{n}_{name}"] for name in Listed.__dataclass_fields__}
            for n in range(1, size + 1)
        ]
        return {name: values[name] for name in _COUNTS}, [_listed(b) for b in blocks if b["number"]]

    async def do(self, wish: Wish) -> None:
        """BadInput, where the list has no such alarm or it is not in a state for this."""
        _, listed = await self.read()
        _require_possible(wish, listed)
        values: dict[str, Value] = {"alarm_number": wish.number, "alarm_action": wish.action}
        try:
            await self._list.write(values | ({"shelve_time": wish.shelve_s} if wish.shelve_s else {}))
        except Refused as error:
            if error.code != ExceptionCode.ILLEGAL_FUNCTION:
                raise
            raise BadInput(
                f"{self._client} lets this one only read: its site file names who else may, in `writers`, or"
                " with a role that has write: [alarm_number, alarm_action, shelve_time]"
            ) from error

    async def _check(self) -> None:
        """Another map's registers would be misread."""
        deadline = asyncio.get_running_loop().time() + CONNECT_S
        while not self._client.connected and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        try:
            product = (await self._client.identify(self._map.unit_id)).get(1)
        except Refused:
            return
        if product != self._map.name:
            raise BadInput(f"{self._client} serves {product}: no master, so it has no alarms")


def _listed(block: Mapping[str, Value]) -> Listed:
    return Listed(**block)  # type: ignore[arg-type]


_ONLY_IN = {
    AlarmAction.UNSHELVE: AlarmState.SHELVED,
    AlarmAction.RETURN_TO_SERVICE: AlarmState.OUT_OF_SERVICE,
}


def _require_possible(wish: Wish, listed: list[Listed]) -> None:
    """The master would answer with an exception code alone."""
    if wish.number == ALL:
        return
    found = next((alarm for alarm in listed if alarm.number == wish.number), None)
    if found is None:
        numbers = ", ".join(str(alarm.number) for alarm in listed) or "none"
        raise BadInput(f"there is no alarm {wish.number} in the list; it has: {numbers}")
    needed = _ONLY_IN.get(wish.action)
    if needed and found.state != needed:
        raise BadInput(f"alarm {wish.number} is {_words(found.state)}, not {_words(needed)}")
    resting = (AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE)
    if wish.action is AlarmAction.ACKNOWLEDGE and found.state in resting:
        raise BadInput(f"alarm {wish.number} is {_words(found.state)}: there is nothing to acknowledge")
    if wish.action is not AlarmAction.RETURN_TO_SERVICE and found.state == AlarmState.OUT_OF_SERVICE:
        raise BadInput(f"alarm {wish.number} is out of service; return it to service first")


async def show_alarms(client: ModbusClient, wish: Wish | None, *, as_json: bool) -> None:
    """Do what is wished, then print the list; LinkError where the master does not answer."""
    async with client:
        alarms = AlarmClient(client)
        if wish:
            await alarms.do(wish)
        counts, listed = await alarms.read()
    if as_json:
        print(json.dumps(counts | {"alarms": [_as_dict(alarm) for alarm in listed]}, ensure_ascii=False))
    else:
        _print(counts, listed)


def _as_dict(alarm: Listed) -> dict[str, object]:
    since = datetime.fromtimestamp(alarm.time, UTC).isoformat()
    return asdict(alarm) | {"time": since}


def _print(counts: Mapping[str, Value], listed: list[Listed]) -> None:
    if not listed:
        print("no alarms")
        return
    width = max(len(alarm.name) for alarm in listed)
    console = Console(highlight=False, soft_wrap=True)
    for alarm in listed:
        since = f"{datetime.fromtimestamp(alarm.time).astimezone():%Y-%m-%d %H:%M:%S}"
        priority = f"[{_STYLES.get(alarm.priority, 'none')}]{alarm.priority:8}[/]"
        name = _plain(alarm.name.ljust(width))
        console.print(f"{alarm.number:5}  {priority}  {since}  {name}  {_state(alarm)}")
        console.print(f"{'':7}{_plain(alarm.text)}\n{'':7}[dim]{_plain(alarm.remedy)}[/]")
    shown = sum(alarm.state in OPEN for alarm in listed)
    more = int(str(counts["alarm_count"])) - shown
    rest = f"; {more} of them are not shown" if more > 0 else ""
    print(f"{counts['alarm_count']} open, {counts['unacknowledged_count']} not acknowledged{rest}")


def _state(alarm: Listed) -> str:
    if alarm.state == AlarmState.SHELVED:
        return f"shelved, {alarm.shelved_left / 60:.0f} min left"
    return _words(alarm.state)


def _words(state: str) -> str:
    return state.replace("_", " ")


def _plain(text: str) -> str:
    """What comes over the wire may look like rich's markup, or move the cursor."""
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return printable.replace("[", r"\[")
