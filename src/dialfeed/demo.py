"""A demonstration: contacts of the kind people really have, through the whole road, into a sandbox on this machine.

Everything is made up: phone numbers are of the ranges kept for fiction and tests (`compliance.md` section 10),
e-mail addresses are at example.com and its siblings.
"""

from __future__ import annotations

import csv
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from dialfeed.api import in_own_thread
from dialfeed.config import resolve
from dialfeed.pipeline import import_file
from dialfeed.running.order import Order
from dialfeed.running.run import Progress, Result, silent
from dialfeed.running.stopping import Stopper
from dialfeed.sandbox import SandboxServer

HEADER = (
    "External ID",
    "First Name",
    "Last_Name",
    "Phone Number",
    "E-Mail",
    "Country",
    "Do Not Call",
    "doNotEmail",
    "Branch",
)
"""Headers as exports have them: the mapping sorts them out, and `Branch` passes through."""

_FIRST = (
    "Ada",
    "Björn",
    "Chloé",
    "Dário",
    "Élodie",
    "Fatima",
    "Grace",
    "Håkon",
    "Inés",
    "João",
    "Łukasz",
    "Nuño",
    "Zoë",
)
_LAST = (
    "Ångström",
    "Brown",
    "Çelik",
    "D'Arcy",
    "Fernández",
    "García",
    "Müller",
    "Nguyễn",
    "O'Neill",
    "Smith-Jones",
    "Šimić",
)
_BRANCHES = ("North", "South", "Köln", "São Paulo", "")
_YES = ("true", "TRUE", "yes", "Y", "1", "t")
_NO = ("false", "FALSE", "no", "N", "0", "f")
_AREAS = (202, 206, 212, 303, 305, 312, 404, 415, 512, 617, 702, 713, 808, 917)

Row = list[str]


def made_up_rows(count: int, seed: int = 20260101) -> Iterator[Row]:
    """So many rows below `HEADER`, the same ones for the same seed.

    About three in four are fit to load; the others show what goes wrong in real files.
    """
    chance = random.Random(seed)  # noqa: S311 - the same contacts at every demonstration
    kinds: list[Callable[[random.Random, Row], Row]] = [damage for damage, weight in _DAMAGES for _ in range(weight)]
    earlier: list[Row] = []
    for number in range(count):
        row = _person(chance, number)
        if chance.random() < 0.3:
            row = chance.choice(kinds)(chance, row)
        elif earlier and chance.random() < 0.05:
            row = _written_again(chance, chance.choice(earlier))
        else:
            earlier.append(row)
        yield row


def write_demo_file(path: Path, count: int) -> None:
    """A CSV file as a spreadsheet would save it: with a byte-order mark and CRLF."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(made_up_rows(count))


def run_demo(
    rows: int, run_dir: Path | None = None, *, stopper: Stopper | None = None, progress: Progress = silent
) -> Result:
    """Make up contacts, start a sandbox with a list, and import them."""
    with tempfile.TemporaryDirectory(prefix="dialfeed-demo-") as folder, SandboxServer() as sandbox:
        path = Path(folder) / "contacts.csv"
        write_demo_file(path, rows)
        list_id = sandbox.add_list("Demonstration", count=120)
        settings = {
            "base_url": sandbox.url,
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "default_country": "US",
            "max_rejected": "50%",
            "home": str(Path(folder) / "home"),
            "sinks": "none",  # made-up contacts are no evidence
        }
        order = Order((str(path),), resolve(settings, environ=os.environ), list_id, run_dir=run_dir)
        return in_own_thread(
            stopper, lambda switch: import_file(order, command="demo", stopper=switch, progress=progress)
        )


# --- people -------------------------------------------------------------------------------------------------------


def _person(chance: random.Random, number: int) -> Row:
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    country, phone = chance.choice((_american, _american, _american, _british, _german, _french, _australian))(chance)
    domain = chance.choice(("example.com", "example.org", "example.net"))
    email = f"{'abcdefghij'[number % 10]}.{number}@{domain}" if chance.random() < 0.9 else ""
    return [
        f"C-{number:05}", first, last, phone, email, country, chance.choice(_NO), chance.choice(_NO),
        chance.choice(_BRANCHES),
    ]  # fmt: skip


def _american(chance: random.Random) -> tuple[str, str]:
    area, line = chance.choice(_AREAS), chance.randrange(100, 200)
    forms = (f"+1{area}5550{line}", f"({area}) 555-0{line}", f"{area}-555-0{line}", f"1 {area} 555 0{line}")
    return chance.choice(("US", "USA", "")), chance.choice(forms)


def _british(chance: random.Random) -> tuple[str, str]:
    line = chance.randrange(1000)
    return "GB", chance.choice((f"020 7946 0{line:03}", f"+44 20 7946 0{line:03}", f"+44 (0)20 7946 0{line:03}"))


def _german(chance: random.Random) -> tuple[str, str]:
    line = chance.randrange(1000)
    return chance.choice(("DE", "Germany")), chance.choice((f"030 23125 {line:03}", f"+49 30 23125{line:03}"))


def _french(chance: random.Random) -> tuple[str, str]:
    line = chance.randrange(10000)
    return "FR", chance.choice((f"01 99 00 {line // 100:02} {line % 100:02}", f"+33 1 99 00 {line:04}"))


def _australian(chance: random.Random) -> tuple[str, str]:
    line = chance.randrange(10000)
    return "AU", chance.choice((f"(02) 5550 {line:04}", f"+61 3 7010 {line:04}", "0491 570 156"))


# --- what goes wrong ----------------------------------------------------------------------------------------------

_PHONE, _EMAIL, _COUNTRY, _CALL, _MAIL = 3, 4, 5, 6, 7


def _with(row: Row, **cells: str) -> Row:
    places = {"phone": _PHONE, "email": _EMAIL, "country": _COUNTRY, "call": _CALL, "mail": _MAIL}
    changed = list(row)
    for name, value in cells.items():
        changed[places[name]] = value
    return changed


def _rounded_by_a_spreadsheet(_: random.Random, row: Row) -> Row:
    return _with(row, phone="+1.21256E+10")


def _made_a_decimal(chance: random.Random, row: Row) -> Row:
    return _with(row, phone=f"1{chance.choice(_AREAS)}5550{chance.randrange(100, 200)}.0", country="US")


def _masked(chance: random.Random, row: Row) -> Row:
    return _with(row, phone=f"{chance.choice(_AREAS)}-555-XXXX")


def _too_short(_: random.Random, row: Row) -> Row:
    return _with(row, phone="555-01")


def _two_numbers(_: random.Random, row: Row) -> Row:
    return _with(row, phone="212-555-0101 / 212-555-0102", country="US")


def _bad_email(chance: random.Random, row: Row) -> Row:
    return _with(row, email=chance.choice(("anna@", "no at all", "a b@example.com", "x@example", "two@@example.com")))


def _no_flag(chance: random.Random, row: Row) -> Row:
    return _with(row, call=chance.choice(("", "maybe", "?")))


def _not_to_be_called(chance: random.Random, row: Row) -> Row:
    return _with(row, call=chance.choice(_YES))


def _not_to_be_reached(chance: random.Random, row: Row) -> Row:
    return _with(row, call=chance.choice(_YES), mail=chance.choice(_YES))


def _unreachable(_: random.Random, row: Row) -> Row:
    return _with(row, phone="", email="")


def _everything_at_once(_: random.Random, row: Row) -> Row:
    return _with(row, phone="####", email="@", call="", mail="perhaps")


def _written_again(chance: random.Random, row: Row) -> Row:
    """The same person, typed differently."""
    return _with(row, phone=f" {row[_PHONE]} ", email=row[_EMAIL].upper(), call=chance.choice(_NO))


_DAMAGES = (
    (_rounded_by_a_spreadsheet, 3),
    (_made_a_decimal, 3),
    (_masked, 2),
    (_too_short, 2),
    (_two_numbers, 1),
    (_bad_email, 4),
    (_no_flag, 3),
    (_not_to_be_called, 5),
    (_not_to_be_reached, 3),
    (_unreachable, 1),
    (_everything_at_once, 1),
)
