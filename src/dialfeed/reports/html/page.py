"""The pages: sections and pictures put into templates, which escape everything that is not a picture of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dialfeed.contacts.fields import IDENTITY_FIELDS
from dialfeed.reports.comparison import Comparison
from dialfeed.reports.examples import Example
from dialfeed.reports.html import pictures, proofs, view, words
from dialfeed.reports.html.view import Told
from dialfeed.reports.story import Story, story_of
from dialfeed.reports.timeline import elapsed
from dialfeed.wording import counted


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
    story, shown = story_of(events), examples or {}
    return _environment().get_template("report.html.j2").render(
        summary=summary,
        story=story,
        style=_style(),
        verdict=view.verdict(summary),
        next=view.next_step(summary),
        buckets=view.buckets(summary),
        steps=view.funnel(summary),
        funnel=pictures.funnel(summary),
        reasons=view.reasons(summary["reasons"], shown),
        warnings=view.reasons(summary["warnings"], shown),
        duplicates=shown.get("duplicate.same_identity", ()),
        identity=", ".join(IDENTITY_FIELDS),
        throughput=pictures.throughput(story),
        troubles=pictures.troubles(story),
        latency=pictures.latency(story),
        latencies=_latencies(story),
        verification=proofs.verification(summary),
        scrub=proofs.scrub(summary),
        hours=proofs.hours(summary),
        findings=[each for each in summary["findings"] if not each["code"].startswith("verify.")],
        retention=retention or {},
    )  # fmt: skip


def render_comparison(comparison: Comparison, summaries: Sequence[Told], stories: Sequence[Story]) -> str:
    """Two runs side by side.

    Args:
        comparison: What there is to tell.
        summaries: What the `summary.json` of each run holds.
        stories: Their courses.

    Returns:
        A whole HTML document that refers to nothing outside itself.
    """
    names = ("First", "Second")
    return _environment().get_template("compare.html.j2").render(
        told=comparison,
        style=_style(),
        funnels=list(zip(names, map(pictures.funnel, summaries), strict=True)),
        throughputs=list(zip(names, map(pictures.throughput, stories), strict=True)),
    )  # fmt: skip


_FILTERS: Final = (
    words.number, words.percent, words.span, words.moment, words.unit, words.change, words.title_of,
    words.facts, words.plain, words.words, proofs.list_tone,
    proofs.covers, elapsed,
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
        **{each.__name__: each for each in (*_FILTERS, counted)},
    }
    return made


@cache
def _style() -> Markup:
    """The style sheet; it is ours and holds nothing of a run."""
    return Markup(resources.files(__package__).joinpath("templates/report.css").read_text("utf-8"))  # noqa: S704


def _latencies(story: Story) -> list[tuple[str, float | None]]:
    found = story.latencies
    shares = (("half of them", 0.5), ("90 of 100", 0.9), ("95 of 100", 0.95), ("99 of 100", 0.99))
    return [*((name, found.quantile(share)) for name, share in shares), ("all of them", found.longest)]
