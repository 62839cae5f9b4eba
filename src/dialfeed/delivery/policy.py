"""How delivery behaves: the figures that its parts decide by."""

from __future__ import annotations

from dataclasses import dataclass, field

from dialfeed.delivery.retry import RetryPolicy
from dialfeed.delivery.settle import Patience
from dialfeed.delivery.sizes import CLASSES


@dataclass(frozen=True, slots=True)
class Policy:
    """How delivery behaves.

    Attributes:
        in_flight: Batches under way at once; more than `sizes.CLASSES` cannot be told apart by a count.
        open_lost: With so many lost answers, delivery comes to rest and settles them.
        aside: So many batches may wait for that, where a count could not tell them from the lost ones; twice as many
            while the one is sought that can be sent as a canary.
        isolation: The most batches that one refused batch may be divided into before the rest is given up.
        isolation_in_doubt: The same as long as the platform has taken nothing: then it may be no contact that is wrong.
        stop_within: After a stop signal, or the deadline, seconds to wait for the batches under way.
        deadline: Seconds after which no further batch is begun; None for no end.
        give_up_after: Seconds for which a platform may answer every probe with a failure before the run ends.
        settle_only: Find out about lost answers, and send nothing.
        retry: How often, and until when.
        patience: How long settling waits for the count.
    """

    in_flight: int = CLASSES
    open_lost: int = 3
    aside: int = 16
    isolation: int = 256
    isolation_in_doubt: int = 64
    stop_within: float = 30.0
    deadline: float | None = None
    give_up_after: float = 600.0
    settle_only: bool = False
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    patience: Patience = field(default_factory=Patience)
