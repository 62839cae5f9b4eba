"""The page: sections and charts put into the template, which escapes everything that is not a chart of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dialfeed.contacts.fields import IDENTITY_FIELDS
from dialfeed.reports.examples import Example
from dialfeed.reports.html import charts, view
from dialfeed.reports.html.charts import Chart, Series
from dialfeed.reports.html.view import Bucket, Step, Told
from dialfeed.reports.story import Story, told
from dialfeed.reports.timeline import BOUNDS, elapsed

_DRAWN: Final[Mapping[str, str]] = {
    "delivered": "accepted",
    "refused": "refused",
    "lost": "answer lost",
    "throttled": "told to wait (429)",
    "not_sent": "did not arrive",
}


def render(
    summary: Told,
    events: Iterable[Told],
    *,
    examples: Mapping[str, Sequence[Example]] | None = None,
    retention: Told | None = None,
) -> str:
    """The report of one run.

    Args:
        summary: What `summary.json` holds.
        events: The events of its audit trail, in order; read once.
        examples: A few rows for each reason.
        retention: What `retention.json` holds.

    Returns:
        A whole HTML document that refers to nothing outside itself.
    """
    story = told(events)
    rows = view.buckets(summary)
    return _environment().get_template("report.html.j2").render(
        summary=summary,
        story=story,
        style=_style(),
        verdict=view.verdict(summary),
        rehearsed=view.rehearsed(summary),
        buckets=rows,
        steps=view.funnel(summary),
        funnel=_funnel(view.funnel(summary), rows, view.rehearsed(summary)) if summary["rows"]["read"] else None,
        next=view.next_step(summary),
        rate=_rate(story),
        reasons=view.reasons(summary["reasons"], examples or {}),
        warnings=view.reasons(summary["warnings"], examples or {}),
        duplicates=(examples or {}).get("duplicate.same_identity", ()),
        identity=", ".join(IDENTITY_FIELDS),
        throughput=_throughput(story),
        troubles=_troubles(story),
        latency=_latency(story),
        latencies=_latencies(story),
        verification=view.verification(summary),
        scrub=view.scrub(summary),
        hours=summary.get("calling_hours") or {},
        findings=[each for each in summary["findings"] if not each["code"].startswith("verify.")],
        retention=retention or {},
    )  # fmt: skip


@cache
def _environment() -> Environment:
    """The templates, with every value escaped and every missing one an error."""
    made = Environment(
        loader=PackageLoader("dialfeed.reports.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "number": lambda value: "not told" if value is None else f"{value:,}",
        "percent": percent,
        "span": span,
        "moment": moment,
        "facts": view.facts,
        "plain": view.plain,
        "words": view.words,
        "elapsed": elapsed,
    }
    return made


@cache
def _style() -> Markup:
    """The style sheet; it is ours and holds nothing of a run."""
    return Markup(resources.files(__package__).joinpath("templates/report.css").read_text("utf-8"))  # noqa: S704


def percent(share: float) -> str:
    """A share for people: never 0 % of something, nor 100 % of not all."""
    if share in {0, 1}:
        return f"{share * 100:.0f} %"
    if share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{share * 100:.1f} %"


def span(seconds: float | None) -> str:
    """A span of time for people."""
    if seconds is None:
        return "not told"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else elapsed(seconds)


def moment(time: Any) -> str:
    """A time in UTC for people: of a `datetime`, or of its ISO 8601 form."""
    if hasattr(time, "strftime"):
        return f"{time:%Y-%m-%d %H:%M:%S} UTC"
    text = str(time).replace("T", " ").removesuffix("Z").removesuffix("+00:00")
    return f"{text.split('.')[0]} UTC" if ":" in text else text


# --- charts -------------------------------------------------------------------------------------------------------


def _funnel(steps: Sequence[Step], rows: Sequence[Bucket], rehearsal: bool) -> Chart:  # noqa: FBT001
    """Each stage's bar: what went on, and what was left there by bucket."""
    last = len(steps) - 1
    arrived = "ready" if rehearsal else "delivered"
    went_on = [step.came - sum(step.left.values()) for step in steps]
    series = [
        Series("on", "went on", [count if place < last else 0 for place, count in enumerate(went_on)]),
        Series(arrived, arrived, [count if place == last else 0 for place, count in enumerate(went_on)]),
    ]
    series += [
        Series(each.kind, each.name, [step.left.get(each.name, 0) for step in steps])
        for each in rows
        if any(each.name in step.left for step in steps)
    ]
    sentence = "; ".join(f"{step.name}: {count:,}" for step, count in zip(steps, went_on, strict=True))
    labels = [f"{step.name}  {count:,}" for step, count in zip(steps, went_on, strict=True)]
    return charts.funnel(labels, series, f"From rows read to contacts delivered. {sentence}.")


def _rate(story: Story) -> int | None:
    """Contacts a second over the whole delivery, pauses included."""
    accepted = sum(moment.delivered for moment in story.timeline.moments)
    return round(accepted / story.delivery_seconds) if story.delivery_seconds else None


def _throughput(story: Story) -> Chart | None:
    """Contacts accepted and refused over time."""
    moments = story.timeline.moments
    if not moments:
        return None
    series = [Series("delivered", _DRAWN["delivered"], [moment.delivered for moment in moments])]
    if any(moment.refused for moment in moments):
        series.append(Series("refused", _DRAWN["refused"], [moment.refused for moment in moments]))
    most = max(moment.delivered for moment in moments)
    described = f"Contacts accepted in each {span(story.timeline.width)} of the delivery; at most {most:,}."
    return charts.columns(story.labels, series, described)


def _troubles(story: Story) -> Chart | None:
    """Pauses and errors over time, below the throughput and to its scale."""
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


def _latency(story: Story) -> Chart | None:
    """How long answers took."""
    bins = story.latencies.bins
    used = [index for index, number in enumerate(bins) if number]
    if story.latencies.count < 2:
        return None
    inside = range(used[0], used[-1] + 1)
    labels = [f"≤ {span(BOUNDS[index])}" if index < len(BOUNDS) else f"> {span(BOUNDS[-1])}" for index in inside]
    described = f"How long {story.latencies.count:,} answers took, from {labels[0]} to {labels[-1]}."
    return charts.columns(
        labels,
        [Series("neutral", "answers by how long they took", [bins[index] for index in inside])],
        described,
        height=170,
    )


def _latencies(story: Story) -> list[tuple[str, float | None]]:
    found = story.latencies
    shares = (("half of them", 0.5), ("90 of 100", 0.9), ("95 of 100", 0.95), ("99 of 100", 0.99))
    return [*((name, found.quantile(share)) for name, share in shares), ("all of them", found.longest)]
