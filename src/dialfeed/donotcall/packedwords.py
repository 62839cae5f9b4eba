"""What was found about an endpoint, packed into words of 64 bits: four bits a list, and a last word of facts.

There are few different words among the endpoints of a run, and each is decided once (`dialfeed.donotcall.decisions`).
Decisions are kept in this form until the run's end, so what a bit means must not change while a run can be resumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dialfeed.donotcall.decisions import Situation
from dialfeed.donotcall.facts import Verdict, Verdicts

Words: TypeAlias = NDArray[np.uint64]

FACTS: Final = "facts"
"""The word that holds what does not come from a list."""

_LISTS_A_WORD: Final = 16
_GRANTS: Final = 8
"""The first of the bits of facts that tell which exemptions a row has evidence of."""


class Fact(IntEnum):
    """What does not come from a list, by its bit."""

    FLAGGED = 0
    FLAGGED_ELSEWHERE = 1
    CONSENT_LATER = 2
    HOURS = 3
    OBJECTED = 4


def columns_of(lists: int) -> list[str]:
    """The columns that hold the words of endpoints about which so many lists are asked."""
    return [*(f"lists{at}" for at in range(-(-lists // _LISTS_A_WORD))), FACTS]


def packed(verdicts: Sequence[Verdicts]) -> list[Words]:
    """Verdicts in words, four bits a list."""
    words: list[Words] = []
    for at, said in enumerate(verdicts):
        if at % _LISTS_A_WORD == 0:
            words.append(np.zeros(len(said), dtype=np.uint64))
        words[-1] |= said.astype(np.uint64) << np.uint64(at % _LISTS_A_WORD * 4)
    return words


def packed_facts(rows: int, facts: Mapping[Fact, pl.Series | None], grants: Iterable[pl.Series | None]) -> Words:
    """The last word.

    Args:
        rows: How many endpoints there are.
        facts: Where each is true; None where it is nowhere.
        grants: The same of each exemption, in the order in which `situation` is told their names.
    """
    word = np.zeros(rows, dtype=np.uint64)
    for at, where in (*facts.items(), *enumerate(grants, _GRANTS)):
        if where is not None:
            word |= where.to_numpy().astype(np.uint64) << np.uint64(at)
    return word


def situation(words: Sequence[int], lists: int, grants: Sequence[str]) -> Situation:
    """What words stand for.

    Args:
        words: Those of one endpoint, that of facts at the end.
        lists: How many lists were asked.
        grants: The names of the exemptions, in the order in which they were packed.
    """
    facts = words[-1]
    said = [words[at // _LISTS_A_WORD] >> at % _LISTS_A_WORD * 4 & 15 for at in range(lists)]
    return Situation(
        tuple(map(Verdict, said)),
        flagged=_has(facts, Fact.FLAGGED),
        flagged_elsewhere=_has(facts, Fact.FLAGGED_ELSEWHERE),
        exemptions=frozenset(name for at, name in enumerate(grants, _GRANTS) if _has(facts, at)),
        consent_later=_has(facts, Fact.CONSENT_LATER),
        objected=_has(facts, Fact.OBJECTED),
        hours=_has(facts, Fact.HOURS),
    )


def flagged_elsewhere(facts: pl.Expr, where: pl.Expr) -> pl.Expr:
    """The last word with the fact that another row forbids the endpoint, where its own row does not."""
    own = (facts & pl.lit(1 << Fact.FLAGGED, pl.UInt64)) != 0
    return pl.when(where & ~own).then(facts | pl.lit(1 << Fact.FLAGGED_ELSEWHERE, pl.UInt64)).otherwise(facts)


def _has(facts: int, at: int) -> bool:
    return bool(facts >> at & 1)
