"""The course of a run, from its audit trail."""

from __future__ import annotations

import told_runs
from told_runs import event

from dialfeed.reports.story import SESSIONS, story_of


def test_what_happened_to_every_batch_is_counted() -> None:
    story = story_of(told_runs.delivery(500, size=10))
    assert (story.sent, story.lost, story.settled, story.settled_on_list) == (505, 2, 2, 2)
    assert story.pauses == {"throttled": 5}
    assert story.answers == {"Accepted": 498, "Throttled": 5, "Unknown": 2}
    assert story.statuses == {201: 498, 429: 5}
    assert sum(moment.delivered for moment in story.timeline.moments) == 5000
    assert (story.smallest, story.largest, story.paused) == (10, 10, 10.0)


def test_refused_contacts_are_not_counted_as_accepted() -> None:
    events = [
        event(0, "run.started", command="import"),
        event(1, "batch.sent", batch=1, contacts=100, attempt=1),
        event(2, "batch.answered", batch=1, answer="Accepted", status=207),
        event(2, "contacts.refused", batch=1, contacts=30, codes=["refused.field"]),
        event(3, "batch.sent", batch=2, contacts=50, attempt=1),
        event(4, "batch.answered", batch=2, answer="Refused", status=400),
        event(4, "contacts.refused", batch=2, contacts=5, codes=["refused.field"]),
    ]
    moments = story_of(events).timeline.moments
    assert (sum(each.delivered for each in moments), sum(each.refused for each in moments)) == (70, 35)


def test_the_time_between_two_sessions_is_left_out_of_the_timeline() -> None:
    week = 7 * 86400
    events = [
        event(0, "run.started", command="import"),
        event(10, "batch.sent", batch=1, contacts=100, attempt=1),
        event(12, "batch.answered", batch=1, answer="Accepted", status=201),
        event(week, "run.started", command="resume"),
        event(week + 1, "batch.sent", batch=2, contacts=100, attempt=1),
        event(week + 3, "batch.answered", batch=2, answer="Accepted", status=201),
        event(week + 4, "run.finished", status="SUCCESS"),
    ]
    story = story_of(events)
    assert [(each.command, each.seconds, each.status) for each in story.sessions] == [
        ("import", 12, ""),
        ("resume", 4, "SUCCESS"),
    ]
    assert story.delivery_seconds == 3
    assert story.latencies.longest == 2


def test_what_is_written_into_the_trail_years_later_does_not_lengthen_the_run() -> None:
    trail = [*told_runs.delivery(3), event(1e8, "rows.purged", files=["delivered.csv"])]
    story = story_of(trail)
    assert story.sessions[-1].seconds < 10
    assert story.drawn_from == len(trail)


def test_a_run_that_was_resumed_very_often_is_told_in_a_bounded_number_of_sessions() -> None:
    story = story_of(event(second, "run.started", command="resume") for second in range(500))
    assert (len(story.sessions), story.sessions_left_out) == (SESSIONS, 500 - SESSIONS)


def test_a_trail_of_nothing_is_a_story_of_nothing() -> None:
    story = story_of([])
    assert (story.sent, story.sessions, story.timeline.moments) == (0, [], [])
