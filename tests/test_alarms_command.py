"""`pev-scada alarms` and `pev-scada events`, as people and scripts meet them."""

import json
import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from processes import ExampleSite, free_port, run

from master_scada.alarm_client import alarm_wish
from modbus_link.errors import BadInput

MakeSite = Callable[..., ExampleSite]
SILENT = 32 + 12


def test_a_dead_station_from_the_alarm_to_the_journal(example_site: MakeSite) -> None:
    site = example_site()
    rtu, _, master = site.start("RTS1"), site.start("RTS2"), site.start("master")
    place, file = f"127.0.0.1:{site.ports['master']}", site.folder / "site.yaml"
    master.wait_for_log("RTS2: ")
    rtu.kill()
    master.wait_for_log("RTS1: alarm (high)")
    shown = run("alarms", place)
    assert shown.returncode == 0
    assert "active unacknowledged" in shown.stdout
    assert "Look at its supply and its network." in shown.stdout
    assert re.search(r"\n(\d) open, \1 not acknowledged\n$", shown.stdout)
    done = run("alarms", place, "--acknowledge", "all")
    assert (done.returncode, "active acknowledged" in done.stdout) == (0, True)
    done = run("alarms", place, "--shelve", SILENT, "--minutes", 30, "--json")
    (alarm,) = (one for one in json.loads(done.stdout)["alarms"] if one["code"] == "rtu_silent")
    assert (alarm["code"], alarm["state"], alarm["name"]) == ("rtu_silent", "shelved", "RTS1")
    wrong = run("alarms", place, "--acknowledge", SILENT)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == f"alarm {SILENT} is shelved: there is nothing to acknowledge\n"
    master.kill()
    # Of the station: a busy machine may have made the master late, too.
    only = ("--kind", "alarm", "--source", "RTS1")
    told = run("events", file, *only, "--since", "1h", "--json").stdout.splitlines()
    assert [json.loads(line)["value"] for line in told] == [
        "active_unacknowledged",
        "active_acknowledged",
        "shelved",
    ]
    lines = run("events", file, "--source", "RTS1").stdout.splitlines()
    assert any(" state     RTS1      silent (" in line for line in lines)


NOTHING: dict[str, Any] = {
    "acknowledge": None,
    "shelve": None,
    "minutes": None,
    "unshelve": None,
    "out_of_service": None,
    "in_service": None,
}
WRONG = [
    ({"acknowledge": "0"}, "--acknowledge '0': the number of an alarm, or all"),
    ({"acknowledge": "some"}, "the number of an alarm, or all"),
    ({"acknowledge": "1", "unshelve": 1}, "one thing at a time"),
    ({"shelve": 1}, "--shelve N and --minutes M go together"),
    ({"minutes": 5}, "--shelve N and --minutes M go together"),
    ({"shelve": 1, "minutes": 1441}, "a day at the most"),
    ({"shelve": 1, "minutes": math.nan}, "a day at the most"),
]


@pytest.mark.parametrize(("options", "message"), WRONG)
def test_wrong_options_are_wrong_input(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=re.escape(message)):
        alarm_wish(**(NOTHING | options))


def test_a_master_that_does_not_answer_and_a_station(example_site: MakeSite) -> None:
    done = run("alarms", f"127.0.0.1:{free_port()}")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    site = example_site()
    site.start("RTS1")
    done = run("alarms", f"127.0.0.1:{site.ports['RTS1']}")
    assert done.returncode == 2
    assert "serves pev_rtu: no master, so it has no alarms" in done.stderr
    done = run("events", site.folder / "site.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"there is no journal {site.folder / 'site.journal'}: ")
