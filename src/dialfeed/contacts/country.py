"""Countries: codes, numbers, names and dialling codes to ISO 3166-1 alpha-2.

The names are a table of our own (`country_names`), since a library would bring 8 to 10 MB for what 22 KB hold.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

import polars as pl

from dialfeed.contacts.country_names import COUNTRY_NAMES
from dialfeed.contacts.text import clean_text, for_distinct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNKNOWN: Final = "country.unknown"
AMBIGUOUS: Final = "country.ambiguous"
AMBIGUOUS_NUMBER: Final = "country.ambiguous_number"

COUNTRY_SCHEMA: Final = pl.Schema({"country": pl.String, "code": pl.String})
"""The columns of `normalise_countries`."""

ALIASES: Final[Mapping[str, str]] = {
    "AE": "UAE, Emirates, Emiratos, Emirate",
    "BA": "Bosnia, Bosnien, Bosnie",
    "BY": "Weißrussland",
    "CD": (
        "DRC, DR Congo, RD Congo, Democratic Republic of the Congo, Democratic Republic of Congo, "
        "Congo Democratic Republic of the, Congo Democratic Republic"
    ),
    "CG": "Republic of Congo",
    "CI": "Ivory Coast, Costa de Marfil, Elfenbeinküste",
    "CN": "PRC, Mainland China, VR China",
    "CV": "Kapverden",
    "CZ": "República Checa, République tchèque, Tschechische Republik, República Tcheca",
    "DE": "BRD",
    "FK": "Falklands",
    "GB": (
        "UK, Great Britain, Britain, England, Scotland, Wales, Northern Ireland, Gran Bretaña, Inglaterra, "
        "Escocia, Gales, Irlanda del Norte, Grande-Bretagne, Angleterre, Écosse, Pays de Galles, Irlande du Nord, "
        "Großbritannien, Schottland, Nordirland, Grã-Bretanha, País de Gales, Irlanda do Norte"
    ),
    "HK": "Hong Kong SAR",
    "IE": "Republic of Ireland",
    "KP": "DPRK",
    "KR": "Republic of Korea, ROK",
    "MD": "Moldau",
    "MK": "Macedonia, Mazedonien, Macédoine, FYROM",
    "MM": "Burma, Birma, Birmania, Birmanie",
    "MO": "Macau, Macao SAR",
    "NL": "Holland, Holanda, Hollande",
    "PS": "Palestine, Palestina, Palästina",
    "SZ": "Swaziland, Swasiland, Suazilandia",
    "TL": "East Timor, Osttimor",
    "TR": "Turkey",
    "TT": "Trinidad",
    "US": (
        "EE.UU., Estados Unidos de América, États-Unis d'Amérique, Vereinigte Staaten von Amerika, Estados Unidos "
        "da América, EUA"
    ),
    "VA": "Vatican, Vatikan, Vaticano",
}
"""What people write beside the official names; a former name only where one country took the place of the old one."""

SHARED_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "Congo": ("CD", "CG"),
    "Kongo": ("CD", "CG"),
    "Korea": ("KP", "KR"),
    "Corea": ("KP", "KR"),
    "Corée": ("KP", "KR"),
    "Coreia": ("KP", "KR"),
    "Virgin Islands": ("VG", "VI"),
    "Islas Vírgenes": ("VG", "VI"),
    "Îles Vierges": ("VG", "VI"),
    "Jungferninseln": ("VG", "VI"),
    "Ilhas Virgens": ("VG", "VI"),
    "St. Martin": ("MF", "SX"),
    "Saint Martin": ("MF", "SX"),
}
"""Names that more than one country goes by."""

# "n.a." and "na" mean "not available" more often than Namibia; so does "NA", but there it is the code that the
# platform asks for.
_NAMIBIA: Final = "NA"

_UMLAUTS: Final = str.maketrans({"Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ä": "ae", "ö": "oe", "ü": "ue"})
_DIALLING_CODE: Final = r"^(?:\+\s?([1-9][0-9]{0,2})|00\s?([1-9][0-9]{1,2}))$"
_NUMBER: Final = r"^([0-9]{1,3})(?:\.0+)?$"  # 001 and 007 too: in three digits, ISO's number is as likely
# One to three letters are a code only as such, or with dots: "c/o" is not Colombia and "N/A" not Namibia.
_SHORT: Final = r"^[a-z0-9]{1,3}$"
_CODE: Final = r"^\p{L}(?:(?:\.\s?)?\p{L}){1,2}\.?$"


def normalise_countries(values: pl.Series) -> pl.DataFrame:
    """Read a column of countries.

    Accepts ISO 3166-1 codes of two and three letters, names in English, Spanish, French, German, Portuguese and the
    country's own languages, what people write instead (USA, UK, England), and dialling codes that belong to one
    country. Regardless of case, accents, blanks and punctuation. ``XK`` is accepted for Kosovo, which has no code in
    ISO 3166-1.

    A number without ``+`` or ``00`` may be a dialling code or a number of ISO 3166-1, whose zeros in front a
    spreadsheet may have dropped: 49 is Germany, 276 too, but 380 is Ukraine or Italy, and 40 Romania or Austria.

    Args:
        values: A String column; the cells as typed.

    Returns:
        A frame of the same length (`COUNTRY_SCHEMA`): ``country``, null where absent or not known; ``code``
        (``country.unknown``, ``country.ambiguous`` or ``country.ambiguous_number``) where there is text that names no
        one country.
    """
    return for_distinct(values, _read)


def _read(values: pl.Series) -> pl.DataFrame:
    """Look each value up."""
    typed = clean_text(values).alias("typed")
    found = typed.to_frame().with_columns(key=_key("typed")).join(_table(), on="key", how="left", maintain_order="left")
    country, count = pl.col("country"), pl.col("count")
    return found.select(
        country=pl.when(count == 1).then(country),
        code=pl.when(count.is_null() & pl.col("typed").is_not_null())
        .then(pl.lit(UNKNOWN))
        .when((count > 1) & pl.col("numbered"))
        .then(pl.lit(AMBIGUOUS_NUMBER))
        .when(count > 1)
        .then(pl.lit(AMBIGUOUS)),
    )


def _key(column: str) -> pl.Expr:
    """Reduce a name to its letters, a dialling code to ``+`` and its digits, a number to its digits; null for none."""
    typed = pl.col(column)
    letters = (
        typed.str.normalize("NFKD")
        .str.to_lowercase()
        .str.replace_all("ß", "ss", literal=True)
        .str.replace(r"^the\s+", "")
        .str.replace_all(r"[^\p{L}\p{N}]", "")
    )
    no_code = letters.str.contains(_SHORT) & ~typed.str.contains(_CODE)
    not_available = (letters == _NAMIBIA.lower()) & (typed != _NAMIBIA)
    dialling = pl.coalesce(typed.str.extract(_DIALLING_CODE, 1), typed.str.extract(_DIALLING_CODE, 2))
    number = typed.str.extract(_NUMBER)
    return (
        pl.when(dialling.is_not_null())
        .then(pl.concat_str(pl.lit("+"), dialling))
        .when(number.is_not_null())
        .then(number)
        .when(~no_code & ~not_available & (letters != ""))
        .then(letters)
    )


@cache
def _table() -> pl.DataFrame:
    """Build the table of keys once, when the first country is read.

    Returns:
        Columns ``key``, ``country`` (one of them, where there are several), ``count`` of countries, and ``numbered``,
        whether one of them is meant by its number in ISO 3166-1.
    """
    shared = [(name, code) for name, codes in SHARED_NAMES.items() for code in codes]
    named, numbered = [*_names(), *_dialling_codes(), *shared], [*_numbers()]
    listed = pl.DataFrame([*named, *numbered], {"name": pl.String, "country": pl.String}, orient="row")
    by_number = pl.int_range(pl.len()) >= len(named)
    return (
        listed.select("country", key=_key("name"), numbered=by_number)
        .drop_nulls()
        .group_by("key")
        .agg(pl.col("country").min(), pl.col("numbered").any(), count=pl.col("country").n_unique())
    )


@cache
def _countries() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """List code, number (or a dash) and all names of all countries, the codes among them."""
    rows = (" ".join(row.split()).split("; ") for row in re.split(r"\n(?! )", COUNTRY_NAMES.strip()))
    return tuple((code, number, (code, letters, *names)) for code, letters, number, *names in rows)


def _names() -> Iterator[tuple[str, str]]:
    """List all names and codes of all countries."""
    for country, _, names in _countries():
        for name in names:
            yield name, country
            yield re.sub(r"\s*\(.*?\)", "", name), country  # Myanmar (Burma)
            yield name.translate(_UMLAUTS), country  # Oesterreich
    for code, aliases in ALIASES.items():
        for alias in aliases.split(","):
            yield alias.strip(), code


def _dialling_codes() -> Iterator[tuple[str, str]]:
    """List the dialling codes with the countries that use them, by libphonenumber."""
    known = {country for country, _, _ in _countries()}
    for number, regions in _regions_of_dialling_codes().items():
        for region in known.intersection(regions):
            yield from ((written, region) for written in (f"+{number}", f"{number}", f"00{number}"))


def _numbers() -> Iterator[tuple[str, str]]:
    """List the numbers of ISO 3166-1; without their zeros only where a dialling code would be read in their place."""
    for country, number, _ in _countries():
        yield number, country
        if number.startswith("0") and int(number) in _regions_of_dialling_codes():
            yield number.lstrip("0"), country


def _regions_of_dialling_codes() -> Mapping[int, tuple[str, ...]]:
    # Imported with the table: some 30 ms that a command which reads no country need not wait for.
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE  # noqa: PLC0415 - see above

    return COUNTRY_CODE_TO_REGION_CODE
