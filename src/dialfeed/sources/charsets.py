"""In which encoding a text file is written, decided only where the bytes leave no doubt.

A byte-order mark is believed. Bytes that are valid UTF-8 are UTF-8: no text of more than a few letters in another
encoding is so by chance. For the rest, each eight-bit encoding in use is tried on the words with letters beyond ASCII,
and is ruled out where it makes nonsense of them (a symbol within a word or stuck to it, a capital after a small letter,
two scripts in one word, letters in an order that no language has). Windows-1252 goes first where it makes sense; any
other must be the only one that does.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple

from dialfeed.errors import FixSource
from dialfeed.sources.content import Content, head
from dialfeed.sources.encodings import UTF8, UndecodableError, as_utf8

_MARKS: Final = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
FAMILY: Final = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
    "iso8859-2", "iso8859-5", "koi8-r", "cp850", "cp852", "cp866", "mac-roman",
)  # fmt: skip
"""Eight-bit encodings that are tried, the usual one first."""
_MULTIBYTE: Final = ("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr")
_SCAN_BYTES: Final = 256 << 20
_SAMPLE_BYTES: Final = 64 << 10
_HEAD_BYTES: Final = 4096
_WORDS: Final = 3000
_NONSENSE: Final = 0.04
"""The share of words that may make no sense: abbreviations and typing mistakes are in every file."""


@dataclass(frozen=True, slots=True)
class Charset:
    """An encoding, and how it is known.

    Attributes:
        encoding: A name that Python knows.
        known_by: ``mark``, ``bytes`` (valid UTF-8, or the pattern of NUL bytes), ``words`` or ``option``.
    """

    encoding: str
    known_by: str


def detect(content: Content) -> Charset:
    """Find out in which encoding the content is written.

    Args:
        content: Text.

    Raises:
        FixSource: It cannot be read, or several encodings are possible.
    """
    start = head(content, _HEAD_BYTES)
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return Charset(encoding, "mark")
    if wide := _wide(start):
        return Charset(wide, "bytes")
    if b"\x1b$" in start:
        raise _doubtful(content.name, ["iso2022_jp", "iso2022_kr"])
    if _is_utf8(content):
        return Charset(UTF8, "bytes")
    return Charset(_by_words(content), "words")


def _wide(start: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: the high bytes of most characters are NUL."""
    if b"\0" not in start:
        return None
    if len(start) % 4 == 0 and not any(start[2::4]) and not any(start[3::4]):
        return "utf-32-le"
    if len(start) % 4 == 0 and not any(start[0::4]) and not any(start[1::4]):
        return "utf-32-be"
    half = len(start) // 2
    low, high = start[0::2].count(0), start[1::2].count(0)
    if high > 0.7 * half and low == 0:
        return "utf-16-le"
    if low > 0.7 * half and high == 0:
        return "utf-16-be"
    return None


def _is_utf8(content: Content) -> bool:
    """Whether the bytes are valid UTF-8, as far as they are looked at."""
    seen = 0
    with closing(content.look()) as blocks, closing(as_utf8(blocks, UTF8)) as text:
        try:
            for block in text:
                seen += len(block)
                if seen >= _SCAN_BYTES:
                    return True
        except UndecodableError:
            return False
    return True


# --- eight-bit encodings ------------------------------------------------------------------------------------------

_RUNS: Final = re.compile(rb"[A-Za-z\x80-\xff'`^~]*[\x80-\xff][A-Za-z\x80-\xff'`^~]*")


def _by_words(content: Content) -> str:
    """The encoding in which the words make sense.

    Raises:
        FixSource: There is none, or there are several that read them differently.
    """
    words = list(_words(content))
    if _makes_sense(words, "cp1252"):
        return "cp1252"
    sensible = [encoding for encoding in FAMILY if _makes_sense(words, encoding, _LATIN)]
    readings = {tuple(word.decode(encoding) for word in words): encoding for encoding in reversed(sensible)}
    rivals = [] if sensible and _all_latin(next(iter(readings))) else _decodable(words)
    if len(readings) == 1 and not rivals:
        return next(iter(readings.values()))
    raise _doubtful(content.name, sensible + rivals)


def _all_latin(words: tuple[str, ...]) -> bool:
    return all(_kind(character) in {"LATIN", "joint", "other"} for word in words for character in word)


def _words(content: Content) -> Iterator[bytes]:
    """Words with a byte beyond ASCII, from all over the content until there are enough."""
    count, seen, rest = 0, 0, b""
    with closing(content.look()) as blocks:
        for block in blocks:
            text = rest + block
            cut = text.rfind(b"\n") + 1 or len(text)
            for match in _RUNS.finditer(text, 0, cut):
                yield match[0]
                count += 1
                if count >= _WORDS:
                    return
            rest, seen = text[cut:][-_SAMPLE_BYTES:], seen + len(block)
            if count and seen >= _SCAN_BYTES:
                return
    yield from _RUNS.findall(rest)


class _Alphabet(NamedTuple):
    """How a language is written.

    Attributes:
        letters: Its letters beyond ASCII.
        never: What none of its words has, and the same bytes in another encoding often are.
    """

    letters: frozenset[str]
    never: re.Pattern[str] | None

    def writes(self, word: str, foreign: set[str]) -> bool:
        """Whether a word of small letters, with these beyond ASCII, can be one of the language."""
        return foreign <= self.letters and not (self.never and self.never.search(word))


def _alphabet(letters: str, never: str = "") -> _Alphabet:
    return _Alphabet(frozenset(letters), re.compile(never) if never else None)


_UNWESTERN: Final = (
    "ñ(?![aeiouáéíóúü])"  # Kamiñski is Kamiński
    "|õ(?!e)"  # Erdõs is Erdős
    "|ã(?![oeis]|$)"  # Mãgureanu is Măgureanu
    "|ç(?![aouáàâãóôúäöü]|$)"  # Pçteris is Pēteris
    "|è[aeiouyáéíóú]|^è."  # Kuèera is Kučera
    "|ì(?!$)"  # Nìmec is Němec
    "|iæ$|æ.*è|è.*æ"  # Mariæ is Marić
)
"""What no language has that Windows-1252 is used for, however often words of central Europe look so in it."""
_WESTERN: Final = tuple(
    _alphabet(letters, _UNWESTERN)
    for letters in (
        "àâæçéèêëîïôœùûüÿ",  # French
        "äöüßéè",  # German
        "áéíóúüñç",  # Spanish
        "áâãàçéêíóôõúü",  # Portuguese
        "àèéìíîòóùú",  # Italian
        "åæøäöéüôò",  # Danish, Norwegian, Swedish, Finnish
        "áéíóúäëïöüèêîôû",  # Dutch
        "àçèéíïòóúü",  # Catalan
        "áàéèíìóòúùâêîôûŵŷ",  # Irish, Scottish, Welsh
    )
)
"""The languages that Windows-1252 is used for."""
_VIETNAMESE: Final = "ăâêôơưáàảãạéèẻẽẹíìỉĩịóòỏõọúùủũụýỳỷỹỵ\u0300\u0301\u0303\u0309\u0323"
_LATIN: Final = (
    _alphabet("áéíóúýðþæö"),  # Icelandic; apart, since Turkish in Windows-1254 looks so
    _alphabet("äöõüšž", "[aeiouyäöõü][^aeiouyäöõü]+õ"),  # Estonian; apart, since Hungarian in Windows-1250 looks so
    _alphabet("ąćęłńóśźż"),  # Polish
    _alphabet("áčďéěíňóřšťúůýžľĺŕäô"),  # Czech, Slovak
    _alphabet("áéíóöőúüű"),  # Hungarian
    _alphabet("čćđšž"),  # Croatian, Slovene
    _alphabet("ăâîşţșț"),  # Romanian
    _alphabet("çğ\u0131i\u0307öşüâîû"),  # Turkish
    _alphabet("āčēģīķļņōŗšūž"),  # Latvian
    _alphabet("ąčęėįšųūž", "ię$"),  # Lithuanian; so Marię is Marić
    _alphabet(f"{_VIETNAMESE}đ", f"[aeiouy{_VIETNAMESE}]+[^aeiouy{_VIETNAMESE}]+[aeiouy{_VIETNAMESE}]"),  # one syllable
)
"""Other languages in Latin letters."""


def _makes_sense(words: list[bytes], encoding: str, others: tuple[_Alphabet, ...] = ()) -> bool:
    """Whether nearly all words could be some, in a western language or one that is written in another alphabet."""
    try:
        readings = [word.decode(encoding) for word in words]
    except UnicodeDecodeError:
        return False
    nonsense = sum(not _is_word(reading, others) for reading in readings)
    return nonsense <= _NONSENSE * len(readings)


_SIGNS: Final = (
    "\u2018\u2019\u201a\u201c\u201d\u201e\u2026\u2013\u2014\u2022\u20ac"
    "\u2122\u2039\u203a\xa0\xa3\xa7\xa9\xab\xae\xb0\xb2\xb3\xb4\xb7\xbb\xaa\xba\xbf\xa1\xbd\xbc'`^~"
)
_BEFORE: Final = (
    "\u2018\u2019\u201a\u201c\u201d\u201e\u2026\u2013\u2014\u2022\u2039\u203a\xa0\xab\xb0\xb4\xb7\xbb\xbf\xa1'`^~"
)
_BEHIND: Final = "\u2018\u2019\u201c\u201d\u2026\u2013\u2014\u2122\u2039\u203a\xa0\xa9\xab\xae\xb0\xb4\xb7\xbb\xaa'`^~"
"""Signs that may be stuck to a word: no currency and no fraction is, and no raised digit to a word of more than a few
letters, so that \xa3ukasz is Łukasz and Micha\xb3 is Michał."""
_RAISED: Final = re.compile("(?<=^.)[\xb2\xb3\xba]$|(?<=^..)[\xb2\xb3\xba]$|(?<=^...)\xba$")
_JOINTS: Final = "\u2019\u2018\u2013\xb4\xb7'`"


def _is_word(text: str, others: tuple[_Alphabet, ...]) -> bool:
    """Whether a run of letters and signs could be a word, or signs around one."""
    if not text.strip(_SIGNS):
        return True
    letters = _RAISED.sub("", text.lstrip(_BEFORE)).rstrip(_BEHIND)
    kinds = {_kind(character) for character in letters} - {"joint"}
    if "other" in kinds or len(kinds) != 1 or unicodedata.combining(letters[0]) or "ς" in letters[:-1]:
        return False
    return _case_fits(letters) and (kinds != {"LATIN"} or _in_one_alphabet(letters, others))


@cache
def _kind(character: str) -> str:
    """The script of a letter, ``joint`` for what may stand within a word, else ``other``."""
    if character in _JOINTS or unicodedata.category(character) == "Mn":
        return "joint"
    if not character.isalpha() or character in "ªºµƒ":
        return "other"
    return unicodedata.name(character, "?").split(" ")[0]


def _case_fits(letters: str) -> bool:
    """No capital beyond ASCII within a word of small letters, and no small one between capitals."""
    for before, after in pairwise(letters):
        if before.islower() and after.isupper() and not (before.isascii() and after.isascii()):
            return False
    for before, letter, after in zip(letters, letters[1:], letters[2:], strict=False):
        if before.isupper() and letter.isupper() and not letter.isascii() and after.islower():
            return False
    inner = letters[1:-1].replace("ß", "")
    small = sum(map(str.islower, inner))
    return not (letters[:1].isupper() and letters[-1:].isupper() and 0 < small < len(inner))


def _in_one_alphabet(letters: str, others: tuple[_Alphabet, ...]) -> bool:
    if len(letters) > 3 and not any(map(str.isascii, letters)):
        return False
    foreign = {character for character in letters.lower() if not character.isascii() and character not in _JOINTS}
    return any(each.writes(letters.lower(), foreign) for each in (*_WESTERN, *others))


def _decodable(words: list[bytes]) -> list[str]:
    """Encodings of East Asia in which the words have a meaning."""
    return [encoding for encoding in _MULTIBYTE if _decodes(b" ".join(words), encoding)]


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _doubtful(name: str, candidates: list[str]) -> FixSource:
    could_be = f"it could be {' or '.join(candidates)}" if candidates else "it fits no encoding that is known here"
    return FixSource(
        f"The encoding of '{name}' is not certain: it is not UTF-8, and {could_be}.",
        advice="Say which one with --encoding, or save the file again as CSV UTF-8.",
    )
