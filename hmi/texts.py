"""What the screens say: one YAML file for each language, with the same keys."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from modbus_link.errors import BadInput
from register_maps.yaml_file import read_yaml, unknown

LANGUAGES = Path(__file__).parent / "languages"


class Texts:
    """`texts("station.full_in", duration="5 min")` is the sentence of that key; KeyError for none such."""

    def __init__(self, font: str, sentences: Mapping[str, str]) -> None:
        self.font = font
        self.sentences = sentences

    def __call__(self, key: str, /, **values: object) -> str:
        return self.sentences[key].format_map(values)

    def named(self, section: str, name: str) -> str:
        """The word for one of a map's names; a device may have names that no language knows."""
        return self.sentences.get(f"{section}.{name}", self.sentences[f"{section}.unknown"])

    def duration(self, seconds: float) -> str:
        """ "45 s", "12 min", "1 h 05 min": as exact as a person wants it."""
        if seconds < 60:
            return self("duration.seconds", seconds=int(seconds))
        minutes = int(seconds / 60)
        if minutes < 60:
            return self("duration.minutes", minutes=minutes)
        return self("duration.hours", hours=minutes // 60, minutes=f"{minutes % 60:02}")


def languages() -> list[str]:
    return sorted(path.stem for path in LANGUAGES.glob("*.yaml"))


@cache
def load_texts(language: str = "en") -> Texts:
    """BadInput for a language that there is not."""
    if language not in languages():
        raise BadInput(unknown("language", language, languages()))
    data = read_yaml(LANGUAGES / f"{language}.yaml")
    sections = {name: part for name, part in data.items() if isinstance(part, Mapping)}
    sentences = {f"{name}.{key}": str(text) for name, part in sections.items() for key, text in part.items()}
    return Texts(str(data["font"]), sentences)
