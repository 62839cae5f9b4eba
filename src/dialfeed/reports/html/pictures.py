"""The pictures of a run: which of its numbers go into which chart, and how each is described in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dialfeed.reports.html import charts, view
from dialfeed.reports.html.charts import Chart, Series
from dialfeed.reports.html.view import Step, Told
from dialfeed.reports.html.words import span
from dialfeed.reports.story import Story
from dialfeed.reports.timeline import BOUNDS

_DRAWN: Final[Mapping[str, str]] = {
    "delivered": "accepted",
    "refused": "refused",
    "lost": "answer lost",
    "throttled": "told to wait (429)",
    "not_sent": "did not arrive",
}


_FEWEST: Final = 2
"""Columns, or answers, below which a picture tells nothing."""


def funnel(summary: Told) -> Chart | None:
    """Each stage's bar: what went on, and what was left there by bucket; None for a run that read nothing."""
    if not summary["rows"]["read"]:
        return None
    steps = view.funnel(summary)
    went_on = [step.came - sum(step.left.values()) for step in steps]
    arrived = "ready" if view.rehearsed(summary) else "delivered"
    last = len(steps) - 1
    series = [
        Series("on", "went on", [count if place < last else 0 for place, count in enumerate(went_on)]),
        Series(arrived, arrived, [count if place == last else 0 for place, count in enumerate(went_on)]),
        *_left_behind(summary, steps),
    ]
    labels = [f"{step.name}  {count:,}" for step, count in zip(steps, went_on, strict=True)]
    sentence = "; ".join(f"{step.name}: {count:,}" for step, count in zip(steps, went_on, strict=True))
    return charts.funnel(labels, series, f"From rows read to contacts delivered. {sentence}.")


def _left_behind(summary: Told, steps: Sequence[Step]) -> list[Series]:
    return [
        Series(each.kind, each.name, [step.left.get(each.name, 0) for step in steps])
        for each in view.buckets(summary)
        if any(each.name in step.left for step in steps)
    ]


def throughput(story: Story) -> Chart | None:
    """Contacts accepted and refused over time; None where all of it was in one moment."""
    moments = story.timeline.moments
    if sum(any(getattr(moment, name) for name in _DRAWN) for moment in moments) < _FEWEST:
        return None
    series = [Series("delivered", _DRAWN["delivered"], [moment.delivered for moment in moments])]
    if any(moment.refused for moment in moments):
        series.append(Series("refused", _DRAWN["refused"], [moment.refused for moment in moments]))
    most = max(moment.delivered for moment in moments)
    described = f"Contacts accepted in each {span(story.timeline.width)} of the delivery; at most {most:,}."
    return charts.columns(story.labels, series, described)


def troubles(story: Story) -> Chart | None:
    """Pauses and errors over time, below the throughput and to its scale; None where there were none."""
    moments = story.timeline.moments
    kinds = {"throttled": "throttled", "not_sent": "failed", "lost": "unknown"}
    series = [
        Series(kind, _DRAWN[name], [getattr(moment, name) for moment in moments])
        for name, kind in kinds.items()
        if any(getattr(moment, name) for moment in moments)
    ]
    if not series:
        return None
    counts = ", ".join(f"{each.name}: {sum(each.values):,.0f}" for each in series)
    return charts.columns(story.labels, series, f"Requests that were not taken, over time; {counts}.", height=130)


def latency(story: Story) -> Chart | None:
    """How long answers took; None for fewer than two."""
    bins = story.latencies.bins
    if story.latencies.count < _FEWEST:
        return None
    used = [index for index, number in enumerate(bins) if number]
    inside = range(used[0], used[-1] + 1)
    labels = [f"≤ {span(BOUNDS[index])}" if index < len(BOUNDS) else f"> {span(BOUNDS[-1])}" for index in inside]
    described = f"How long {story.latencies.count:,} answers took, from {labels[0]} to {labels[-1]}."
    answers = Series("neutral", "answers by how long they took", [bins[index] for index in inside])
    return charts.columns(labels, [answers], described, height=170)
