"""The watcher itself: what it would say, if the limit were not kept."""

from chaos_trial import Trial
from chaos_watch import LOOK_S, Watch

LIMIT_W = 7000


def watch_that_saw(powers_w: list[int], step_s: float) -> Watch:
    watch = Watch({"RTS1": 1, "RTS2": 2}, LIMIT_W)
    for n, power_w in enumerate(powers_w):
        for station in watch.stations.values():
            station.values = {"power": power_w, "voltage": 110}
        watch.add_up(n * step_s)
    return watch


def trial(watch: Watch) -> Trial:
    record = watch.record
    return Trial(
        fault="",
        most_w=record.most_w,
        limit_w=LIMIT_W,
        longest_above_s=record.longest_above_s,
        answer_s=1.0,
        lowest_v=record.lowest_v,
        highest_v=record.highest_v,
        safe_s=None,
        recover_s=0.0,
    )


def test_within_the_limit_nothing_is_above_it() -> None:
    watch = watch_that_saw([3300, 0, 3500], 0.1)
    assert (watch.record.most_w, watch.record.longest_above_s) == (7000, 0)
    assert trial(watch).is_good


def test_the_longest_time_above_counts_from_the_first_look_to_one_after_the_last() -> None:
    watch = watch_that_saw([3600, 0, 3600, 3600, 3600, 0], 0.1)
    assert watch.record.longest_above_s == 0.2 + LOOK_S
    assert trial(watch).is_good


def test_more_than_one_station_above_is_broken() -> None:
    assert not trial(watch_that_saw([5200], 0.1)).is_good


def test_above_for_too_long_is_broken() -> None:
    assert not trial(watch_that_saw([3600] * 12, 0.1)).is_good


def test_who_does_not_answer_any_more_draws_on() -> None:
    watch = watch_that_saw([3500], 0.1)
    watch.stations["RTS1"].values = {"power": None}
    assert watch.total_w == 3500
    watch.stations["RTS1"].values = {}
    assert watch.total_w == 3500
