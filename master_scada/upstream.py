"""The master as an RTU of the master above it: permission, limit and heartbeat for the whole site."""

import math
from dataclasses import dataclass

from modbus_link.image import RegisterImage
from register_maps.vocabulary import LimitReason


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOrders:
    """What the site may draw, and why it may not charge at all (`none` where it may)."""

    power_limit_w: float
    reason: LimitReason
    failsafe_active: bool = False
    heard_s_ago: float | None = None
    """Since the master above was last heard; None if it has never been."""


class Upstream:
    """Reads the site's command points. Without a failsafe in the site file nobody is above: the
    operator's limit counts, and no heartbeat is missed."""

    def __init__(self, image: RegisterImage, *, supervised: bool, now: float) -> None:
        self._image = image
        self._supervised = supervised
        self._heartbeat = image["master_heartbeat"]
        self._heard_at: float | None = None
        self._started_at = now

    def orders(self, now: float) -> SiteOrders:
        image = self._image
        if image["master_heartbeat"] != self._heartbeat:
            self._heartbeat, self._heard_at = image["master_heartbeat"], now
        if self._supervised and self._is_silent(now):
            image.update({"charge_enable": False, "power_limit": 0})
            limit_w = _watts(image, "failsafe_power_limit")
            reason = LimitReason.NONE if limit_w > 0 else LimitReason.FAILSAFE
            return SiteOrders(
                power_limit_w=limit_w, reason=reason, failsafe_active=True, heard_s_ago=self._heard_s_ago(now)
            )
        return SiteOrders(
            power_limit_w=_watts(image, "power_limit"),
            reason=self._why_not(now),
            heard_s_ago=self._heard_s_ago(now),
        )

    def _heard_s_ago(self, now: float) -> float | None:
        return None if self._heard_at is None else now - self._heard_at

    def _is_silent(self, now: float) -> bool:
        since = self._started_at if self._heard_at is None else self._heard_at
        timeout_s = self._image["failsafe_timeout"]
        return now - since > (timeout_s if isinstance(timeout_s, int | float) else math.inf)

    def _why_not(self, now: float) -> LimitReason:
        if self._supervised and self._heard_at is None:
            return LimitReason.FAILSAFE
        if self._image["charge_enable"]:
            return LimitReason.NONE
        told = LimitReason(str(self._image["limit_reason"]))
        return LimitReason.OPERATOR if told is LimitReason.NONE else told


def _watts(image: RegisterImage, name: str) -> float:
    value = image[name]
    return float(value) if isinstance(value, int | float) else 0.0
