"""The names of the native maps' enumerations, for code that decides by them.

The maps say which number each has; a test keeps the two alike.
"""

from enum import StrEnum


class ChargeState(StrEnum):
    """What a station does; names as in OCPP."""

    AVAILABLE = "available"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED_EVSE = "suspended_evse"
    SUSPENDED_EV = "suspended_ev"
    FINISHING = "finishing"
    FAULTED = "faulted"


class LimitReason(StrEnum):
    """Why a station doesn't charge."""

    NONE = "none"
    PRICE = "price"
    POWER = "power"
    VOLTAGE = "voltage"
    WAITING_TURN = "waiting_turn"
    NO_DATA = "no_data"
    OPERATOR = "operator"
    USER_STOP = "user_stop"
    FULL = "full"
    FAILSAFE = "failsafe"
    FAULT = "fault"
    NO_VEHICLE = "no_vehicle"


class FaultCode(StrEnum):
    """What is broken at a station."""

    NONE = "none"
    CONTACTOR_WELDED = "contactor_welded"
    CONTACTOR_NOT_CLOSED = "contactor_not_closed"
    SENSOR_FAILED = "sensor_failed"
    IMPLAUSIBLE_VALUE = "implausible_value"


MASTER_HEARTBEAT = "master_heartbeat"
"""The point that a master counts up in every scan."""
