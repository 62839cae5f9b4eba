"""A batch: which contacts go together, named by their place among the contacts that are fit to send."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Span = tuple[int, int]
"""A half-open range of places: from, up to but not including."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Contacts that are delivered together.

    Attributes:
        id: Number in the ledger, from 1.
        spans: The places of its contacts, as ascending half-open ranges.
        root: The batch it came from when a larger one was divided, else its own id.
        attempts: How often it has been sent.
    """

    id: int
    spans: tuple[Span, ...]
    root: int
    attempts: int = 0

    @property
    def size(self) -> int:
        """How many contacts it holds."""
        return sum(stop - start for start, stop in self.spans)

    def places(self) -> list[int]:
        """The place of each contact, by its position in the batch."""
        return [place for start, stop in self.spans for place in range(start, stop)]

    def select(self, positions: Iterable[int]) -> tuple[Span, ...]:
        """The spans of the contacts at these positions of the batch."""
        places = self.places()
        return to_spans([places[position] for position in sorted(set(positions))])


def to_spans(places: Sequence[int]) -> tuple[Span, ...]:
    """Ascending places as the fewest half-open ranges.

    >>> to_spans([0, 1, 2, 5, 7, 8])
    ((0, 3), (5, 6), (7, 9))
    """
    spans: list[Span] = []
    for place in places:
        if spans and spans[-1][1] == place:
            spans[-1] = (spans[-1][0], place + 1)
        else:
            spans.append((place, place + 1))
    return tuple(spans)
