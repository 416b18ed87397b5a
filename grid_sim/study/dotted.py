"""Values at dotted paths: `cars.0.share` is the key `share` of the first of `cars`."""

from copy import deepcopy
from typing import Any

from register_maps.yaml_file import unknown


def put(data: Any, path: str, value: Any) -> None:
    """Into `data`, at `path`; LookupError says where the path leads nowhere.

    What holds the value has to be there, the value itself need not: a scenario's optional keys may be left
    out of it. A key that it doesn't know is its reader's to find.
    """
    *way, last = path.split(".")
    holder = data
    for part in way:
        key = _key(holder, part)
        if isinstance(holder, dict) and key not in holder:
            raise LookupError(unknown("key", part, map(str, holder)))
        holder = holder[key]
    holder[_key(holder, last)] = deepcopy(value)


def _key(holder: Any, part: str) -> Any:
    if isinstance(holder, list):
        if part.isdecimal() and int(part) < len(holder):
            return int(part)
        raise LookupError(f"there is no item {part!r} in a list of {len(holder)}; the first is 0")
    if isinstance(holder, dict):
        return next((key for key in holder if str(key) == part), part)  # a key may be a number: 18: 1.0
    raise LookupError(f"there is no key {part!r} in {holder!r}, which is a value")
