"""E-mail addresses: agreement with email-validator, and speed.

    .venv/bin/python bench/emails.py [--compared 200000] [--timed 1000000]

Compared: generated addresses, most of them damaged by up to three edits, against the library's verdict and form for
the same text without invisible characters and padding. Seeded, so that a disagreement comes again.
"""

from __future__ import annotations

import argparse
import random
import string
import time
from collections.abc import Iterator
from typing import NamedTuple

import email_validator
import polars as pl

from dialfeed.contacts.email import normalise_emails
from dialfeed.contacts.text import clean_text

# Tables, kept in a few lines each.
NAMES = (
    "anna", "Anna", "BOB", "anna.b", "o'brien", "first.last", "a", "x_y-z+tag", "info", "Info", "SALES", "Postmaster",
    "no-reply", "jürgen", "jos\u00e9", "jose\u0301", "用户", "1", "-a", "_", "!#$%&*/=?^`{|}~", "a" * 64, "a" * 65,
    '"quoted"', '"a b"', "a..b", ".a", "a.", "", "\ufb01ne", "µ", "\uff41nna",
)  # fmt: skip
DOMAINS = (
    "example.com", "EXAMPLE.com", "Example.Co.Uk", "mail.example.org", "example.net", "a-b.example", "example.museum",
    "xn--exmple-cua.com", "xn--a.com", "exämple.com", "straße.de", "例え.jp", "example.xn--p1ai", "example.рф",
    "example", "localhost", "x.localhost", "x.local", "x.locals", "x.loca", "x.test", "x.TEST", "x.tests", "x.tes",
    "x.invalid", "x.invalids", "x.onion", "x.arpa", "home.arpa", "test.com", "mailinator.com",
    "1.2.3.4", "[127.0.0.1]", "[IPv6:::1]", "example.c", "example.c0m", "example.com.", ".example.com", "ex..com", "",
    "-x.com", "x-.com", "x.-com", "ab--cd.com", "a--b.com", "x_y.com",
    f"{'a' * 63}.com", f"{'a' * 64}.com", f"{'a.' * 100}com", f"{'abcdefgh.' * 27}com",
    "\uff45xample.com", "example\u3002com", "אב.com", "1.אב.com", "\u212aelvin.com",
)  # fmt: skip
EDITS = (
    string.ascii_letters
    + string.digits
    + "@@..--__++ ,;:\"'\\/()[]!#%&*=?^`{|}~\t\n"
    + "éßİıµ\u0301\u00a0\u200b\u200d\u202e\u3002\uff0e\uff20"
)


class Disagreement(NamedTuple):
    """One address on which the two differ."""

    typed: str
    ours: str | None
    library: str | None


def corpus(count: int, *, seed: int) -> Iterator[str]:
    """Generate addresses: a third as they are, the others with one to three random edits."""
    chance = random.Random(seed)
    for _ in range(count):
        address = f"{chance.choice(NAMES)}@{chance.choice(DOMAINS)}"
        for _ in range(max(0, chance.randint(-1, 3))):
            address = edited(address, chance)
        yield address


def edited(text: str, chance: random.Random) -> str:
    """Put in, take out, replace, double or change the case of one character."""
    place = chance.randrange(len(text) + 1)
    head, here, tail = text[:place], text[place : place + 1], text[place + 1 :]
    middle = chance.choice((chance.choice(EDITS) + here, "", chance.choice(EDITS), here * 2, here.swapcase()))
    return head + middle + tail


def library_form(address: str) -> str | None:
    """Ask email-validator: the normal form, or None."""
    try:
        return email_validator.validate_email(address, check_deliverability=False).normalized
    except email_validator.EmailNotValidError:
        return None


def disagreements(count: int, *, seed: int) -> list[Disagreement]:
    """Compare verdict and form of `normalise_emails` with the library's over a corpus."""
    typed = pl.Series(list(corpus(count, seed=seed)))
    plain = clean_text(typed).str.strip_chars(" ,;")
    ours = normalise_emails(typed)["email"]
    library = [None if address is None else library_form(address) for address in plain]
    found = (Disagreement(*three) for three in zip(typed, ours, library, strict=True))
    return [one for one in found if one.ours != one.library]


def ordinary(count: int, *, seed: int) -> pl.Series:
    """Generate addresses as most people have them, nearly all different."""
    chance = random.Random(seed)
    names = ("anna", "bob.smith", "carla_jones", "d.miller", "erika-m")
    domains = ("example.com", "mail.example.org", "example.co.uk", "example.net")
    return pl.Series(
        [f"{chance.choice(names)}{chance.randrange(10**7)}@{chance.choice(domains)}" for _ in range(count)]
    )


def mixed(addresses: pl.Series) -> pl.Series:
    """Make 4 of 100 addresses extraordinary: two with capitals, one wrapped, one wrong."""
    place = pl.int_range(pl.len()) % 100
    address = pl.col("address")
    return (
        addresses.to_frame("address")
        .select(
            pl.when(place < 2)
            .then(address.str.to_titlecase())
            .when(place == 2)
            .then(pl.concat_str(pl.lit("Anna <"), address, pl.lit(">")))
            .when(place == 3)
            .then(address.str.replace("@", " at ", literal=True))
            .otherwise(address)
        )
        .to_series()
    )


def rate(addresses: pl.Series) -> float:
    """Measure addresses a second, in millions; the best of three."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        normalise_emails(addresses)
        best = min(best, time.perf_counter() - started)
    return len(addresses) / best / 1e6


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--compared", type=int, default=200_000)
    options.add_argument("--timed", type=int, default=1_000_000)
    chosen = options.parse_args()
    found = disagreements(chosen.compared, seed=20261123)
    print(
        f"compared with email-validator {email_validator.__version__}: {chosen.compared:,}, disagreements: {len(found)}"
    )
    for one in found[:10]:
        print("   ", one)
    plain = ordinary(chosen.timed, seed=1)
    print(f"ordinary addresses:             {rate(plain):6.2f} M/s")
    print(f"4 in 100 extraordinary:         {rate(mixed(plain)):6.2f} M/s")
    print(f"all in capitals:                {rate(plain.str.to_uppercase()):6.2f} M/s")
    few = plain.head(20_000)
    started = time.perf_counter()
    for address in few:
        library_form(address)
    print(f"email-validator alone:          {len(few) / (time.perf_counter() - started) / 1e6:6.3f} M/s")


if __name__ == "__main__":
    main()
