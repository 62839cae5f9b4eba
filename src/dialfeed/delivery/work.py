"""A batch on its way: what delivery knows of it beside the ledger."""

from __future__ import annotations

from dataclasses import dataclass

from dialfeed.delivery.batches import Batch
from dialfeed.delivery.ports import Contacts


@dataclass(slots=True)
class Work:
    """A batch on its way.

    Attributes:
        batch: Which.
        contacts: Its contacts for the wire, once they are loaded.
        ready_at: Not to be sent before.
        sent_at: When it was sent last.
        left_at: When it has left since, so that it may be on the list; None while it waits for its turn.
        lost_at: When its answer was lost, or would have come if it were as slow as the slowest.
        cause, status, pause: What is known of the lost answer (`answers.Unknown`).
    """

    batch: Batch
    contacts: Contacts | None = None
    ready_at: float = 0.0
    sent_at: float = 0.0
    left_at: float | None = None
    lost_at: float = 0.0
    cause: str = ""
    status: int | None = None
    pause: float | None = None

    @property
    def size(self) -> int:
        """How many contacts."""
        return self.batch.size
