"""What the screens say: complete in every language, and just what the program asks for."""

import ast
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

import hmi
from hmi.texts import LANGUAGES, languages, load_texts
from register_maps.vocabulary import (
    AlarmAction,
    AlarmPriority,
    AlarmState,
    ChargeState,
    FaultCode,
    LimitReason,
    QualityCause,
    Unfollowed,
)
from register_maps.yaml_file import read_yaml

ENGLISH = load_texts("en")
MODULES = sorted(Path(hmi.__file__).parent.glob("*.py"))
NAMED = {
    "state": ChargeState,
    "reason": LimitReason,
    "fault": FaultCode,
    "quality_cause": QualityCause,
    "unfollowed": Unfollowed,
    "alarm_state": AlarmState,
    "alarm_priority": AlarmPriority,
}
"""Sections that hold a word for each name of an enumeration."""
UNFINISHED = ("master.", "ask.")
"""Of these a key that nobody asks for is told, and no fault."""

Record = Callable[[str, object], None]

every_language = pytest.mark.parametrize("language", languages())


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def test_the_languages_are_the_files() -> None:
    assert {"en", "zh"} <= set(languages())
    assert languages() == sorted(path.name.removesuffix(".yaml") for path in LANGUAGES.iterdir())


@every_language
def test_every_language_says_the_same(language: str) -> None:
    sentences = load_texts(language).sentences
    assert list(sentences) == list(ENGLISH.sentences)
    for key, sentence in sentences.items():
        assert placeholders(sentence) == placeholders(ENGLISH.sentences[key]), key
        assert bool(sentence) == bool(ENGLISH.sentences[key]), key


@every_language
def test_the_file_holds_strings_and_no_booleans_or_numbers(language: str) -> None:
    data = read_yaml(LANGUAGES / f"{language}.yaml")
    assert isinstance(data.pop("language"), str)
    assert isinstance(data.pop("font"), str)
    for section, sentences in data.items():
        for key, sentence in sentences.items():
            assert isinstance(key, str), f"{section}.{key}"
            assert isinstance(sentence, str), f"{section}.{key}"
            assert sentence == sentence.strip(), f"{section}.{key}"


@every_language
@pytest.mark.parametrize("section", NAMED)
def test_every_name_of_the_vocabulary_has_its_word(language: str, section: str) -> None:
    texts = load_texts(language)
    for name in NAMED[section]:
        assert f"{section}.{name}" in texts.sentences
        assert texts.named(section, name) == texts(f"{section}.{name}")


@every_language
def test_a_name_that_no_language_knows_is_unknown(language: str) -> None:
    texts = load_texts(language)
    for section in NAMED:
        assert texts.named(section, "invented") == texts(f"{section}.unknown") != ""


def test_a_missing_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        ENGLISH("station.no_such_key")
    with pytest.raises(KeyError):
        ENGLISH("station.full_in", time="5 min")


def test_a_value_with_braces_is_no_placeholder() -> None:
    assert ENGLISH("station.full_in", duration="{x} {0}") == "Full in {x} {0}"


DURATIONS = [
    (0, "0 s"),
    (0.9, "0 s"),
    (1, "1 s"),
    (59, "59 s"),
    (59.9, "59 s"),
    (60, "1 min"),
    (119.9, "1 min"),
    (3599.9, "59 min"),
    (3600, "1 h 00 min"),
    (3900, "1 h 05 min"),
    (86_399, "23 h 59 min"),
    (360_000, "100 h 00 min"),
]


@pytest.mark.parametrize(("seconds", "text"), DURATIONS)
def test_a_duration(seconds: float, text: str) -> None:
    assert ENGLISH.duration(seconds) == text


@every_language
def test_durations_differ_by_the_minute_in_every_language(language: str) -> None:
    texts = load_texts(language)
    said = [texts.duration(60 * minutes) for minutes in range(1, 240)]
    assert len(set(said)) == len(said)


# --- What the program asks for, by reading it -----------------------------------------------------------


@cache
def nodes() -> list[tuple[Path, ast.AST]]:
    return [(path, node) for path in MODULES for node in ast.walk(ast.parse(path.read_text()))]


@cache
def asked() -> list[tuple[str, ast.Call]]:
    """Every call of texts, with its place."""
    calls = [(path, n) for path, n in nodes() if isinstance(n, ast.Call) and n.args and _is_texts(n.func)]
    return [(f"{path.name}:{call.lineno}", call) for path, call in calls]


def _is_texts(function: ast.expr) -> bool:
    """`texts`, `self._texts` and the like; in Texts itself, `self`."""
    name = getattr(function, "attr", getattr(function, "id", ""))
    return name.lstrip("_") in ("texts", "self")


def _literals(node: ast.expr) -> list[str]:
    """The keys that an expression can be: either branch of a condition."""
    if isinstance(node, ast.IfExp):
        return _literals(node.body) + _literals(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _pattern(node: ast.expr) -> str:
    """Of an f-string."""
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts = [re.escape(str(p.value)) if isinstance(p, ast.Constant) else "(.+)" for p in node.values]
    return "".join(parts)


@cache
def _words() -> set[str]:
    """What may fill an f-string: a name of the vocabulary, or a constant of the program."""
    names = {str(name) for enum in (*NAMED.values(), AlarmAction) for name in enum}
    return names | {n.value for _, n in nodes() if isinstance(n, ast.Constant) and _is_word(n.value)}


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier()


def _is_asked_for(key: str) -> bool:
    section, _, name = key.partition(".")
    if section in NAMED:
        return True
    for _, call in asked():
        if key in _literals(call.args[0]):
            return True
        pattern = _pattern(call.args[0])
        filled = re.fullmatch(pattern, key) if pattern else None
        if filled and {name, *filled.groups()} & _words():
            return True
    return False


def test_the_program_asks_for_keys_that_exist() -> None:
    literals = [(place, key) for place, call in asked() for key in _literals(call.args[0])]
    assert len(literals) > 20
    assert [f"{place} {key}" for place, key in literals if key not in ENGLISH.sentences] == []
    patterns = [(place, pattern) for place, call in asked() if (pattern := _pattern(call.args[0]))]
    assert patterns
    keys = list(ENGLISH.sentences)
    assert [place for place, pattern in patterns if not any(re.fullmatch(pattern, k) for k in keys)] == []


def test_the_program_gives_just_what_a_sentence_needs() -> None:
    wrong = []
    for place, call in asked():
        given = {keyword.arg for keyword in call.keywords}
        if None in given:
            continue  # by **
        for key in _literals(call.args[0]):
            if key in ENGLISH.sentences and given != placeholders(ENGLISH.sentences[key]):
                wrong.append(f"{place} {key}")
    assert wrong == []


def test_every_key_is_asked_for(record_property: Record) -> None:
    unused = [key for key in ENGLISH.sentences if not _is_asked_for(key)]
    if later := [key for key in unused if key.startswith(UNFINISHED)]:
        record_property("sentences that no screen says yet:", ", ".join(later))
    assert [key for key in unused if key not in later] == []


def test_texts_are_loaded_once() -> None:
    assert load_texts("zh") is load_texts("zh")
