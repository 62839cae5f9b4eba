"""Phone numbers: agreement with libphonenumber, and speed.

    .venv/bin/python bench/phones.py [--compared 600000] [--timed 1000000]

Compared: verdict, reason, E.164 form, kind and region, on generated digits of every region and on both ends of every
interval of the compiled numbering plans. Seeded, so that a disagreement comes again.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from functools import cache
from unittest import mock

import numpy as np
import phonenumbers
import polars as pl
from phonenumbers import re_util

from dialfeed.contacts import numbering
from dialfeed.contacts.numbering import library
from dialfeed.contacts.phone import METADATA_VERSION, normalise_phones

CHUNK = 130_000
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
CALLING_CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
TRUNKS = ("", "0", "00", "1", "8", "9", "06", "01", "15")
ABROAD = ("00", "011", "810", "0011", "001", "010", "119", "000", "+0", "+00", "+011")
BLANKS = (" ", "-", ".", "(", ")", "  ", " - ", "\u00a0", "\u2010", "\u200b", "\u202a", "\uff0d")

Written = tuple[str, str | None]


# --- numbers to compare -----------------------------------------------------------------------------------------------


@cache
def examples() -> list[tuple[str, str, str]]:
    """Region, calling code and national number of the library's example of each kind in each region."""
    found = []
    for region in REGIONS:
        for kind in range(11):
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                nsn = phonenumbers.national_significant_number(number)
                found.append((region, str(number.country_code), nsn))
    return found


def digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choices("0123456789", k=count))


def retailed(chance: random.Random, national: str) -> str:
    """Draw the last one to four digits anew."""
    size = chance.randrange(1, 5)
    return national[:-size] + digits(chance, size)


def mutated(chance: random.Random, text: str) -> str:
    """Change, add or drop a digit."""
    place = chance.randrange(len(text))
    middle = chance.choice((digits(chance, 1), digits(chance, 1) + text[place], ""))
    return text[:place] + middle + text[place + 1 :]


def with_example_tails(chance: random.Random) -> Written:
    _, code, national = chance.choice(examples())
    return f"+{code}{retailed(chance, national)}", None


def nearly_valid(chance: random.Random) -> Written:
    region, code, national = chance.choice(examples())
    prefix = chance.choice(("", "", national_prefix(region)))
    return f"+{code}{prefix}{mutated(chance, retailed(chance, national))}", chance.choice((None, region))


def behind_a_calling_code(chance: random.Random) -> Written:
    return f"+{chance.choice(CALLING_CODES)}{digits(chance, chance.randrange(1, 16))}", None


def north_american(chance: random.Random) -> Written:
    return f"{chance.choice(('+1', '', '1'))}{digits(chance, 10)}", "US"


def national(chance: random.Random) -> Written:
    """National form, with and without the national prefix, the calling code and a mistake."""
    region, code, number = chance.choice(examples())
    number = retailed(chance, number)
    number = mutated(chance, number) if chance.random() < 0.3 else number
    return chance.choice(("", "", national_prefix(region), chance.choice(TRUNKS), code)) + number, region


def dialled_abroad(chance: random.Random) -> Written:
    """International prefixes, right and wrong ones, from any region."""
    region, code, number = chance.choice(examples())
    dialled = chance.choice(ABROAD) + chance.choice((code, code, "", digits(chance, 1)))
    return dialled + retailed(chance, number), chance.choice((region, chance.choice(REGIONS), None, "ZZ"))


def any_digits(chance: random.Random) -> Written:
    start = chance.choice(("", "+", "0", "00", "+0", "1", "8"))
    return start + digits(chance, chance.randrange(1, 22)), chance.choice((*REGIONS, None, "ZZ"))


@cache
def national_prefix(region: str) -> str:
    return phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) or ""


FORMS: tuple[Callable[[random.Random], Written], ...] = (
    with_example_tails,
    nearly_valid,
    behind_a_calling_code,
    north_american,
    national,
    dialled_abroad,
    any_digits,
)


def corpus(form: Callable[[random.Random], Written], count: int, *, seed: int) -> pl.DataFrame:
    """Generate numbers of one form: columns ``text`` and ``region``."""
    chance = random.Random(seed)
    return frame([form(chance) for _ in range(count)])


def frame(written: list[Written]) -> pl.DataFrame:
    return pl.DataFrame(written, schema={"text": pl.String, "region": pl.String}, orient="row")


def interval_ends(calling_codes: frozenset[int]) -> pl.DataFrame:
    """Both ends of every interval of some calling codes, and a number in between."""
    starts = numbering.first_numbers(calling_codes)
    lasts = starts[1:] - np.uint64(1)
    between = starts[:-1] + (lasts - starts[:-1]) // np.uint64(3)
    numbers = np.unique(np.concatenate((starts, lasts, between)))
    return frame([(f"+{number}", None) for number in numbers])


# --- the comparison ---------------------------------------------------------------------------------------------------


def disagreements(written: pl.DataFrame) -> pl.DataFrame:
    """Rows on which the tables and the library differ."""
    re_util.enable_pattern_cache()
    ours = numbering.resolve(written["text"], written["region"])
    library = numbering.resolve_by_library(written["text"], written["region"])
    valid = library.verdicts() == numbering.VALID
    differ = (ours.classes != library.classes) | (valid & (ours.numbers != library.numbers))
    return written.with_columns(ours=ours.numbers, library=library.numbers).filter(pl.Series(differ))


def share_asked(written: pl.DataFrame) -> float:
    """The share of the rows about which the library is asked."""
    with mock.patch.object(library, "ask_library", wraps=library.ask_library) as asked:
        numbering.resolve(written["text"], written["region"])
    return asked.call_count / len(written)


def report(name: str, written: pl.DataFrame) -> int:
    found = disagreements(written)
    print(f"| {name} | {len(written):,} | {100 * share_asked(written):.2f} % | {len(found)} |", flush=True)
    for row in found.head(10).rows():
        print("   ", row)
    return len(found)


def agreement(count: int) -> int:
    """Print the table of agreement, and return the number of disagreements."""
    print("| numbers | compared | asked the library | disagreements |\n| --- | --- | --- | --- |")
    total = 0
    for seed, form in enumerate(FORMS):
        total += report(form.__name__.replace("_", " "), corpus(form, count // len(FORMS), seed=seed))
    return total + report("ends of all intervals", interval_ends(frozenset(CALLING_CODES)))


# --- speed ------------------------------------------------------------------------------------------------------------


def mixed(count: int, *, seed: int) -> Iterator[str]:
    """85 % clean E.164, 5 % US national form, 5 % foreign with blanks, 3 % invalid, 2 % repeated."""
    chance = random.Random(seed)
    made: list[str] = []
    for _ in range(count):
        place = chance.random()
        maker = next(maker for share, maker in SHARES if place < share)
        made.append(maker(chance, made))
    yield from made


AREAS = tuple(area for area in range(201, 990) if phonenumbers.is_valid_number(phonenumbers.parse(f"+1{area}5550100")))
FOREIGN = (
    "+49 30 23125 ",
    "+33 6 39 98 0",
    "+34 612 345 ",
    "+48 512 345 ",
    "+61 491 570 ",
    "+91 98123 45",
    "+44 20 7946 0",
)
INVALID: tuple[Callable[[random.Random], str], ...] = (
    lambda chance: f"+1{digits(chance, 6)}",
    lambda chance: f"(0{digits(chance, 2)}) 555-{digits(chance, 4)}",
    lambda chance: f"ask {digits(chance, 7)} first",
    lambda chance: f"1.{digits(chance, 5)}E+10",
)


def clean(chance: random.Random, _: list[str]) -> str:
    exchange = chance.randrange(200, 1000)
    return f"+1{chance.choice(AREAS)}{exchange + (exchange % 100 == 11)}{digits(chance, 4)}"


def american(chance: random.Random, made: list[str]) -> str:
    number = clean(chance, made)
    return f"({number[2:5]}) {number[5:8]}-{number[8:]}"


def foreign(chance: random.Random, _: list[str]) -> str:
    return chance.choice(FOREIGN) + digits(chance, 3)


def invalid(chance: random.Random, _: list[str]) -> str:
    return chance.choice(INVALID)(chance)


def repeated(chance: random.Random, made: list[str]) -> str:
    return chance.choice(made) if made else clean(chance, made)


SHARES = ((0.85, clean), (0.90, american), (0.95, foreign), (0.98, invalid), (1.01, repeated))


def seconds(values: pl.Series, region: str, *, details: bool = True) -> float:
    """The best of five rounds over a column, in chunks as the product reads them."""
    regions = pl.Series([region]).new_from_index(0, len(values))
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for start in range(0, len(values), CHUNK):
            normalise_phones(values.slice(start, CHUNK), regions.slice(start, CHUNK), details=details)
        best = min(best, time.perf_counter() - began)
    return best


def speed(count: int) -> None:
    """Print seconds for columns of so many values."""
    values = pl.Series(list(mixed(count, seed=1)))
    began = time.perf_counter()
    normalise_phones(values.head(1000), pl.Series(["US"]).new_from_index(0, 1000))
    print(f"\nfirst thousand (compiles the plans it meets): {time.perf_counter() - began:.2f} s")
    clean_only = pl.Series([clean(random.Random(seed), []) for seed in range(1000)] * (count // 1000))
    columns = {
        "clean +1": (clean_only, "US"),
        "mixed": (values, "US"),
        "US national": (clean_only.str.replace(r"^\+1(...)(...)", "(${1}) ${2}-"), "US"),
        "German national": (values.str.replace_all("[^0-9]", "").str.slice(3, 8).str.replace("^", "030/"), "DE"),
    }
    print(f"| {count:,} values | all | without kind and region |\n| --- | --- | --- |")
    for name, (column, region) in columns.items():
        print(f"| {name} | {seconds(column, region):.3f} s | {seconds(column, region, details=False):.3f} s |")


def main() -> None:
    """Print the figures; fail where the tables and the library disagree."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--compared", type=int, default=600_000)
    options.add_argument("--timed", type=int, default=1_000_000)
    chosen = options.parse_args()
    print(f"phonenumbers {METADATA_VERSION}\n")
    total = agreement(chosen.compared)
    speed(chosen.timed)
    raise SystemExit(min(total, 1))


if __name__ == "__main__":
    main()
