"""Charts as static SVG, drawn by pygal and stripped to geometry.

What is left of pygal's drawing is shapes, texts and class names: its style sheet, script, tooltips and comments go.
Colours and patterns come from the page's own style sheet, by bucket, so that one chart serves light, dark and paper;
each chart is drawn twice, wide and narrow, and the style sheet shows the one that fits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, floor, log10
from typing import Any, Final
from xml.etree import ElementTree as ET

from markupsafe import Markup

_STRIPPED: Final = frozenset({"style", "script", "desc", "title", "defs"})
_KEPT: Final = frozenset({"viewBox", "class", "transform", "d", "x", "y", "rx", "ry", "width", "height"})
_PRECISION: Final = 1
_THINNEST: Final = 2.0
_NOTHING: Final = 1e-6
_WIDEST: Final = 6


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a chart.

    Attributes:
        kind: Names its colour and pattern in the style sheet (`k-…`).
        name: What it is called.
        values: A number for each label.
    """

    kind: str
    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart in its two widths.

    Attributes:
        wide: SVG for a wide window and for paper.
        narrow: SVG for a phone.
        legend: Kinds and names of the series that have anything to show.
    """

    wide: Markup
    narrow: Markup
    legend: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Form:
    """The size of a drawing, and how many labels have room on it."""

    name: str
    width: int
    height: int
    labels: int


def funnel(labels: Sequence[str], series: Sequence[Series], described: str) -> Chart:
    """Bars from top to bottom, each as long as what came in, in parts that went on and parts that did not."""
    height = 30 * len(labels) + 26
    forms = (_Form("wide", 760, height, len(labels)), _Form("narrow", 340, height, len(labels)))
    # pygal counts bars from the bottom
    turned = [Series(each.kind, each.name, list(reversed(each.values))) for each in series]
    return _drawn(_pygal().HorizontalStackedBar, list(reversed(labels)), turned, described, forms)


def columns(labels: Sequence[str], series: Sequence[Series], described: str, *, height: int = 220) -> Chart:
    """Stacked columns from left to right."""
    forms = (_Form("wide", 760, height, 9), _Form("narrow", 340, round(height * 0.85), 4))
    return _drawn(_pygal().StackedBar, labels, series, described, forms)


@cache
def _pygal() -> Any:
    """The library, imported where a chart is drawn only.

    It leaves a hook for map plug-ins behind, of a kind that Python 3.12 no longer knows and that Python 3.11 warns of
    at every import; the hook goes, unless somebody else has brought pygal in.
    """
    brought = "pygal" in sys.modules
    import pygal  # noqa: PLC0415 - 70 ms

    if not brought:
        sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]
    return pygal


def _drawn(
    kind: Callable[..., Any], labels: Sequence[str], series: Sequence[Series], described: str, forms: Sequence[_Form]
) -> Chart:
    wide, narrow = (_svg(kind, labels, series, described, form) for form in forms)
    return Chart(wide, narrow, [(each.kind, each.name) for each in series if any(each.values)])


def _svg(
    kind: Callable[..., Any], labels: Sequence[str], series: Sequence[Series], described: str, form: _Form
) -> Markup:
    upright = kind is _pygal().StackedBar
    chart = kind(**_OPTIONS, width=form.width, height=form.height, value_formatter=_on_axis if upright else short)
    chart.x_labels = list(labels)
    if upright:
        chart.y_labels = steps(max(map(sum, zip(*(each.values for each in series), strict=True))))
    every = -(-len(labels) // form.labels)
    if every > 1:
        chart.x_labels_major_every, chart.show_minor_x_labels = every, False
    for each in series:
        chart.add(each.name, [float(value) for value in each.values])
    tree = chart.render_tree()
    _strip(tree, {f"serie-{index}": each.kind for index, each in enumerate(series)})
    tree.attrib.update({"xmlns": "http://www.w3.org/2000/svg", "class": f"chart {form.name}", "role": "img",
                        "aria-label": described, "preserveAspectRatio": "xMinYMin meet"})  # fmt: skip
    return Markup(ET.tostring(tree, encoding="unicode"))  # noqa: S704 - made of an element tree, which escapes


_OPTIONS: Final[Mapping[str, Any]] = {
    "js": [],
    "css": [],
    "no_prefix": True,
    "pretty_print": True,  # or it would spend its time on minifying a style sheet that is thrown away
    "show_legend": False,
    "margin": 4,
    "margin_right": 14,
    "spacing": 8,
    "truncate_label": -1,
    "no_data_text": "",
    "rounded_bars": 0,
    "x_label_rotation": 0,
    "max_scale": 6,
    "min_scale": 3,
    "zero": 0,
}


def steps(most: float) -> list[float]:
    """Three to five round numbers from 0 to `most` or a little more; whole ones."""
    rough = max(most, 1) / 4
    size = 10 ** floor(log10(rough)) if rough > 1 else 1
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough and (size * factor) % 1 == 0)
    return [step * number for number in range(ceil(most / step) + 1)]


def _on_axis(value: float) -> str:
    """A number for an axis, as wide as all others, so that charts below one another have one scale."""
    return short(value).rjust(_WIDEST, "\u2007")


def short(value: float) -> str:
    """A number in few characters."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def _strip(node: ET.Element, kinds: Mapping[str, str]) -> None:
    """Leave shapes, texts and classes; series get the class of their kind; empty groups go."""
    if node.tag.endswith("rect"):
        _thicken(node)
    node.attrib = {name: _tidy(name, value, kinds) for name, value in node.attrib.items() if name in _KEPT}
    for child in list(node):
        if callable(child.tag) or child.tag.split("}")[-1] in _STRIPPED:
            node.remove(child)
            continue
        _strip(child, kinds)
        if _empty(child):
            node.remove(child)


def _tidy(name: str, value: str, kinds: Mapping[str, str]) -> str:
    if name == "class":
        return " ".join(f"k-{kinds[each]}" if each in kinds else each for each in value.split() if each not in _NOISE)
    if name == "d":
        return " ".join(_rounded(part) for part in value.split())
    return _rounded(value)


_NOISE: Final = frozenset({"reactive", "tooltip-trigger", "rect", *(f"color-{number}" for number in range(16))})


def _thicken(bar: ET.Element) -> None:
    """Let a part be seen that is a hair beside the others: one unknown contact in a million is still one."""
    for name in ("width", "height"):
        if _NOTHING < float(bar.get(name, _THINNEST)) < _THINNEST:
            bar.set(name, f"{_THINNEST:g}")
            bar.set("class", f"{bar.get('class', '')} thin".strip())


def _rounded(text: str) -> str:
    """A number with one decimal, also behind a letter of a path; anything else as it is."""
    letter = text[0] if text[:1].isalpha() else ""
    try:
        number = round(float(text.removeprefix(letter)), _PRECISION)
    except ValueError:
        return text
    return f"{letter}{number:g}"


def _empty(node: ET.Element) -> bool:
    tag = node.tag.split("}")[-1]
    if tag == "g":
        return len(node) == 0
    if tag == "rect":
        return "background" in node.get("class", "") or 0.0 in {
            float(node.get(name, 0)) for name in ("width", "height")
        }
    return tag == "text" and not node.text
