"""Runs the command in this process and ends it with SIGKILL at the k-th passing of a named point.

    python crash_driver.py POINT K ARGUMENTS OF DIALFEED

Points: `before NAME` and `after NAME` for each write of the ledger (facts, open, delivered, absent, unknown, divided,
failed), `before send` and `after send`, `stage` (a prepared chunk is put down), `seal` and `record`.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from dialfeed import pipeline
from dialfeed.cli import main
from dialfeed.delivery.answers import Answer
from dialfeed.ledger.ledger import Ledger
from dialfeed.ledger.stage import StageWriter
from dialfeed.platforms.cxone.client import CxonePlatform

_POINT, _LEFT = sys.argv[1], [int(sys.argv[2])]


def passing(point: str) -> None:
    """Count, and end the process where that was asked for."""
    if point == _POINT:
        _LEFT[0] -= 1
        if _LEFT[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def announced(point: str, work: Callable[..., Any]) -> Callable[..., Any]:
    """`work`, which passes a point first."""

    @functools.wraps(work)
    def announced_work(*arguments: Any, **named: Any) -> Any:
        passing(point)
        return work(*arguments, **named)

    return announced_work


_plain_init, _plain_send = Ledger.__init__, CxonePlatform.send


def watched_init(self: Ledger, path: Any) -> None:
    """A ledger whose writes pass points."""
    _plain_init(self, path, checkpoint=passing)


async def watched_send(self: CxonePlatform, list_id: str, contacts: Any) -> Answer:
    """A send between two points."""
    passing("before send")
    answer = await _plain_send(self, list_id, contacts)
    passing("after send")
    return answer


Ledger.__init__ = watched_init  # type: ignore[assignment,method-assign]
CxonePlatform.send = watched_send  # type: ignore[method-assign]
StageWriter.add = announced("stage", StageWriter.add)  # type: ignore[method-assign]
StageWriter.seal = announced("seal", StageWriter.seal)  # type: ignore[method-assign]
pipeline.record = announced("record", pipeline.record)  # type: ignore[attr-defined]

sys.argv = ["dialfeed", *sys.argv[3:]]
main()
