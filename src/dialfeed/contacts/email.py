"""E-mail addresses: the verdicts of email-validator at the speed of a column.

A strict pattern accepts the ordinary addresses; it accepts nothing that email-validator refuses, and leaves each as
the library would. Only what the pattern does not know goes to the library, once per distinct value
(`dependencies.md` section B: 1.5 million a second on a real mix against 30,000).
"""

from __future__ import annotations

import re
from functools import cache
from string import ascii_lowercase
from typing import TYPE_CHECKING, Final

import polars as pl

from dialfeed.contacts.text import clean_text

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from types import ModuleType

NO_AT: Final = "email.no_at"
SEVERAL_ADDRESSES: Final = "email.several_addresses"
SPACES: Final = "email.spaces"
TOO_LONG: Final = "email.too_long"
RESERVED_DOMAIN: Final = "email.reserved_domain"
BAD_DOMAIN: Final = "email.bad_domain"
BAD_NAME: Final = "email.bad_name"
INVALID: Final = "email.invalid"

DISPLAY_NAME: Final = "email.display_name"
TEXT_MARKER: Final = "email.text_marker"
DISPOSABLE: Final = "email.disposable"
ROLE: Final = "email.role"

EMAIL_SCHEMA: Final = pl.Schema({"email": pl.String, "code": pl.String, "warning": pl.String})
"""The columns of `normalise_emails`."""

# The first line is RFC 2142, sections 3 to 5; the rest is in common use on English, French, German, Portuguese and
# Spanish web sites (2026-11).
_ROLE_NAMES: Final = """
abuse ftp hostmaster info marketing news noc postmaster sales security support usenet uucp webmaster www
accounting accounts admin administrator billing booking careers compliance contact contacto contato customercare
customerservice datenschutz do-not-reply donotreply empfang enquiries finance frontdesk hello help helpdesk hr
inquiries invoices it jobs kontakt legal mail mailer-daemon no-reply noreply office orders poststelle press privacy
reception recepcion rechnung recrutement reservations root sekretariat service service-client soporte team tech
ventas vendas verkauf vertrieb verwaltung
"""

# Well-known services out of github.com/disposable-email-domains/disposable-email-domains (CC0), list of 2026-08-21.
# Services change their domains by the day, so a longer table would not be a truer one.
_DISPOSABLE_DOMAINS: Final = """
10minutemail.com 10minutemail.net 1secmail.com 1secmail.net 1secmail.org anonbox.net armyspy.com byom.de cuvox.de
dayrep.com deadaddress.com discard.email discardmail.com dispostable.com einrot.com emailondeck.com fakeinbox.com
fakemail.net fleckens.hu getnada.com grr.la guerrillamail.biz guerrillamail.com guerrillamail.de guerrillamail.net
guerrillamail.org guerrillamailblock.com gustr.com harakirimail.com inboxkitten.com incognitomail.org jetable.org
jourrapide.com mail.tm mailcatch.com maildrop.cc mailexpire.com mailinator.com mailinator.net mailinator2.com
mailnesia.com mailnull.com mailsac.com mintemail.com minuteinbox.com moakt.com mohmal.com muellmail.com mytemp.email
nada.email pokemail.net rhyta.com sharklasers.com spam4.me spambog.com spambox.us superrito.com teleworm.us
temp-mail.org tempail.com tempinbox.com tempmailo.com tempr.email throwawaymail.com tmpmail.net tmpmail.org
trash-mail.com trashmail.com trashmail.de trashmail.net wegwerfemail.de wegwerfmail.de wegwerfmail.net yopmail.com
yopmail.fr yopmail.net
"""

ROLE_NAMES: Final = tuple(_ROLE_NAMES.split())
"""Names before the @-sign that stand for a desk rather than a person. A finding, never a rejection."""

DISPOSABLE_DOMAINS: Final = tuple(_DISPOSABLE_DOMAINS.split())
"""Domains of mailboxes that are thrown away after minutes. A finding, never a rejection."""

_VERDICT_SCHEMA: Final = pl.Schema({"email": pl.String, "code": pl.String})

_MOST_BYTES: Final = 254  # RFC 5321 section 4.5.3.1.3 with RFC 3696 erratum 1690; the library's limit as well
_ORDINARY_BYTES: Final = 64  # so short that no part of the domain can be over its own limit of 63

_WRAPPED: Final = r"^([^<>]*)<([^<>]*)>$"
_MARKED: Final = r"""^(?:'([^'<>]+@[^'<>]*)'?|=?"([^"<>]+@[^"<>@]*)")$"""
_LINK: Final = r"^(?i:mailto):([^?]*)(?:\?.*)?$"
_PADDING: Final = " ,;"  # no address begins or ends with these; a copied list of one address does
_BETWEEN_ADDRESSES: Final = re.compile(r"[\s,;|/<>]+")

_IS_ROLE: Final = f"^(?i:{'|'.join(map(re.escape, ROLE_NAMES))})@"
_IS_DISPOSABLE: Final = f"@(?:{'|'.join(map(re.escape, DISPOSABLE_DOMAINS))})$"


def normalise_emails(values: pl.Series) -> pl.DataFrame:
    """Judge a column of e-mail addresses and bring each into its one normal form.

    The verdict and the form are those of email-validator without a look-up of the domain: the domain in lower case,
    the name before the @-sign as typed, internationalised addresses allowed. Before that, what has only one
    reading is unwrapped: invisible characters, ``mailto:``, blanks, commas and semicolons at the ends, the
    apostrophe and the quotes with which spreadsheets mark text, and ``Name <address>`` where the name is no second
    address.

    Args:
        values: A String column; the cells as typed.

    Returns:
        A frame of the same length (`EMAIL_SCHEMA`): ``email``, null where absent or refused; ``code`` where refused;
        ``warning``, one finding at most where accepted (``email.display_name`` and ``email.text_marker`` before
        ``email.disposable`` before ``email.role``).
    """
    emails = clean_text(values)
    codes = warnings = pl.repeat(None, len(values), dtype=pl.String, eager=True)
    strange = (~_is_ordinary(emails, _ordinary())).fill_null(value=False).arg_true()
    if len(strange):
        judged = _judge(emails.gather(strange))
        emails = emails.clone().scatter(strange, judged["email"])
        codes = codes.clone().scatter(strange, judged["code"])
        warnings = warnings.clone().scatter(strange, judged["warning"])
    return pl.DataFrame({"email": emails, "code": codes, "warning": _findings(emails, warnings)}, EMAIL_SCHEMA)


def _findings(emails: pl.Series, known: pl.Series) -> pl.Series:
    """Add the findings about an address to those about how it was wrapped, which come first."""
    disposable, role = emails.str.contains(_IS_DISPOSABLE), emails.str.contains(_IS_ROLE)
    if known.null_count() == len(known) and not (disposable.any() or role.any()):
        return known
    found = pl.when(disposable).then(pl.lit(DISPOSABLE)).when(role).then(pl.lit(ROLE))
    return pl.select(pl.coalesce(known, found)).to_series()


def _is_ordinary(addresses: pl.Series, pattern: str) -> pl.Series:
    """Tell which addresses need no library; null stays null."""
    return addresses.str.contains(pattern) & (addresses.str.len_bytes() <= _ORDINARY_BYTES)


@cache
def _ordinary() -> str:
    """Write the pattern of ordinary addresses: lower case, ASCII, no reserved top-level domain.

    Narrower than the library in every part, so that what it accepts is accepted there, unchanged. Two hyphens in a row
    are left to the library (``xn--``), and so is every name below a special-use domain.
    """
    reserved = {name.rpartition(".")[2] for name in _library().SPECIAL_USE_DOMAIN_NAMES}
    word, label = "[a-z0-9_'+-]+", "[a-z0-9]+(?:-[a-z0-9]+)*"
    return rf"^[a-z0-9_+-][a-z0-9_'+-]*(?:\.{word})*@(?:{label}\.)+{_letters_but(reserved | {''})}$"


def _letters_but(words: AbstractSet[str]) -> str:
    """Write a pattern for each run of letters that is not one of the words; the pattern language has no look-ahead."""
    heads = sorted({word[0] for word in words if word})
    others = "".join(letter for letter in ascii_lowercase if letter not in heads)
    tails = [head + _letters_but({word[1:] for word in words if word.startswith(head)}) for head in heads]
    pattern = "|".join([f"[{others}][a-z]*", *tails])
    return f"(?:{pattern})" if "" in words else f"(?:{pattern})?"


def _judge(strange: pl.Series) -> pl.DataFrame:
    """Judge addresses that are not ordinary as they stand, each distinct one once."""
    unwrapped = _unwrap(strange.unique())
    simple = _is_simple(unwrapped["address"])
    rest = unwrapped.filter(~simple)
    verdicts = pl.DataFrame([_ask_library(address) for address in rest["address"]], _VERDICT_SCHEMA, orient="row")
    judged = pl.concat([_lower_domain(unwrapped.filter(simple)), pl.concat([rest, verdicts], how="horizontal")])
    return (
        strange.to_frame("typed")
        .join(judged, on="typed", how="left", maintain_order="left")
        .with_columns(pl.when(pl.col("code").is_null()).then("warning"))
    )


def _is_simple(addresses: pl.Series) -> pl.Series:
    """Tell which addresses would be ordinary but for capitals.

    Role names are left to the library, which turns some of them (RFC 2142) into lower case.
    """
    return _is_ordinary(addresses, f"(?i-u){_ordinary()}") & ~addresses.str.contains(_IS_ROLE)


def _unwrap(typed: pl.Series) -> pl.DataFrame:
    """Find the address in each distinct value.

    Returns:
        Columns ``typed``, ``address``, ``warning``.
    """
    simple = _is_simple(typed)
    bare = typed.filter(simple).to_frame("typed").with_columns(address="typed", warning=pl.lit(None, pl.String))
    return pl.concat([bare, _take_out(typed.filter(~simple))])


def _take_out(typed: pl.Series) -> pl.DataFrame:
    """Take addresses out of ``Name <address>``, ``mailto:`` and text markers, where that leaves one reading."""
    cell = pl.col("typed").str.strip_chars(_PADDING)
    marked = pl.coalesce(cell.str.extract(_MARKED, 1), cell.str.extract(_MARKED, 2))
    padded = pl.coalesce(marked.str.strip_chars(_PADDING), cell)
    name = padded.str.extract(_WRAPPED, 1).str.strip_chars(" \"'").str.to_lowercase()
    inner = padded.str.extract(_WRAPPED, 2).str.strip_chars(_PADDING)
    # "bob@example.com" <anna@example.com> names two mailboxes; the same one twice is how some programs write one.
    single = ~name.str.contains("@", literal=True) | (name == inner.str.to_lowercase())
    address = pl.when(single).then(inner).otherwise(padded)
    return typed.to_frame("typed").select(
        "typed",
        address=address.str.replace(_LINK, "${1}").str.strip_chars(_PADDING),
        warning=pl.when(single).then(pl.lit(DISPLAY_NAME)).when(marked.is_not_null()).then(pl.lit(TEXT_MARKER)),
    )


def _lower_domain(simple: pl.DataFrame) -> pl.DataFrame:
    """Give ordinary addresses with capitals their normal form."""
    parts = pl.col("address").str.split_exact("@", 1).struct
    email = pl.concat_str(parts.field("field_0"), pl.lit("@"), parts.field("field_1").str.to_lowercase())
    return simple.with_columns(email=email, code=pl.lit(None, pl.String))


def _ask_library(address: str) -> tuple[str | None, str | None]:
    """Let email-validator judge one address.

    Returns:
        Its normal form and nothing, or nothing and the reason code.
    """
    if len(address.encode()) > _MOST_BYTES:  # refused there as well, after work that grows with the length
        return None, NO_AT if "@" not in address else TOO_LONG
    try:
        return _library().validate_email(address, check_deliverability=False).normalized, None
    except ValueError:  # the library's own exception, and what may escape from its tables of domain names
        return None, _fault(address)


def _fault(address: str) -> str:
    """Find the most useful thing to say of an address that the library refused.

    By the address's own shape and further questions to the library: its messages may quote the address and change
    with each release.
    """
    if "@" not in address:
        return NO_AT
    if sum("@" in part.strip("@") for part in _BETWEEN_ADDRESSES.split(address)) > 1:
        return SEVERAL_ADDRESSES
    if any(map(str.isspace, address)):
        return SPACES
    name, _, domain = address.rpartition("@")
    if not _accepts(f"a@{domain}"):
        return RESERVED_DOMAIN if _is_reserved(domain) else BAD_DOMAIN
    return INVALID if "@" in name else BAD_NAME


def _accepts(address: str) -> bool:
    """Ask the library for a bare yes or no."""
    try:
        _library().validate_email(address, check_deliverability=False)
    except ValueError:
        return False
    return True


def _is_reserved(domain: str) -> bool:
    """Tell whether a domain is, or is below, a special-use name such as ``test`` or ``local``."""
    dotted = f".{domain.lower()}"
    return any(dotted.endswith(f".{name}") for name in _library().SPECIAL_USE_DOMAIN_NAMES)


@cache
def _library() -> ModuleType:
    """Import email-validator when the first address is judged.

    It brings the tables of internationalised domain names with it, some 20 ms that a command which judges no address
    (``--help``, ``status``) need not wait for.
    """
    import email_validator  # noqa: PLC0415 - see above

    return email_validator
