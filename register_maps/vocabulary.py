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
    HARDWARE_FAILED = "hardware_failed"
    """The board has opened the contactor by itself."""


class Quality(StrEnum):
    """How far a value can be trusted."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class QualityCause(StrEnum):
    """Why a value is not good."""

    NONE = "none"
    SILENT = "silent"
    NO_VALUE = "no_value"
    STALE = "stale"
    IMPLAUSIBLE = "implausible"
    CONTRADICTORY = "contradictory"
    ESTIMATED = "estimated"


class Unfollowed(StrEnum):
    """Which command a station has not followed."""

    NONE = "none"
    NOT_ARRIVED = "not_arrived"
    NOT_OPENED = "not_opened"
    NOT_CLOSED = "not_closed"
    OVERDRAWS = "overdraws"


class MasterRole(StrEnum):
    """What a master does at a site that has two."""

    STEERING = "steering"
    STANDBY = "standby"


class AlarmCode(StrEnum):
    """What an alarm is about; the catalogue has more to say of each."""

    NONE = "none"
    PRICE_UNKNOWN = "price_unknown"
    SCAN_OVERRUN = "scan_overrun"
    CLOCK_STEPPED = "clock_stepped"
    JOURNAL_FAILED = "journal_failed"
    MASTER_ABOVE_SILENT = "master_above_silent"
    UNAUTHORISED_WRITE = "unauthorised_write"
    CERTIFICATE_EXPIRES = "certificate_expires"
    OTHER_MASTER = "other_master"
    CIRCUIT_OVER_LIMIT = "circuit_over_limit"
    VOLTAGE_LOW = "voltage_low"
    VOLTAGE_HIGH = "voltage_high"
    RTU_SILENT = "rtu_silent"
    CONTACTOR_WELDED = "contactor_welded"
    CONTACTOR_NOT_CLOSED = "contactor_not_closed"
    SENSOR_FAILED = "sensor_failed"
    IMPLAUSIBLE_VALUE = "implausible_value"
    DOUBTFUL_VALUES = "doubtful_values"
    COMMAND_NOT_ARRIVED = "command_not_arrived"
    COMMAND_NOT_FOLLOWED = "command_not_followed"
    DRAWS_TOO_MUCH = "draws_too_much"
    STATION_FAILSAFE = "station_failsafe"
    STATION_FAULT = "station_fault"


class AlarmState(StrEnum):
    """After ISA-18.2."""

    NORMAL = "normal"
    ACTIVE_UNACKNOWLEDGED = "active_unacknowledged"
    ACTIVE_ACKNOWLEDGED = "active_acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    SHELVED = "shelved"
    OUT_OF_SERVICE = "out_of_service"


class AlarmPriority(StrEnum):
    """How soon somebody must act."""

    NONE = "none"
    URGENT = "urgent"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class AlarmAction(StrEnum):
    """What an operator does to an alarm."""

    NONE = "none"
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    TAKE_OUT_OF_SERVICE = "take_out_of_service"
    RETURN_TO_SERVICE = "return_to_service"


MASTER_HEARTBEAT = "master_heartbeat"
"""The point that a master counts up in every scan."""
MASTER_TERM = "master_term"
"""The point that tells one master of a site from the next."""
