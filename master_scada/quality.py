"""How far a value can be trusted, and why not further."""

from collections.abc import Iterable
from dataclasses import dataclass

from register_maps.vocabulary import Quality, QualityCause


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a value is not good. `value` is what was said, for those who only look; nobody decides by it."""

    quality: Quality
    cause: QualityCause
    value: float | None = None


def worst(qualities: Iterable[Quality]) -> Quality:
    """What is derived from values is as good as the worst of them."""
    order = list(Quality)
    return max(qualities, key=order.index, default=Quality.GOOD)
