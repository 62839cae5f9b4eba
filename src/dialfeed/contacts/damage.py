"""What spreadsheets, phones and people do to a number before it gets here, and what is left of it.

A cell is read into plain digits (with a plus or without), or rejected with a reason, before anything is asked about
numbering plans. A damaged cell is repaired only where one reading is possible (law 5); where a second reading is
thinkable it is handed on as the *rival*, and the cell is rejected if that rival is a valid number.

The bulk is read over columns (`read_cells`): usual punctuation, floats, text markers, invisible characters. The rest
goes through `read_cell`, once for each distinct cell. Sources: `compliance.md` sections 8 and 9.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

import polars as pl


class Reading(NamedTuple):
    """What a cell says.

    Attributes:
        text: ASCII digits with at most one plus in front; None where the cell is rejected or blank.
        code: Reason code of the rejection, or None.
        repair: Reason code (a warning) of the repair that was made, or None.
        extension: Digits of the extension, or None.
        rival: A second reading, in the form of ``text``, or None.
        rival_code: Reason code of the rejection if the rival is a valid number.
    """

    text: str | None = None
    code: str | None = None
    repair: str | None = None
    extension: str | None = None
    rival: str | None = None
    rival_code: str | None = None


BLANK: Final = Reading()
READING_SCHEMA: Final = dict.fromkeys(Reading._fields, pl.String())

REPAIRED_DECIMAL: Final = "phone.repaired_decimal"
REPAIRED_SCIENTIFIC: Final = "phone.repaired_scientific"
REPAIRED_TEXT_MARKER: Final = "phone.repaired_text_marker"
ANNOTATION_DROPPED: Final = "phone.annotation_dropped"
EXTENSION_DROPPED: Final = "phone.extension_dropped"
VANITY: Final = "phone.vanity"

# --- one cell ---------------------------------------------------------------------------------------------------------

_DOTS: Final = "\u00b7\u2022\u2027\u2219\u22c5\u30fb\uff65"
_LOOKALIKES: Final = {
    **dict.fromkeys(_DOTS, "."),
    **dict.fromkeys("\u2212\u30fc", "-"),  # minus sign, katakana long sound
    **dict.fromkeys("\u2053\u223c\u301c", "~"),
    **dict.fromkeys("\u2215\u2044", "/"),
    **dict.fromkeys("\u2018\u2019\u02bc", "'"),
    **dict.fromkeys("\u201c\u201d\u201e", '"'),
    "\t": " ",
    "\r": "\n",
}
_BY_CATEGORY: Final = {"Cf": "", "Zs": " ", "Zl": "\n", "Zp": "\n", "Pd": "-"}


@cache
def _plain_character(character: str) -> str:
    """The ASCII form of a character in a phone cell, by its Unicode class; itself where it has none.

    Digits of every script count; superscripts, fractions and circled digits (classes No and Nl) are no digits.
    """
    if character in _LOOKALIKES:
        return _LOOKALIKES[character]
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category in _BY_CATEGORY:
        return _BY_CATEGORY[category]
    narrow = unicodedata.normalize("NFKC", character)
    return narrow if narrow.isascii() and not category.startswith("N") else character


_LONGEST: Final = 250  # characters; the library gives up there as well


def _tidy(cell: str) -> str:
    plain = cell if cell.isascii() and cell.isprintable() else "".join(map(_plain_character, cell))
    return plain.strip(" \n\0")


_MARKED: Final = re.compile(r"""'(?P<quoted>.*)|=?"(?P<formula>[^"]*)\"""", re.DOTALL)


def _unwrap(text: str) -> tuple[str, str | None]:
    """Take away what only marks a cell as text: a leading apostrophe, quotes, ``="..."``. Nothing is evaluated."""
    match = _MARKED.fullmatch(text)
    if not match:
        return text, None
    inside = match["quoted"] if match["formula"] is None else match["formula"]
    return inside.strip(), REPAIRED_TEXT_MARKER


def read_cell(cell: str) -> Reading:
    """Read one cell.

    Args:
        cell: The cell as typed.

    Returns:
        What it says; `BLANK` where it says nothing.
    """
    text, marker = _unwrap(_tidy(cell))
    if not text:
        return BLANK
    if len(text) > _LONGEST:
        return Reading(code="phone.not_a_number")
    for rule in _RULES:
        reading = rule(text)
        if reading is not None:
            return reading._replace(repair=reading.repair or marker) if reading.text else reading
    return _written(text, marker)


# A cell that is no number at all, or one that a spreadsheet has been at.

_FUNCTION: Final = re.compile(r"[-+]?[A-Z][A-Z0-9_.]*\(", re.IGNORECASE)
_SCIENTIFIC: Final = re.compile(r"(\+?)([0-9]+)(?:[.,]([0-9]*))?[eE]([-+]?)([0-9]{1,3})")
_DECIMAL: Final = re.compile(r"(\+?[0-9]+)[.,]([0-9]+)")
_GROUPED: Final = re.compile(r"([1-9][0-9]{0,2}(?:,[0-9]{3}){2,})(?:\.0+)?|([1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}),0+")
_TRAILING_DECIMAL: Final = re.compile(r"[^.]*[^.0-9+][^.]*\.0{1,2}")
_NEGATIVE: Final = re.compile(r"- ?[0-9]+(?:[.,][0-9]+)?")
_TIME: Final = r"(?:[ T][0-9]{1,2}:[0-9]{2}.*)?"
_YEAR_FIRST: Final = re.compile(rf"([0-9]{{4}})([-./])([0-9]{{1,2}})\2([0-9]{{1,2}}){_TIME}", re.DOTALL)
_YEAR_LAST: Final = re.compile(rf"([0-9]{{1,2}})([-./])([0-9]{{1,2}})\2([0-9]{{2}}|[0-9]{{4}}){_TIME}", re.DOTALL)


def _error_value(text: str) -> Reading | None:
    """``#N/A``, ``#DIV/0!`` and their translations."""
    is_error = text[0] == "#" and text[1:2].isalpha() and len(_digits(text)) <= 1
    return Reading(code="phone.spreadsheet_error") if is_error else None


def _formula(text: str) -> Reading | None:
    return Reading(code="phone.formula") if text[0] in "=@" or _FUNCTION.match(text) else None


def _scientific(text: str) -> Reading | None:
    """``1.2125550100E+10`` keeps every digit, ``1.21256E+10`` does not. Digits move as text, never through a float."""
    match = _SCIENTIFIC.fullmatch(text)
    if not match:
        return None
    plus, whole, fraction, sign, power = match.groups(default="")
    shift = int(power)
    if sign == "-":
        return Reading(code="phone.not_a_number")
    if len(fraction) < shift:
        return Reading(code="phone.precision_lost")
    if fraction[shift:].strip("0"):
        return Reading(code="phone.fraction")
    return Reading(text=plus + whole + fraction[:shift], repair=REPAIRED_SCIENTIFIC)


def _decimal(text: str) -> Reading | None:
    """``12125550100.0`` is a number that went through a float; a fraction other than zero is none."""
    grouped = _GROUPED.fullmatch(text)
    if grouped:
        return Reading(text=_digits(grouped[1] or grouped[2]), repair=REPAIRED_DECIMAL)
    if _TRAILING_DECIMAL.fullmatch(text):
        return Reading(code="phone.ambiguous")
    match = _DECIMAL.fullmatch(text)
    if not match:
        return None
    whole, fraction = match.groups()
    return _float(whole, fraction, len(whole.lstrip("+")))


def _float(whole: str, fraction: str, size: int) -> Reading | None:
    """A single point is a decimal point where nobody would write one to group digits."""
    if not fraction.strip("0") and (size >= 7 or len(fraction) <= 2):
        return Reading(text=whole, repair=REPAIRED_DECIMAL)
    if size >= 8 or (size == 7 and len(fraction) <= 2):
        return Reading(code="phone.fraction")
    return None


def _negative(text: str) -> Reading | None:
    return Reading(code="phone.negative") if _NEGATIVE.fullmatch(text) else None


def _date(text: str) -> Reading | None:
    match = _YEAR_FIRST.fullmatch(text)
    if match:
        year, one, other = match[1], int(match[3]), int(match[4])
    else:
        match = _YEAR_LAST.fullmatch(text)
        if not match:
            return None
        year, one, other = match[4], int(match[1]), int(match[3])
    century = len(year) == 2 or year[:2] in {"19", "20"}
    is_date = century and min(one, other) in range(1, 13) and max(one, other) in range(1, 32)
    return Reading(code="phone.date") if is_date else None


_URI: Final = re.compile(r"(?:tel|callto):(?://)?([^;]*)((?:;[^;]*)*)", re.IGNORECASE)


def _uri(text: str) -> Reading | None:
    """``tel:+1-212-555-0100;ext=12`` (RFC 3966); a phone context is part of the number only if it is a number."""
    match = _URI.fullmatch(text)
    if not match:
        return None
    parameters = dict(part.lower().partition("=")[::2] for part in match[2].split(";")[1:])
    if not parameters.keys() <= {"ext", "isub", "phone-context"}:
        return Reading(code="phone.not_a_number")
    context = parameters.get("phone-context", "")
    number = context + match[1] if context.startswith("+") else match[1]
    return _written(f"{number};ext={parameters['ext']}" if "ext" in parameters else number, None)


_RULES: Final[tuple[Callable[[str], Reading | None], ...]] = (
    _error_value,
    _formula,
    _scientific,
    _negative,
    _decimal,
    _date,
    _uri,
)

# A cell that somebody wrote a number into.

_MASK: Final = re.compile(r"[*?_]|\.{2,}|-{3,}|#{2,}|(?<![a-z])x+(?![a-z])", re.IGNORECASE)
_NOT_DIGIT: Final = re.compile("[^0-9]+")
_CARRIER_PLACEHOLDER: Final = re.compile(r"((?:\+?55)?[ -]?\(?0)[ -]?x{2}[ -]?(?=[1-9])", re.IGNORECASE)
_EXTENSION: Final = re.compile(
    r"""(?:
      ;ext=([0-9]{1,20})
    | [ ,]*(?:e?xt(?:ensi(?:o\u0301?|\u00f3))?n?|доб|anexo)[:.]?[ ,-]*([0-9]{1,20})\#?
    | [ ,]*(?:[x\#~]|int)[:.]?[ ,-]*([0-9]{1,9})\#?
    | [- ]+([0-9]{1,6})\#
    | [ ]*,,[:.]?[ ,-]*([0-9]{1,15})\#?
    )\Z""",
    re.IGNORECASE | re.VERBOSE,
)
_EXTENSION_ENDS: Final = (*"0123456789#",)
_WORD: Final = re.compile(r"[^\W\d_]+")
_SECOND: Final = re.compile(r"[;,|&\n]|(?<=[0-9)\] ])(?=\+)|\b(?:or|and|oder|und|ou|et|o|y|e)\b", re.IGNORECASE)
_TWIN: Final = r"([0-9+().-]{7,}) +(?:[+(0][0-9().-]{6,}|[0-9().-]{10,})"
_TWINS: Final = re.compile(_TWIN)
_SLASHED: Final = "([^/]*[0-9][^/]*)/.*[0-9]"
_FIRST_OF_SLASHED: Final = re.compile(_SLASHED)
_PUNCTUATED: Final = re.compile(r"[(\[]*(?:\++[ ()\[\].-]*|[ (\[]*)[0-9][0-9 ()\[\]./~-]*")
_NUMBER_INSIDE: Final = re.compile(
    r"(?P<before>[^0-9+]*?)(?P<number>[(\[]?[+0-9](?:.*[0-9])?[)\]]?)(?P<after>[^0-9]*)", re.DOTALL
)
_BESIDE: Final = re.compile(r"[\w .:,()\[\]'\"/-]*")
_ALPHABETIC: Final = re.compile(r"(?P<dialled>[+(]*[0-9][0-9 ().-]*)[A-Z][A-Z0-9 .-]*", re.IGNORECASE)
_KEYPAD: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")

_LABELS: Final = """
tel telephone telefon téléphone teléfono telefono telefone tlf phone ph p t number nr num numero número numéro
mobile mobil mob m handy cell cellular cellphone c cel celular cellulare movil móvil portable natel gsm whatsapp
home h house private privat privé privato privado casa domicile maison
work w office business büro buero geschäftlich dienstlich firma bureau travail trabajo trabalho oficina ufficio
main direct desk landline festnetz fixe fijo fisso day daytime evening primary voice
"""
LABELS: Final = frozenset(_LABELS.split())
"""Words beside a number that only say which of a person's numbers it is: no fax, no "old", no "do not call"."""


def _written(text: str, marker: str | None) -> Reading:
    """Read a number as people write it: punctuation, words beside it, an extension behind it."""
    if "x" in text or "X" in text:
        text = _CARRIER_PLACEHOLDER.sub(r"\1", text, count=1)
    body, extension, glued = _split_extension(text)
    if _MASK.search(body):
        return Reading(code="phone.masked")
    if _holds_several(body):
        return Reading(code="phone.several_numbers")
    reading = _worded(body) if _WORD.search(body) else _punctuated(body)
    if reading.text is None:
        return reading
    if extension is not None:
        reading = reading._replace(extension=extension, repair=reading.repair or EXTENSION_DROPPED)
    if glued and reading.rival is None:  # in 030 12345x7 the letter may also hide a digit
        reading = reading._replace(rival=f"{reading.text}0{extension}", rival_code="phone.masked")
    return reading._replace(repair=reading.repair or marker)


def _split_extension(text: str) -> tuple[str, str | None, bool]:
    """Split off an extension, as the library does: the number, the extension, and whether an x is glued between."""
    match = _EXTENSION.search(text) if text.endswith(_EXTENSION_ENDS) else None
    if not match or len(_digits(text[: match.start()])) < 3:
        return text, None, False
    extension = next(group for group in match.groups() if group)
    return text[: match.start()], extension, match[0].lower() == f"x{extension}"


def _digits(text: str) -> str:
    return _NOT_DIGIT.sub("", text)


def _canonical(number: str) -> str:
    return ("+" if "+" in number else "") + _digits(number)


def _holds_several(text: str) -> bool:
    pieces = _SECOND.split(text)
    return len(pieces) > 1 and sum(len(_digits(piece)) >= 5 for piece in pieces) > 1


def _punctuated(body: str) -> Reading:
    """Read a number without words."""
    number = body.strip(" .,;:/-\n")
    if not _PUNCTUATED.fullmatch(number):
        return Reading(code="phone.not_a_number")
    first = _TWINS.fullmatch(number) or _FIRST_OF_SLASHED.match(number)
    rival = _canonical(first[1]) if first else None
    return Reading(text=_canonical(number), rival=rival, rival_code="phone.several_numbers" if rival else None)


def _worded(body: str) -> Reading:
    """Read a number with letters in it: a label beside it, a vanity number, or what only a person can read."""
    return _labelled(body) or _alphabetic(body) or Reading(code=_unreadable(body))


def _labelled(body: str) -> Reading | None:
    match = _NUMBER_INSIDE.fullmatch(body)
    if not match or _WORD.search(match["number"]):
        return None
    before, after = match["before"], match["after"]
    glued = before[-1:].isalpha() or after[:1].isalpha()
    known = all(word.casefold() in LABELS for word in _WORD.findall(f"{before} {after}"))
    if glued or not known or not _BESIDE.fullmatch(before + after):
        return None
    reading = _punctuated(match["number"])
    return reading._replace(repair=ANNOTATION_DROPPED) if reading.text else reading


def _alphabetic(body: str) -> Reading | None:
    """``1-800-FLOWERS``: three letters or more on the keypad, and no whole number before them."""
    match = _ALPHABETIC.fullmatch(body)
    letters = _WORD.findall(body)
    if not match or len("".join(letters)) < 3 or any(word.casefold() in LABELS for word in letters):
        return None
    text = _canonical(body.upper().translate(_KEYPAD))
    return Reading(text=text, repair=VANITY, rival=_canonical(match["dialled"]), rival_code="phone.annotated")


def _unreadable(body: str) -> str:
    return "phone.annotated" if len(_digits(body)) >= 5 else "phone.not_a_number"


# --- a column of cells ------------------------------------------------------------------------------------------------

_PLAIN_COLUMN: Final = r"^ *[(]?(?:\+[ ().-]*|[ (]*)[0-9][0-9 ()./-]*$"
_DAY: Final = "[0-9]{1,2}"
_DATE_COLUMN: Final = "|".join(
    f"^ *(?:[0-9]{{4}}{mark}{_DAY}{mark}{_DAY}|{_DAY}{mark}{_DAY}{mark}(?:[0-9]{{2}}){{1,2}}) *$"
    for mark in ("-", "/", "[.]")
)
_SUSPECT_COLUMN: Final = rf"^[^.]*\.0{{1,2}} *$|^ *\+?[0-9]{{7,}}\.[0-9]+ *$|^[^.]*\.0+ *$|\.\.|---|{_DATE_COLUMN}"
_RIVALLED_COLUMN: Final = r"/|^ *[0-9+().-]{7,} +[^ ]{7,}[ .-]*$"
_FLOAT_COLUMN: Final = r"^ *'?(\+?[0-9]{7,})[.,]0+ *$"
_MARKED_COLUMN: Final = r"""^ *'([^'"]*)$"""
_QUOTED_COLUMN: Final = r"""^ *=?"([^"]*)" *$"""
_ROUNDED_COLUMN: Final = r"^ *\+?[0-9]+[.,][0-9]{1,9}[eE]\+?1[0-9] *$"  # ten powers at least, nine decimals at most
_NOT_DIGITS: Final = "[^0-9+]+"

_CELL: Final = pl.col("cell")
_COLUMN_STEPS: Final = (
    (_CELL, None),
    (pl.coalesce(_CELL.str.extract(_MARKED_COLUMN), _CELL.str.extract(_QUOTED_COLUMN)), REPAIRED_TEXT_MARKER),
    (_CELL.str.extract(_FLOAT_COLUMN), REPAIRED_DECIMAL),
    (
        _CELL.str.replace_all(r"\p{Cf}", "")
        .str.replace_all(r"[\p{Zs}\t]", " ")
        .str.replace_all(r"[\p{Pd}\x{2212}]", "-")
        .str.replace_all(f"[{_DOTS}]", "."),
        None,
    ),
)


def read_cells(cells: pl.Series) -> pl.DataFrame:
    """Read a column of cells.

    Args:
        cells: Cells as typed, String, without nulls.

    Returns:
        The fields of `Reading` as String columns, one row a cell, in the same order.
    """
    rest = pl.DataFrame({"cell": cells}).with_row_index("row")
    read = []
    for body, repair in _COLUMN_STEPS:
        rest = rest.with_columns(body=body)
        plain = rest["body"].str.contains(_PLAIN_COLUMN).fill_null(value=False)
        plain &= rest["cell"].str.len_bytes() <= _LONGEST
        plain &= ~rest["body"].str.contains(_SUSPECT_COLUMN).fill_null(value=False)
        read.append(_read_plain(rest.filter(plain), repair))
        rest = rest.filter(~plain)
        if rest.is_empty():
            break
    rounded = rest["cell"].str.contains(_ROUNDED_COLUMN)
    read += _reject(rest.filter(rounded), "phone.precision_lost"), _read_distinct(rest.filter(~rounded))
    return pl.concat(read).sort("row").drop("row")


def _reject(rows: pl.DataFrame, code: str) -> pl.DataFrame:
    nothing = {name: pl.lit(None, pl.String) for name in Reading._fields}
    return rows.select("row", **nothing | {"code": pl.lit(code)})


def _read_plain(rows: pl.DataFrame, repair: str | None) -> pl.DataFrame:
    """Read numbers with nothing but usual punctuation (column ``body``), as `_punctuated` does."""
    body = pl.col("body")
    rivalled = rows["body"].str.contains(_RIVALLED_COLUMN)
    rival = pl.coalesce(body.str.extract(f"^ *{_TWIN}[ ./-]*$"), body.str.extract(f"^{_SLASHED}"))
    rivals = rows.filter(rivalled).select("row", rival=rival.str.replace_all(_NOT_DIGITS, ""))
    read = rows.select("row", text=body.str.replace_all(_NOT_DIGITS, ""), repair=pl.lit(repair, pl.String))
    if rivals.is_empty():
        return read.with_columns(rival=pl.lit(None, pl.String)).pipe(_complete)
    return read.join(rivals, on="row", how="left", maintain_order="left").pipe(_complete)


def _complete(read: pl.DataFrame) -> pl.DataFrame:
    several = pl.when(pl.col("rival").is_not_null()).then(pl.lit("phone.several_numbers"))
    nothing = pl.lit(None, pl.String)
    return read.with_columns(code=nothing, extension=nothing, rival_code=several).select("row", *Reading._fields)


def _read_distinct(rows: pl.DataFrame) -> pl.DataFrame:
    """Read each distinct cell once, by `read_cell`."""
    distinct = rows["cell"].unique()
    readings = pl.DataFrame([read_cell(cell) for cell in distinct], schema=READING_SCHEMA, orient="row")
    return (
        rows.select("row", "cell")
        .join(readings.with_columns(cell=distinct), on="cell", how="left", maintain_order="left")
        .select("row", *Reading._fields)
    )
