"""Writes the tables of these documents from the YAML that the program runs on."""

from pathlib import Path

from master_scada.alarm_catalogue import CODES, Rule, catalogue
from register_maps.register_map import load_map, map_names
from register_maps.show import as_markdown

HERE = Path(__file__).parent
FOLDER = HERE / "registers"
ALARMS = HERE / "alarms.md"
HEADING = "## The catalogue\n"


def pages() -> dict[Path, str]:
    registers = {FOLDER / f"{name}.md": as_markdown(load_map(name)) for name in map_names()}
    return registers | {ALARMS: ALARMS.read_text().partition(HEADING)[0] + HEADING + _catalogue()}


def _catalogue() -> str:
    text = "\n| code | alarm | of | priority | begins after | returns after | what is wrong | what to do |\n"
    return text + "| --- " * 8 + "|\n" + "".join(map(_row, catalogue().values()))


def _row(rule: Rule) -> str:
    marks = [f"deadband {rule.deadband:g}"] if rule.deadband else []
    marks += ["latches"] if rule.latch else []
    marks += [f"not beside `{code}`" for code in rule.suppressed_by]
    name = f"`{rule.code}`" + "".join(f", {mark}" for mark in marks)
    cells = [
        str(CODES.index(rule.code)),
        name,
        rule.scope,
        rule.priority,
        f"{rule.on_delay_s:g} s",
        f"{rule.off_delay_s:g} s",
        rule.text,
        rule.remedy,
    ]
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text)
