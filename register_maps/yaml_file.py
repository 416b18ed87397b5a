"""Read a YAML file that a person wrote into typed values, and list every fault at once.

Maps, station files and site files all come through here, so that a fault always reads the same:

    site.yaml:12: stations[1].circuit: there is no circuit 'feedr'; did you mean 'feeder'?
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, Strict, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

T = TypeVar("T")
Place = tuple[str | int, ...]

Real = Annotated[float, Strict()]
"""A number as a person writes it: 5 or 0.5, but neither true nor "5"."""
Whole = Annotated[int, Strict()]

STRICT_KEYS = ConfigDict(extra="forbid", allow_inf_nan=False)
"""For `pydantic.with_config` on every dataclass that a file is read into: an unknown key is a fault."""

TAG_FAULTS = ("union_tag_invalid", "union_tag_not_found")
"""The key that tells which of several kinds it is has a wrong value, or is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    place: Place
    message: str


class BadFile(ValueError):
    """A file that can't be used; its text is one line per fault."""

    def __init__(self, path: Path, faults: Iterable[Fault]) -> None:
        self.path = path
        self.faults = tuple(faults)
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> Iterable[str]:
        lines = _line_numbers(self.path)
        for fault in self.faults:
            line = next((lines[p] for p in _outwards(fault.place) if p in lines), None)
            where = f"{self.path}:{line}" if line else str(self.path)
            yield f"{where}: {place_text(fault.place)}{fault.message}"


class Faults:
    """Collects what is wrong with one file, so that its writer sees all of it in one go."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._faults: list[Fault] = []

    def add(self, place: Place, message: str) -> None:
        self._faults.append(Fault(place=place, message=message))

    def parse(self, kind: type[T], data: object, place: Place = ()) -> T | None:
        """`data` as a `kind`; None where it is none, and every reason noted."""
        try:
            value: T = _adapter(cast(Hashable, kind)).validate_python(data)
            return value
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                inner, holder = _followed(kind, tuple(part for part in detail["loc"] if part != "[key]"))
                tag = str(detail["ctx"]["discriminator"]).strip("'") if detail["type"] in TAG_FAULTS else ""
                self.add((*place, *inner, *filter(None, [tag])), _message(dict(detail), holder))
            return None

    def parse_each(self, kind: type[T], data: object, place: Place) -> list[T | None]:
        """`parse` for every item of a list; where `data` is none, there are no items."""
        items = data if isinstance(data, list) else []
        return [self.parse(kind, item, (*place, index)) for index, item in enumerate(items)]

    def raise_if_any(self) -> None:
        if self._faults:
            raise BadFile(self.path, self._faults)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a YAML 1.2 file holds.

    YAML 1.2, because in 1.1 `off` is a boolean and 17:21 a number; duplicate keys are refused.
    """
    try:
        data = YAML(typ="safe", pure=True).load(path)
    except OSError as error:
        raise BadFile(path, [Fault(place=(), message=f"can't be read: {error.strerror}")]) from error
    except (YAMLError, ValueError) as error:  # ValueError: no UTF-8, or a date such as 2024-13-45
        raise BadFile(path, [Fault(place=(), message=_yaml_message(error))]) from error
    if not isinstance(data, dict):
        raise BadFile(path, [Fault(place=(), message="must hold a mapping of keys to values")])
    return data


def place_text(place: Place) -> str:
    """('stations', 1, 'port') → 'stations[1].port: '."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return f"{text}: " if text else ""


def unknown(what: str, name: object, known: Iterable[str]) -> str:
    """A sentence for a name that isn't there, with the likely one or all that are."""
    names = list(known)
    close = get_close_matches(str(name), names, n=1)
    if close:
        return f"there is no {what} {name!r}; did you mean {close[0]!r}?"
    return f"there is no {what} {name!r}; known: {', '.join(names) or 'none'}"


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _message(detail: Mapping[str, Any], holder: object) -> str:
    match detail["type"]:
        case "unexpected_keyword_argument" | "extra_forbidden":
            keys = [field.name for field in fields(holder)] if is_dataclass(holder) else []
            return unknown("key", detail["loc"][-1], keys) if keys else "unknown key"
        case "missing" | "missing_keyword_only_argument" | "missing_argument" | "union_tag_not_found":
            return "is missing"
        case "union_tag_invalid":
            return f"must be one of {detail['ctx']['expected_tags']} (got {detail['ctx']['tag']!r})"
        case "value_error":
            return str(detail["ctx"]["error"])
        case "dataclass_type":
            return f"must be a mapping of keys to values (got {detail['input']!r})"
    message = str(detail["msg"]).replace("Input should be", "must be")
    return f"{message[:1].lower()}{message[1:]} (got {detail['input']!r})"


def _followed(kind: object, loc: Place) -> tuple[Place, object]:
    """`loc` as it stands in the file, without the names of a union's options; what holds its last part."""
    written, holder = list[str | int](), kind
    for part in loc:
        options = _options(kind)
        chosen = [option for option in options if part in _names(option)] if len(options) > 1 else []
        if chosen:
            (kind,) = chosen
            continue
        holder = options[0] if len(options) == 1 else kind
        kind = _inside(holder, part)
        written.append(part)
    return tuple(written), holder


def _inside(kind: object, part: str | int) -> object:
    if is_dataclass(kind):
        return get_type_hints(kind).get(str(part))
    return next(reversed(get_args(kind)), None)  # an item of a list, or the value of a mapping's key


def _options(kind: object) -> list[Any]:
    is_union = get_origin(kind) in (Union, UnionType)
    return [option for option in get_args(kind) if option is not NoneType] if is_union else [kind]


def _names(option: Any) -> set[str]:
    """By which a fault tells which option of a union it is about: its class, or its tag."""
    hints = get_type_hints(option).values() if is_dataclass(option) else ()
    tags = {value for hint in hints if get_origin(hint) is Literal for value in get_args(hint)}
    return {getattr(option, "__name__", ""), *tags}


def _yaml_message(error: Exception) -> str:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark
        at = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        return f"is not valid YAML: {at}{error.problem or error.context}"
    return f"is not valid YAML: {' '.join(str(error).split())}"


def _outwards(place: Place) -> Iterable[Place]:
    for size in range(len(place), 0, -1):
        yield place[:size]


def _line_numbers(path: Path) -> dict[Place, int]:
    """Where each key and item stands; read only once something is wrong, because it is slow."""
    try:
        root = YAML(typ="rt").load(path)
    except (OSError, YAMLError, ValueError):
        return {}
    found: dict[Place, int] = {}

    def walk(node: object, place: Place) -> None:
        marks = getattr(getattr(node, "lc", None), "data", None) or {}
        items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, child in items:
            if key in marks:
                found[*place, key] = marks[key][0] + 1
            walk(child, (*place, key))

    walk(root, ())
    return found
