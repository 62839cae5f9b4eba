"""Countries: codes, names and dialling codes to ISO 3166-1 alpha-2.

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
_DIALLING_CODE: Final = r"^(?:\+|00)\s?([1-9][0-9]{0,2})$"
# One to three letters are a code only as such, or with dots: "c/o" is not Colombia and "N/A" not Namibia.
_SHORT: Final = r"^[a-z0-9]{1,3}$"
_CODE: Final = r"^\p{L}(?:(?:\.\s?)?\p{L}){1,2}\.?$"


def normalise_countries(values: pl.Series) -> pl.DataFrame:
    """Read a column of countries.

    Accepts ISO 3166-1 codes of two and three letters, names in English, Spanish, French, German, Portuguese and the
    country's own languages, what people write instead (USA, UK, England), and dialling codes with ``+`` or ``00``
    that belong to one country. Regardless of case, accents, blanks and punctuation. ``XK`` is accepted for Kosovo,
    which has no code in ISO 3166-1.

    Args:
        values: A String column; the cells as typed.

    Returns:
        A frame of the same length (`COUNTRY_SCHEMA`): ``country``, null where absent or not known; ``code``
        (``country.unknown`` or ``country.ambiguous``) where there is text that names no one country.
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
        .when(count > 1)
        .then(pl.lit(AMBIGUOUS)),
    )


def _key(column: str) -> pl.Expr:
    """Reduce a name to its letters, a dialling code to ``+`` and its digits; null where it can be neither."""
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
    dialling = typed.str.extract(_DIALLING_CODE)
    return (
        pl.when(dialling.is_not_null())
        .then(pl.concat_str(pl.lit("+"), dialling))
        .when(~no_code & ~not_available & (letters != ""))
        .then(letters)
    )


@cache
def _table() -> pl.DataFrame:
    """Build the table of keys once, when the first country is read.

    Returns:
        Columns ``key``, ``country`` (one of them, where there are several) and ``count`` of countries.
    """
    named = pl.DataFrame([*_names(), *_dialling_codes()], {"name": pl.String, "country": pl.String}, orient="row")
    shared = pl.DataFrame(
        [(name, code) for name, codes in SHARED_NAMES.items() for code in codes], named.schema, orient="row"
    )
    return (
        pl.concat([named, shared])
        .select("country", key=_key("name"))
        .drop_nulls()
        .group_by("key")
        .agg(pl.col("country").min(), count=pl.col("country").n_unique())
    )


def _names() -> Iterator[tuple[str, str]]:
    """List all names and codes of all countries."""
    for paragraph in re.split(r"\n(?! )", COUNTRY_NAMES.strip()):
        names = " ".join(paragraph.split()).split("; ")
        for name in names:
            yield name, names[0]
            yield re.sub(r"\s*\(.*?\)", "", name), names[0]  # Myanmar (Burma)
            yield name.translate(_UMLAUTS), names[0]  # Oesterreich
    for code, aliases in ALIASES.items():
        for alias in aliases.split(","):
            yield alias.strip(), code


def _dialling_codes() -> Iterator[tuple[str, str]]:
    """List the dialling codes with the countries that use them, by libphonenumber."""
    # Imported with the table: some 30 ms that a command which reads no country need not wait for.
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE  # noqa: PLC0415 - see above

    known = {country for _, country in _names()}
    for number, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        for region in known.intersection(regions):
            yield f"+{number}", region
