"""Phone numbers of a column: to E.164, or rejected with a reason.

The verdict is libphonenumber's (`numbering`), after what spreadsheets and people did to the cell has been undone or
rejected (`damage`), and under the protections of law 5 ("the wrong subscriber is never dialled"), which are all here:

- a second reading of the cell is a valid number too: rejected;
- the country's calling code without a plus: read with and without the plus, and rejected if both are valid numbers;
- a trunk zero that a spreadsheet dropped is put back only where the number is invalid without it, and never where the
  zero belongs to the number (Italy); where it does, and few digits are a number with and without it, they are rejected;
- a prefix that a country has given up is taken away where what is left is a number and the whole is none (Mexico);
- letters are keypad digits only in service numbers (1-800-FLOWERS);
- North American exchanges 211 to 911 are service codes (`compliance.md` section 9).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

import numpy as np
import phonenumbers
import polars as pl
from numpy.typing import NDArray

from dialfeed.contacts import damage, numbering
from dialfeed.contacts.kinds import KINDS
from dialfeed.contacts.numbering import METADATA_VERSION, Resolved
from dialfeed.contacts.reasons import CATALOGUE

__all__ = ["METADATA_VERSION", "PHONE_SCHEMA", "normalise_phones", "phone_kinds"]

PHONE_SCHEMA: Final = {
    "e164": pl.String(),
    "code": pl.String(),
    "kind": pl.String(),
    "repair": pl.String(),
    "extension": pl.String(),
    "region": pl.String(),
}
"""Columns of the result of `normalise_phones`."""

REPAIRED_PLUS: Final = "phone.repaired_plus"
REPAIRED_TRUNK_ZERO: Final = "phone.repaired_trunk_zero"
REPAIRED_FORMER_PREFIX: Final = "phone.repaired_former_prefix"

_CLEAN: Final = r"^\+[1-9][0-9]{6,14}$"
_Mask: TypeAlias = NDArray[np.bool_]
_Codes: TypeAlias = NDArray[np.uint8]
_Rows: TypeAlias = NDArray[np.intp]


def normalise_phones(values: pl.Series, regions: pl.Series, *, details: bool = True) -> pl.DataFrame:
    """Normalise a column of phone numbers.

    Args:
        values: Cells as typed, String; null or blank is absent.
        regions: ISO 3166-1 alpha-2 code (upper case) of the country in which a number in national form is dialled, or
            null: then only international forms are accepted, as no country is ever assumed.
        details: Whether ``kind`` and ``region`` are wanted; without, both columns are null.

    Returns:
        One row a value, in the same order (`PHONE_SCHEMA`): ``e164``; ``code``, the reason of a rejection; ``kind``,
        libphonenumber's type; ``repair``, the reason (a warning) of a repair that was made; ``extension``, digits that
        E.164 has no room for; ``region``, the region of the number itself (CA for +1 416, 001 for +800). All six are
        null for an absent value, and all but ``code`` for a rejected one.
    """
    clean = values.str.contains(_CLEAN).fill_null(value=False)
    if clean.all():
        return _normalise_clean(values, details=details)
    written = ~clean & values.is_not_null()
    parts = (
        _normalise_clean(values.filter(clean), details=details),
        _normalise_written(values.filter(written), regions.filter(written), details=details),
        _ABSENT,
    )
    return pl.concat(parts, rechunk=True)[_positions(clean.to_numpy(), written.to_numpy())]


_ABSENT: Final = pl.DataFrame({name: [None] for name in PHONE_SCHEMA}, schema=PHONE_SCHEMA)


def _positions(clean: _Mask, written: _Mask) -> NDArray[np.intp]:
    """Where each row stands in the clean rows, followed by the written ones, followed by the absent one."""
    count = np.count_nonzero(clean)
    end = count + np.count_nonzero(written)
    positions = np.full(len(clean), end)
    positions[clean] = np.arange(count)
    positions[written] = np.arange(count, end)
    return positions


# Codes are small integers while columns are judged.
_CODES: Final = (None, *(reason.code for reason in CATALOGUE if reason.code.startswith("phone.")))
_INDEX: Final = {code: np.uint8(index) for index, code in enumerate(_CODES)}
_OF_VERDICT: Final = np.array([_INDEX[code] for code in numbering.VERDICT_CODES])


@dataclass(slots=True)
class _Verdicts:
    """Rows on their way to a verdict; the arrays have one element a row.

    Attributes:
        found: What the numbers are.
        codes: Index into `_CODES`; 0 is accepted.
        repairs: The same for the repair that was made.
    """

    found: Resolved
    codes: _Codes
    repairs: _Codes

    def adopt(self, rows: _Rows, other: Resolved, better: _Mask, repair: str) -> None:
        """Take another reading of some ``rows`` where it is ``better``."""
        where = rows[better]
        self.found.numbers[where] = other.numbers[better]
        self.found.classes[where] = other.classes[better]
        self.codes[where] = 0
        self.repairs[where] = _INDEX[repair]


@dataclass(slots=True)
class _Work(_Verdicts):
    """Written rows on their way to a verdict.

    Attributes:
        cells: The readings of `damage.read_cells`, with the ``cell``, its ``region``, ``calling_code``, ``trunk``
            and ``zero``.
    """

    cells: pl.DataFrame


def _normalise_clean(values: pl.Series, *, details: bool) -> pl.DataFrame:
    """Normalise what looks like E.164 as it stands; a verdict is all that nearly all of it needs."""
    integers = values.cast(pl.UInt64).to_numpy()
    found = numbering.resolve_international(integers)
    codes = _OF_VERDICT[found.verdicts()]
    repair = nothing = _nothing(len(values))
    if codes.any():
        work = _Verdicts(Resolved(found.numbers.copy(), found.classes.copy()), codes, np.zeros_like(codes))
        _consider_former_form(work)
        found, repair = work.found, _strings(_CODES, work.repairs)
    codes[_has_service_exchange(found)] = _INDEX["phone.service_code"]
    as_typed = found.numbers == integers
    e164 = values if as_typed.all() else values.zip_with(pl.Series(as_typed), _e164(found))
    return _result(e164, found, codes, repair, nothing, details=details)


def _normalise_written(values: pl.Series, regions: pl.Series, *, details: bool) -> pl.DataFrame:
    """Normalise what has to be read first."""
    cells = damage.read_cells(values).with_columns(
        cell=values,
        region=regions,
        calling_code=_of_regions(regions, _calling_code),
        trunk=_of_regions(regions, _trunk),
        zero=_of_regions(regions, _own_zero),
        text=pl.col("text").fill_null(""),
    )
    work = _Work(numbering.resolve(cells["text"], regions), _indices(cells["code"]), _indices(cells["repair"]), cells)
    read = work.codes == 0
    work.codes[read] = _OF_VERDICT[work.found.verdicts()[read]]
    for protection in _PROTECTIONS:
        protection(work)
    blank = (cells["text"] == "") & cells["code"].is_null()
    work.codes[blank.to_numpy()] = 0
    repairs = np.where(work.codes == 0, work.repairs, 0)
    extensions = cells["extension"].zip_with(pl.Series(work.codes == 0), _nothing(len(cells)))
    return _result(_e164(work.found), work.found, work.codes, _strings(_CODES, repairs), extensions, details=details)


def phone_kinds(numbers: pl.Series) -> pl.Series:
    """The kind of each number (`dialfeed.contacts.kinds`).

    Args:
        numbers: In E.164 form, as `normalise_phones` tells them; null for none.
    """
    digits = numbers.str.strip_prefix("+").cast(pl.UInt64).fill_null(0)
    return _strings(KINDS, numbering.resolve_international(digits.to_numpy()).kinds())


def _of_regions(regions: pl.Series, fact: Callable[[str], str | None]) -> pl.Series:
    """A fact about the region of each row; null where there is no region, or none that the library knows."""
    known = [region for region in regions.unique() if region in phonenumbers.SUPPORTED_REGIONS]
    facts = {region: fact(region) for region in known}
    return regions.replace_strict(facts, default=None, return_dtype=pl.String)


def _calling_code(region: str) -> str:
    return str(phonenumbers.country_code_for_region(region))


def _trunk(region: str) -> str:
    """The national prefix, or nothing."""
    return phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) or ""


@cache
def _own_zero(region: str) -> str | None:
    """A zero where numbers of the region may begin with one, by the library's examples; None elsewhere."""
    examples = (phonenumbers.example_number_for_type(region, kind) for kind in phonenumbers.PhoneNumberType.values())
    return "0" if any(example is not None and example.italian_leading_zero for example in examples) else None


def _indices(codes: pl.Series) -> _Codes:
    if codes.null_count() == len(codes):
        return np.zeros(len(codes), np.uint8)
    return codes.replace_strict(_INDEX, return_dtype=pl.UInt8).fill_null(0).to_numpy(writable=True)


def _strings(words: tuple[str | None, ...], indices: NDArray[np.unsignedinteger]) -> pl.Series:
    return pl.Series(words, dtype=pl.String).gather(indices)


def _nothing(size: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, size)


def _e164(found: Resolved) -> pl.Series:
    return "+" + pl.Series(found.numbers, dtype=pl.UInt64).cast(pl.String)


def _result(
    e164: pl.Series, found: Resolved, codes: _Codes, repair: pl.Series, extension: pl.Series, *, details: bool
) -> pl.DataFrame:
    accepted = (codes == 0) & (found.verdicts() == numbering.VALID)
    size = len(e164)
    return pl.DataFrame(
        {
            "e164": e164.zip_with(pl.Series(accepted), _nothing(size)),
            "code": _strings(_CODES, codes),
            "kind": _strings(KINDS, found.kinds() * accepted) if details else _nothing(size),
            "repair": repair,
            "extension": extension,
            "region": _strings(numbering.REGIONS, found.regions() * accepted) if details else _nothing(size),
        },
        schema=PHONE_SCHEMA,
    )


# --- the protections --------------------------------------------------------------------------------------------------

_SERVICE_KINDS: Final = [
    KINDS.index(kind) for kind in ("premium_rate", "toll_free", "shared_cost", "personal_number", "uan")
]
_SUBSCRIBER_KINDS: Final = KINDS.index("fixed_line")  # from here on, kinds are those of a line of one's own


def _valid(found: Resolved) -> _Mask:
    return np.equal(found.verdicts(), numbering.VALID)


def _begins(texts: pl.Series, starts: pl.Series) -> _Mask:
    """Whether each text begins with the start beside it; false where there is none."""
    begins = pl.DataFrame({"text": texts, "start": starts}).select(pl.col("text").str.starts_with(pl.col("start")))
    return begins.to_series().fill_null(value=False).to_numpy()


def _consider_own_code(work: _Work) -> None:
    """Read what begins with the country's own calling code with a plus, too: 4915112345678 in DE has two readings."""
    rows = np.flatnonzero(_begins(work.cells["text"], work.cells["calling_code"]) & _is_judged(work))
    if not rows.size:
        return
    text = work.cells["text"].gather(rows)
    abroad = numbering.resolve("+" + text, _nothing(rows.size))
    home = Resolved(work.found.numbers[rows], work.found.classes[rows])
    conflict = _valid(abroad) & _valid(home) & (abroad.numbers != home.numbers)
    work.codes[rows[conflict]] = _INDEX["phone.ambiguous"]
    work.adopt(rows, abroad, _valid(abroad) & ~_valid(home), REPAIRED_PLUS)


def _is_judged(work: _Verdicts) -> _Mask:
    """Which rows have a verdict on a number, and not on the cell."""
    judged: _Mask = np.isin(work.codes, _OF_VERDICT)
    return judged


def _consider_trunk_zero(work: _Work) -> None:
    """Try an invalid number of nothing but digits with a zero in front, as a spreadsheet drops it.

    Only the country's own prefix may then be taken away again (06 in Hungary), no carrier code. Where the zero belongs
    to the number (Italy), the row stays rejected: so few digits could be another subscriber's.
    """
    rows = np.flatnonzero(_is_bare(work) & (work.codes != 0) & _is_judged(work))
    if not rows.size:
        return
    other, at_home = _with_zero(work, rows)
    keeps_zero = ~work.cells["trunk"].gather(rows).str.starts_with("0").to_numpy()
    work.codes[rows[at_home & keeps_zero]] = _INDEX["phone.leading_zero_lost"]
    work.adopt(rows, other, at_home & ~keeps_zero, REPAIRED_TRUNK_ZERO)


def _doubt_short_numbers(work: _Work) -> None:
    """Reject nothing but digits that are one number as they stand, and another with the zero that a spreadsheet drops.

    331123456 in Italy is an old mobile number, or 0331 123456 in Busto Arsizio. Ten digits are all of a mobile number
    there, and are believed.
    """
    short = (work.cells["text"].str.len_bytes() < _WHOLE_NUMBER) & work.cells["zero"].is_not_null()
    rows = np.flatnonzero(short.to_numpy() & _is_bare(work) & (work.codes == 0))
    if rows.size:
        other, at_home = _with_zero(work, rows)
        work.codes[rows[at_home & (other.numbers != work.found.numbers[rows])]] = _INDEX["phone.ambiguous"]


def _is_bare(work: _Work) -> _Mask:
    """Which cells are nothing but digits without a zero in front, as a spreadsheet leaves a number."""
    cells = work.cells
    bare = cells["cell"].str.contains("^[1-9][0-9]+$") | cells["repair"].is_in(list(_NUMERIC_REPAIRS))
    bare &= cells["calling_code"].is_not_null() & ~cells["text"].str.starts_with("+")
    return bare.fill_null(value=False).to_numpy()


def _with_zero(work: _Work, rows: _Rows) -> tuple[Resolved, _Mask]:
    """What some numbers are with a zero in front, and where that is a number of their own country."""
    tried = work.cells.select("region", "calling_code", "trunk", text="0" + pl.col("text")).gather(rows)
    other = numbering.resolve(tried["text"], tried["region"])
    national = pl.col("text").str.strip_prefix(pl.col("trunk"))
    expected = tried.select(pl.col("calling_code") + national).to_series().cast(pl.UInt64, strict=False).fill_null(0)
    return other, _valid(other) & np.equal(other.numbers, expected.to_numpy())


_NUMERIC_REPAIRS: Final = (damage.REPAIRED_DECIMAL, damage.REPAIRED_SCIENTIFIC)
_WHOLE_NUMBER: Final = 10  # digits


_FORMER_PREFIX: Final = "^52(?:1|01|044|045)([2-9][0-9]{9})$"
"""International digits of Mexico's numbers as they were written until August 2019: 1 from abroad to a mobile line, 01,
044 and 045 within the country (`compliance.md` section 9). The ten digits behind are the number, then as now."""

_FORMER_FORMS: Final = {
    "BR": "^55[1-9]{2}[6-9][0-9]{7}$",  # mobile numbers have a 9 in front
    "CI": "^225[0-9]{8}$",  # two digits in front, by operator; ten in all
    "BJ": "^229[0-9]{8}$",  # 01 in front; ten in all
    "AR": "^549?15[0-9]{6,8}$",  # 15 is dialled within a town, and the area code is missing
}
"""International digits of numbers that were numbers once, or are where they are dialled: what is missing is not known,
or not for certain, so they are told and not repaired."""
_FORMER_FORM: Final = "|".join(_FORMER_FORMS.values())


def _consider_former_form(work: _Verdicts) -> None:
    """Undo, or tell, the form that numbers had before their country changed it; those that are invalid now, that is."""
    rows = np.flatnonzero((work.codes != 0) & _is_judged(work))
    if not rows.size:
        return
    digits = pl.Series(work.found.numbers[rows], dtype=pl.UInt64).cast(pl.String)
    work.codes[rows[digits.str.contains(_FORMER_FORM).to_numpy()]] = _INDEX["phone.former_form"]
    prefixed = digits.str.contains(_FORMER_PREFIX).to_numpy()
    today = digits.str.replace(_FORMER_PREFIX, "52${1}").cast(pl.UInt64).to_numpy()[prefixed]
    found = numbering.resolve_international(today)
    work.adopt(rows[prefixed], found, _valid(found), REPAIRED_FORMER_PREFIX)


def _consider_missing_plus(work: _Work) -> None:
    """Leave the former 1 of Mexico alone where it is the calling code of a number of North America."""
    former = (work.codes == 0) & (work.repairs == _INDEX[REPAIRED_FORMER_PREFIX])
    rows = np.flatnonzero(former & work.cells["text"].str.starts_with("1").to_numpy())
    abroad = numbering.resolve("+" + work.cells["text"].gather(rows), _nothing(rows.size))
    work.codes[rows[_valid(abroad)]] = _INDEX["phone.ambiguous"]


def _refuse_rivalled(work: _Work) -> None:
    """Reject the cells of which a second reading is a valid number."""
    rivals = work.cells.select("rival", "rival_code", "region").with_row_index("row").drop_nulls("rival")
    if rivals.is_empty():
        return
    valid = _valid(numbering.resolve(rivals["rival"], rivals["region"]))
    work.codes[rivals["row"].to_numpy()[valid]] = _indices(rivals["rival_code"])[valid]


def _refuse_alphabetic(work: _Work) -> None:
    """Reject letters as keypad digits in anything but a service number: 212-NOT-CALL is nobody's vanity number."""
    alphabetic = work.repairs == _INDEX[damage.VANITY]
    if alphabetic.any():
        subscriber = ~np.isin(work.found.kinds(), _SERVICE_KINDS)
        work.codes[alphabetic & subscriber & _is_judged(work)] = _INDEX["phone.annotated"]


def _refuse_service_exchanges(work: _Work) -> None:
    work.codes[(work.codes == 0) & _has_service_exchange(work.found)] = _INDEX["phone.service_code"]


def _has_service_exchange(found: Resolved) -> _Mask:
    """Whether numbers are North American lines with an exchange of 211 to 911, which is never assigned."""
    american = found.numbers // np.uint64(10**10) == 1
    exchange = found.numbers // np.uint64(10**4) % np.uint64(100) == 11
    subscriber: _Mask = found.kinds() >= _SUBSCRIBER_KINDS
    special: _Mask = american & exchange & subscriber
    return special


_PROTECTIONS: Final = (
    _consider_own_code,
    _consider_trunk_zero,
    _doubt_short_numbers,
    _consider_former_form,
    _consider_missing_plus,
    _refuse_rivalled,
    _refuse_alphabetic,
    _refuse_service_exchanges,
)
