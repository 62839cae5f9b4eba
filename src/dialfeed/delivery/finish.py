"""When a delivery will be done, from what it has done so far. Pure; time is an argument, in seconds.

Two things can be what takes the time. The budget of requests knows the rate in use, the pause under way and what others
take; where the platform's answers are slow, only what has been delivered so far tells. The later end of the two counts.

What has been delivered is looked at from a mark on that lies at half of the time or before, and no earlier than a
quarter: a delivery that becomes slower, because 429s come again and again, is not told by how fast it was.

Pauses are kept apart from the speed between them. The first says nothing of others to come: a platform that was shut
for a minute is not expected to shut again. From the second on they are taken to come as they came: n pauses in what
was done so far mean n - 1 of them in as much again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a delivery was.

    Attributes:
        at: When.
        done: Contacts delivered by then.
        pauses: How often everybody had been made to wait.
        paused: Seconds for which that had been.
    """

    at: float
    done: int = 0
    pauses: int = 0
    paused: float = 0.0


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of a delivery under way.

    Attributes:
        began: When it began.
        total: How many contacts are to be delivered.
        pauses: How often everybody was made to wait; a pause that begins within another one is a part of it.
        paused: Seconds of all these pauses, the rest of the one under way included.
        paused_until: When the last of them ends.
        older, newer: Two marks; the time from the beginning to the newer is twice that to the older, or more.
    """

    began: float
    total: int
    pauses: int = 0
    paused: float = 0.0
    paused_until: float = 0.0
    older: Mark = field(default_factory=lambda: Mark(0.0))
    newer: Mark = field(default_factory=lambda: Mark(0.0))

    @classmethod
    def start(cls, now: float, total: int) -> Course:
        """A delivery that begins."""
        return cls(now, total, older=Mark(now), newer=Mark(now))


def on_pause(course: Course, now: float, seconds: float) -> Course:
    """Everybody is made to wait."""
    until = max(course.paused_until, now + seconds)
    return replace(
        course,
        pauses=course.pauses + (now >= course.paused_until),
        paused=course.paused + until - max(now, course.paused_until),
        paused_until=until,
    )


def on_look(course: Course, now: float, done: int) -> Course:
    """Set a mark, where it is time for one: each time that the delivery has lasted twice as long."""
    if now - course.began < 2 * (course.newer.at - course.began) or done == course.newer.done:
        return course
    mark = Mark(now, done, course.pauses, course.paused - _pause_left(course, now))
    return replace(course, older=course.newer, newer=mark)


def seconds_left(course: Course, now: float, done: int, by_budget: float) -> float:
    """Seconds until the last contact is delivered.

    Args:
        course: What is known.
        now: The time now.
        done: Contacts delivered since it began.
        by_budget: Seconds until the last request may start, if no further pause comes.
    """
    since, pause = course.older, _pause_left(course, now)
    lately = done - since.done
    if not lately:
        return by_budget
    as_much_again = max(0, course.total - done) / lately
    pauses, paused = course.pauses - since.pauses, course.paused - pause - since.paused
    sending = now - since.at - paused
    to_come = max(0, pauses - 1) * as_much_again * paused / max(1, pauses)
    return max(by_budget, pause + sending * as_much_again) + to_come


def _pause_left(course: Course, now: float) -> float:
    return max(0.0, course.paused_until - now)
