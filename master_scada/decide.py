"""One decision: the rule's wishes, cut down by the interlock, and what to remember of it."""

from dataclasses import dataclass

from master_scada.interlock import guard
from master_scada.memory import Memory, remember_commands
from master_scada.model import Command, Plant
from master_scada.rule import wishes


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    commands: dict[str, Command]
    memory: Memory


def decide(plant: Plant, memory: Memory) -> Decision:
    """A command for every station; pure, so the same plant and memory decide the same."""
    wished, memory = wishes(plant, memory)
    commands = guard(plant, wished)
    return Decision(commands=commands, memory=remember_commands(plant, memory, commands))
