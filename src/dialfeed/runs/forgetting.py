"""Forget a person: erase what run folders and ledgers hold of a number or an address, keep that it may not be used.

Erasure does not mean dropping the suppression: lists keep just enough to honour it, and the decision lines, which hold
pseudonyms, stay as the proof (`compliance.md` sections 2 and 5). That and what was erased is itself recorded, under a
pseudonym, in `forgotten.jsonl` of the home folder: a trail like that of a run.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import phonenumbers
import polars as pl
from polars.exceptions import PolarsError

from dialfeed.audit.records import shared_trail
from dialfeed.config import Plan
from dialfeed.donotcall.decisions import Channel
from dialfeed.donotcall.facts import Opened, Verdict
from dialfeed.donotcall.keys import KeyRing
from dialfeed.donotcall.objections import Objections
from dialfeed.donotcall.store import ListStore
from dialfeed.errors import CheckFile, FixSettings
from dialfeed.files import create_private, sync_folder
from dialfeed.ledger.erasing import erase_words
from dialfeed.ledger.folder import LEDGER, STAGE, every_run, held
from dialfeed.moments import utc_now
from dialfeed.reports.retention import part_of, rows_in
from dialfeed.running.assembly import home_folder
from dialfeed.runs.inquiry import Endpoint, id_of
from dialfeed.wording import counted

FORGOTTEN: Final = "forgotten.jsonl"
_ERASED: Final = "Erased because the person asked for it."
_LONG: Final = 9
"""Digits: so long a national number is found inside a cell as well, beside words or another number."""


@dataclass(slots=True)
class Forgotten:
    """What came of it.

    Attributes:
        rows: Rows that were erased, by run.
        open_runs: Runs that can still be resumed and would send the person's contact; their prepared contacts stay.
        busy_runs: Runs that a process is working on.
        damaged_runs: Runs whose ledger or files with rows cannot be read.
        objections: Runs of which a row forbids the number or address; they keep it, so that no mended row uses it.
        lists: Do-not-call lists that hold the number or address, and keep it.
    """

    rows: dict[str, int] = field(default_factory=dict)
    open_runs: list[str] = field(default_factory=list)
    busy_runs: list[str] = field(default_factory=list)
    damaged_runs: list[str] = field(default_factory=list)
    objections: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Its JSON form."""
        return asdict(self)

    @property
    def exit_code(self) -> int:
        """4 where something of the person is, or may be, left in a run."""
        return 4 if self.open_runs or self.busy_runs or self.damaged_runs else 0


def forget(endpoint: Endpoint, plan: Plan, *, rehearse: bool = False) -> Forgotten:
    """Erase what is kept of a number or an address.

    Args:
        endpoint: Whose.
        plan: Where runs, lists and keys are.
        rehearse: Only look.

    Raises:
        FixSettings: The key for pseudonyms is lost.
    """
    home = home_folder(plan)
    key = KeyRing(home).passing() if rehearse else KeyRing(home).current()
    found = Forgotten(lists=_lists_with(endpoint, home))
    for folder in every_run(Path(plan.runs_dir), home):
        try:
            with held(folder):
                _forget_in(folder, endpoint, found, rehearse=rehearse)
        except CheckFile:
            found.busy_runs.append(id_of(folder))
        except (FixSettings, PolarsError):
            found.damaged_runs.append(id_of(folder))
    if not rehearse:
        with shared_trail(home / FORGOTTEN) as trail:
            trail.append(
                "person.forgotten",
                channel=endpoint.channel,
                pseudonym=key.pseudonym(endpoint.channel, endpoint.value),
                key_id=key.id,
                **found.as_dict(),
            )
    return found


def _forget_in(folder: Path, endpoint: Endpoint, found: Forgotten, *, rehearse: bool) -> None:
    """Erase in the folder of one run."""
    if (folder / STAGE).is_dir() and _is_staged(folder / STAGE, endpoint):
        found.open_runs.append(id_of(folder))
    for file in rows_in(folder):
        if file.suffix == ".csv" and not file.name.endswith(".people.csv"):
            count = _erase(file, endpoint, rehearse=rehearse)
            if count:
                found.rows[id_of(folder)] = found.rows.get(id_of(folder), 0) + count
    if _is_objected(folder, endpoint):
        found.objections.append(id_of(folder))
    if not rehearse and (folder / LEDGER).is_file():
        erase_words(folder / LEDGER, _words_for(endpoint))


def _erase(file: Path, endpoint: Endpoint, *, rehearse: bool) -> int:
    """Blank the rows of a file that hold the endpoint; rows and their reasons stay countable."""
    rows = pl.scan_csv(file, infer_schema=False)
    columns = [name for name in rows.collect_schema().names() if not name.startswith("_")]
    hit = pl.any_horizontal(_matches(pl.col(name), endpoint) for name in columns).fill_null(value=False)
    count = int(rows.select(hit.sum()).collect().item())
    if not count or rehearse:
        return count
    blank = dict.fromkeys((*columns, "_id")) | {"_message": _ERASED}
    part = file.with_name(part_of(file.name))
    create_private(part).close()
    rows.with_columns(
        pl.when(hit).then(pl.lit(blank[name], dtype=pl.String)).otherwise(pl.col(name)).alias(name)
        for name in rows.collect_schema().names()
        if name in blank
    ).sink_csv(part)
    part.replace(file)
    sync_folder(file.parent)
    for copy in (file.with_suffix(".xlsx"), file.with_suffix(".people.csv")):
        copy.unlink(missing_ok=True)  # made for a spreadsheet from the same rows
    return count


def _matches(cell: pl.Expr, endpoint: Endpoint) -> pl.Expr:
    """Whether a cell, as typed, holds the endpoint."""
    if endpoint.channel == "email":
        return cell.str.to_lowercase().str.contains(_as_typed(endpoint.value))
    forms = _forms(endpoint.value)
    digits = cell.str.replace_many(_digits_of_all_scripts()).str.replace_all("[^0-9]", "")
    national = forms[1]
    inside = digits.str.contains(national, literal=True) if len(national) >= _LONG else pl.lit(value=False)
    return digits.is_in(list(forms)) | inside


@cache
def _as_typed(address: str) -> str:
    """A pattern for an address in small letters, its domain written either way, and not for a part of another one."""
    local, _, domain = address.lower().rpartition("@")
    spelt = {domain}
    with suppress(UnicodeError):  # a script that is younger than Python's tables
        spelt.add(domain.encode("idna").decode("ascii"))
    return rf"(^|[^a-z0-9_.%+-]){re.escape(local)}@({'|'.join(map(re.escape, sorted(spelt)))})($|\.?([^a-z0-9_.-]|$))"


@cache
def _digits_of_all_scripts() -> dict[str, str]:
    """The digits beyond ASCII, such as full-width ones, that a number may be written in."""
    every = map(chr, range(0x80, sys.maxunicode))
    return {digit: str(unicodedata.decimal(digit)) for digit in every if digit.isdecimal()}


def _forms(number: str) -> tuple[str, ...]:
    """The digits of a number as people write it: international and national, with and without prefixes."""
    parsed = phonenumbers.parse(number)
    national = phonenumbers.national_significant_number(parsed)
    digits = number.removeprefix("+")
    return (digits, national, f"00{digits}", f"011{digits}", f"0{national}", f"1{national}")


def _is_staged(stage: Path, endpoint: Endpoint) -> bool:
    """Whether contacts that wait to be sent hold the endpoint."""
    for chunk in sorted(stage.glob("[0-9]*.arrow")):
        columns = [name for name in pl.read_ipc_schema(chunk) if not name.startswith("_")]
        texts = pl.scan_ipc(chunk).select(pl.col(columns).cast(pl.String))
        hit = pl.any_horizontal(_matches(pl.col(name), endpoint) for name in columns)
        if texts.select(hit.any()).collect().item():
            return True
    return False


def _words_for(endpoint: Endpoint) -> list[str]:
    """What the platform's words about a refused contact may call the endpoint."""
    return [endpoint.value] if endpoint.channel == "email" else [endpoint.value, *_forms(endpoint.value)[:2]]


def _is_objected(folder: Path, endpoint: Endpoint) -> bool:
    """Whether a row of the run forbids the endpoint in every row."""
    objections = Objections({})
    objections.load(folder)
    channel: Channel = "email" if endpoint.channel == "email" else "phone"
    return bool(objections.hits(channel, pl.Series([endpoint.value])).any())


def _lists_with(endpoint: Endpoint, home: Path) -> list[str]:
    """The do-not-call lists that hold the endpoint."""
    store = ListStore(home)
    opened = store.open(store.ids(), now=utc_now())
    return sorted({name for name, verdict in _said(opened, endpoint) if verdict in {Verdict.LISTED, Verdict.SCOPED}})


def _said(opened: Opened, endpoint: Endpoint) -> Iterator[tuple[str, int]]:
    if endpoint.channel == "email":
        values = pl.Series([endpoint.value])
        yield from ((each.facts.id, int(each.look_up(values)[0])) for each in opened.email)
        return
    numbers = np.array([int(endpoint.value.removeprefix("+"))], dtype=np.uint64)
    yield from ((each.facts.id, int(each.look_up(numbers)[0])) for each in opened.phone)


def forgotten_as_text(told: Mapping[str, Any], *, rehearsed: bool) -> str:
    """For a person to read."""
    rows, verb = told["rows"], "would be erased" if rehearsed else "erased"
    lines = [f"{counted(sum(rows.values()), 'row')} {verb} in {counted(len(rows), 'run')}."]
    lines += [f"  run {run}: {counted(count, 'row')}" for run, count in rows.items()]
    lines += [
        f"Run {run} can still be resumed and would send the contact: finish it, or remove its rows with "
        f"`dialfeed purge {run} --older-than 0d --even-open`."
        for run in told["open_runs"]
    ]
    lines += [
        f"Run {run} has files that cannot be read, so the person may be in them: `dialfeed purge {run}` removes them."
        for run in told["damaged_runs"]
    ]
    lines += [
        f"Kept, so that no mended row of run {run} is used to contact the person: objections.arrow."
        for run in told["objections"]
    ]
    lines += [f"A process is working on run {run}; nothing was erased there. Try again." for run in told["busy_runs"]]
    lines += [f"Kept, so that nobody contacts the person again: list {name}." for name in told["lists"]]
    if not told["lists"]:
        lines.append("The person is on no do-not-call list; `dialfeed dnc add --internal` keeps others from calling.")
    return "\n".join([*lines, "Files that contacts were imported from are not touched."])
