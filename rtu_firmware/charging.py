"""What a station does by itself: a pure function of its state, what it measures, its orders and the time.

The contactor closes only with a vehicle, permission, a fresh master heartbeat, no stop, not full, no
fault, and a voltage inside the emergency band; it opens at once when any of these fails. Anything
unknown counts as a failure.
"""

import math
from dataclasses import replace

from register_maps.vocabulary import ChargeState, FaultCode, LimitReason
from rtu_firmware.battery import FULL_PCT, Battery
from rtu_firmware.board import Measurement
from rtu_firmware.model import MOST_ENERGY_WH, CountedBattery, Decision, Orders, Ratings, Session, State

FULL_AT_PCT = FULL_PCT - 0.05
"""Reads 100.0 on the display."""
DRAWS_NOTHING_W = 20.0
"""Below it a closed contactor feeds a vehicle that doesn't charge."""
MOST_FALLEN_OFF = 3
"""Times that a contactor may fall off in a session: the first could be the network's fault."""
FAULT_CLEARED_S = 5.0
"""A sensor must be right for so long before it is trusted again."""


def state_of_charge_pct(state: State, seen: Measurement) -> float | None:
    """As measured, or else as counted."""
    if seen.state_of_charge_pct is not None or state.session is None:
        return seen.state_of_charge_pct
    return state.session.counted_pct


def first_state(
    orders: Orders,
    now: float,
    *,
    hold_s: float = 0.0,
    total_energy_wh: float = 0.0,
    session: Session | None = None,
) -> State:
    """At power-up: contactor open, no master heard, whatever its heartbeat register may hold. It stays open
    for `hold_s`, in which promises end that it may have made before and has forgotten. `session` is what it
    does remember: it goes on if a vehicle is there when first seen."""
    return State(
        total_energy_wh=total_energy_wh,
        session=session,
        started_at=now,
        stepped_at=now,
        heartbeat=orders.heartbeat,
        held_open_until=now + hold_s if hold_s else -math.inf,
        held_for=LimitReason.FAILSAFE,
    )


def step(state: State, seen: Measurement, orders: Orders, ratings: Ratings, now: float) -> State:
    """One control step; `decision` of the new state is what the board must now do."""
    elapsed_s = now - state.stepped_at
    state = _notice(state, seen, orders, now)
    state = _keep_session(state, seen, orders, ratings, now, elapsed_s)
    state = _keep_fault(state, seen, ratings, now)
    state = _hold_open(state, seen, ratings, now)
    decision = _decide(state, seen, orders, ratings, now)
    if decision == state.decision:
        return state
    switched = decision.close_contactor != state.decision.close_contactor
    return replace(state, decision=decision, switched_at=now if switched else state.switched_at)


def _notice(state: State, seen: Measurement, orders: Orders, now: float) -> State:
    """Only a changed count is a heartbeat: a master that hangs may still write the same one."""
    heard = orders.heartbeat != state.heartbeat
    return replace(
        state,
        stepped_at=now,
        heartbeat=orders.heartbeat,
        heard_at=now if heard else state.heard_at,
        closed_at=now if seen.contactor_closed else state.closed_at,
    )


def _keep_session(
    state: State, seen: Measurement, orders: Orders, ratings: Ratings, now: float, elapsed_s: float
) -> State:
    """What can't be true is not counted: neither as energy nor as a full battery."""
    if not seen.vehicle_connected:
        return replace(state, session=None) if state.session else state
    credible = _is_fresh(seen, ratings, now) and _is_plausible(seen, ratings)
    charge = seen.state_of_charge_pct if credible else None
    session = state.session or Session()
    power_w = max(0.0, seen.power_w or 0.0) if credible else 0.0
    energy_wh = power_w * elapsed_s / 3600
    counted = _counted_pct(session, energy_wh, orders, ratings.counted_battery)
    entered = orders.entered_state_of_charge_pct
    known = charge if charge is not None else counted
    session = Session(
        energy_wh=session.energy_wh + energy_wh,
        charging_time_s=session.charging_time_s + (elapsed_s if credible and seen.contactor_closed else 0),
        # A gauge may need a second to answer, but without the energy from there on its rise tells nothing.
        first_state_of_charge_pct=session.first_state_of_charge_pct if session.energy_wh else charge,
        counted_pct=counted,
        entered_pct=session.entered_pct if entered is None else entered,
        fallen_off=session.fallen_off + _falls_off(state, seen, ratings, now),
        stopped=orders.stop or seen.stop_pressed or (session.stopped and not orders.start),
        # Who has entered 100 by mistake may correct it.
        full=(session.full and entered is None) or (known is not None and known >= FULL_AT_PCT),
    )
    total_wh = min(state.total_energy_wh + energy_wh, MOST_ENERGY_WH)
    if session == state.session and total_wh == state.total_energy_wh:
        return state
    return replace(state, session=session, total_energy_wh=total_wh)


def _counted_pct(
    session: Session, energy_wh: float, orders: Orders, battery: CountedBattery | None
) -> float | None:
    """From what was last entered, or else from the file's start value, on."""
    if battery is None:
        return None
    if orders.entered_state_of_charge_pct is not None:
        return orders.entered_state_of_charge_pct
    from_pct = battery.first_state_of_charge_pct if session.counted_pct is None else session.counted_pct
    return Battery(capacity_wh=battery.capacity_wh, max_power_w=0.0).charged(from_pct, energy_wh)


def _keep_fault(state: State, seen: Measurement, ratings: Ratings, now: float) -> State:
    found = _fault_now(state, seen, ratings, now)
    if _is_latched(state, seen) and found is not FaultCode.CONTACTOR_WELDED:
        return state
    if found is not FaultCode.NONE:
        return replace(state, fault=found, fault_seen_at=now)
    if state.fault is FaultCode.NONE or now - state.fault_seen_at < FAULT_CLEARED_S:
        return state
    return replace(state, fault=FaultCode.NONE)


def _fault_now(state: State, seen: Measurement, ratings: Ratings, now: float) -> FaultCode:
    ordered = state.decision.close_contactor
    settled = now - max(state.switched_at, state.started_at) > ratings.contactor_time_s
    never_closed = state.closed_at < state.switched_at and not _opened_by_board(seen)
    falls_off = state.session is not None and state.session.fallen_off >= MOST_FALLEN_OFF
    draws = seen.power_w is not None and seen.power_w > ratings.noise_w
    # In this order, because what is not known, or can't be true, tells nothing about the contactor.
    faults = [
        (seen.tripped, FaultCode.HARDWARE_FAILED),
        (not _is_fresh(seen, ratings, now), FaultCode.SENSOR_FAILED),
        (settled and not ordered and seen.contactor_closed, FaultCode.CONTACTOR_WELDED),
        (settled and ordered and never_closed, FaultCode.CONTACTOR_NOT_CLOSED),
        (falls_off, FaultCode.CONTACTOR_NOT_CLOSED),
        (None in (seen.voltage_v, seen.power_w), FaultCode.SENSOR_FAILED),
        (not _is_plausible(seen, ratings), FaultCode.IMPLAUSIBLE_VALUE),
        (settled and not ordered and draws, FaultCode.CONTACTOR_WELDED),
    ]
    return next((fault for holds, fault in faults if holds), FaultCode.NONE)


def _falls_off(state: State, seen: Measurement, ratings: Ratings, now: float) -> bool:
    """It was closed and is open without an order, as a coil does that is fed too little where the voltage
    dips. What the board has opened itself is no failure."""
    settled = now - state.switched_at > ratings.contactor_time_s
    was_closed = state.decision.close_contactor and state.closed_at >= state.switched_at
    known = _is_fresh(seen, ratings, now) and not _opened_by_board(seen)
    return known and settled and was_closed and not seen.contactor_closed


def _opened_by_board(seen: Measurement) -> bool:
    return seen.stop_pressed or seen.tripped


def _is_fresh(seen: Measurement, ratings: Ratings, now: float) -> bool:
    """Neither too old nor from the future, where a board's clock has gone astray."""
    return abs(now - seen.at) <= ratings.measurement_max_age_s


def _is_plausible(seen: Measurement, ratings: Ratings) -> bool:
    return (
        _is_within(seen.voltage_v, 0.0, 2 * ratings.nominal_voltage_v)
        and _is_within(seen.power_w, -ratings.noise_w, 1.5 * ratings.rated_power_w)
        and _is_within(seen.state_of_charge_pct, 0.0, 100.0)
    )


def _is_within(value: float | None, low: float, high: float) -> bool:
    return value is None or low <= value <= high


def _is_latched(state: State, seen: Measurement) -> bool:
    """A contactor that failed once is not tried again on the same vehicle."""
    failed = state.fault in (FaultCode.CONTACTOR_WELDED, FaultCode.CONTACTOR_NOT_CLOSED)
    return failed and seen.vehicle_connected


def _hold_open(state: State, seen: Measurement, ratings: Ratings, now: float) -> State:
    """After a fault or an emergency voltage, wait: closing at once would chatter."""
    out_of_order = state.fault is not FaultCode.NONE or _falls_off(state, seen, ratings, now)
    if not out_of_order and _voltage_is_safe(seen, ratings):
        return state
    reason = LimitReason.FAULT if out_of_order else LimitReason.VOLTAGE
    until = max(state.held_open_until, now + ratings.reclose_delay_s)
    return replace(state, held_open_until=until, held_for=reason)


def _voltage_is_safe(seen: Measurement, ratings: Ratings) -> bool:
    low, high = (share * ratings.nominal_voltage_v for share in ratings.emergency_band)
    return seen.voltage_v is not None and low <= seen.voltage_v <= high


def _decide(state: State, seen: Measurement, orders: Orders, ratings: Ratings, now: float) -> Decision:
    heard = state.heard_at is not None and now - state.heard_at <= orders.failsafe_timeout_s
    since = state.started_at if state.heard_at is None else state.heard_at
    failsafe = not heard and now - since > orders.failsafe_timeout_s
    permitted = _is_its_turn(state, ratings, orders, now) if failsafe else heard and orders.charge_enable
    shared_w = orders.failsafe_power_limit_w + orders.borrowed_w
    offered_w = min(shared_w if failsafe else orders.power_limit_w, ratings.rated_power_w)
    limit_w = offered_w - orders.lent_w
    enough = permitted and limit_w >= ratings.minimum_power_w
    missing_lent = permitted and offered_w >= ratings.minimum_power_w
    reason = _own_reason(state, now, failsafe=not enough and (failsafe or missing_lent))
    # One that was told to open and still conducts must open first, or prove to be welded.
    rested = now - state.switched_at >= ratings.minimum_open_s
    ready = state.decision.close_contactor or (rested and not seen.contactor_closed)
    close = reason is LimitReason.NONE and enough and ready
    return Decision(
        close_contactor=close,
        power_limit_w=limit_w if close else 0.0,
        state=_charge_state(state, seen, ratings, close=close),
        reason=reason,
        failsafe_active=failsafe,
        time_to_full_s=_time_to_full_s(state, seen, limit_w, ratings) if close else None,
    )


def _is_its_turn(state: State, ratings: Ratings, orders: Orders, now: float) -> bool:
    """When the lights come back, stations without a master begin one by one. One that had a master, and lost
    it, was one of those that the feeder carried a moment ago."""
    begin_s = orders.failsafe_timeout_s + ratings.start_delay_s
    return state.heard_at is not None or now - state.started_at > begin_s


def _own_reason(state: State, now: float, *, failsafe: bool) -> LimitReason:
    """Why the station itself stays open; `none` leaves it to the master."""
    session = state.session
    reasons = [
        (state.fault is not FaultCode.NONE, LimitReason.FAULT),
        (session is None, LimitReason.NO_VEHICLE),
        (session is not None and session.full, LimitReason.FULL),
        (session is not None and session.stopped, LimitReason.USER_STOP),
        (now <= state.held_open_until, state.held_for),
        (failsafe, LimitReason.FAILSAFE),
    ]
    return next((reason for holds, reason in reasons if holds), LimitReason.NONE)


def _charge_state(state: State, seen: Measurement, ratings: Ratings, *, close: bool) -> ChargeState:
    if state.fault is not FaultCode.NONE:
        return ChargeState.FAULTED
    if state.session is None:
        return ChargeState.AVAILABLE
    if state.session.full or state.session.stopped:
        return ChargeState.FINISHING
    if not close:
        return ChargeState.SUSPENDED_EVSE
    if not seen.contactor_closed:
        return ChargeState.PREPARING
    draws = seen.power_w is not None and seen.power_w > min(DRAWS_NOTHING_W, ratings.noise_w)
    return ChargeState.CHARGING if draws else ChargeState.SUSPENDED_EV


def _time_to_full_s(state: State, seen: Measurement, limit_w: float, ratings: Ratings) -> float | None:
    capacity_wh = seen.battery_capacity_wh or _estimated_capacity_wh(state, seen)
    if ratings.counted_battery and seen.state_of_charge_pct is None:
        capacity_wh = ratings.counted_battery.capacity_wh
    charge = state_of_charge_pct(state, seen)
    if capacity_wh is None or charge is None:
        return None
    return Battery(capacity_wh=capacity_wh, max_power_w=ratings.rated_power_w).time_to_full_s(charge, limit_w)


def _estimated_capacity_wh(state: State, seen: Measurement) -> float | None:
    """From the energy that raised the charge in this session, once it has risen enough to tell."""
    session = state.session
    if session is None or session.first_state_of_charge_pct is None or seen.state_of_charge_pct is None:
        return None
    risen_pct = seen.state_of_charge_pct - session.first_state_of_charge_pct
    if risen_pct < 2.0:
        return None
    return Battery.capacity_from_charge_wh(session.energy_wh, risen_pct)
