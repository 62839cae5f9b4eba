"""What the platform accepts as a contact (`cxone-v2-dialect.md` section 3), judged twice.

`is_clean` judges a whole batch at once, column by column in C, since nearly every batch is clean and the stand-in
shares its two cores with the client under test. Only when it says no does `find_errors` walk contact by contact to
say where and why. The two must agree on every input; a property test holds them to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from dialfeed.sandbox.countries import ALPHA_2

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from dialfeed.sandbox.settings import Settings

Contact: TypeAlias = dict[str, Any]
"""One contact as it came: a JSON object."""

FLAGS = ("doNotCall", "doNotEmail")

PHONE = r"\+[1-9][0-9]{1,14}"
PHONE_PLUS_OPTIONAL = r"\+?[1-9][0-9]{1,14}"
EMAIL = r"[^@\s]+@[^@\s]+"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with one contact.

    Attributes:
        index: The contact's place in the batch, from 0.
        column: The column that is wrong; empty when it is the contact as a whole.
        message: The rule that was broken, without the value.
        status: The HTTP status of this error: 400, or 409 for a key that is taken.
        value: The refused value, for platforms that repeat it.
    """

    index: int
    column: str
    message: str
    status: int = 400
    value: object = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The measures of one platform, with its patterns compiled.

    Attributes:
        phone: One phone.
        phones: Any number of phones, each with a line end behind it.
        email: One e-mail address.
        emails: Any number of e-mail addresses, each with a line end behind it.
        max_columns: Different column names on one contact list.
        max_header: Characters of a column name.
        max_cell: Characters of a value.
    """

    phone: re.Pattern[str]
    phones: re.Pattern[str]
    email: re.Pattern[str]
    emails: re.Pattern[str]
    max_columns: int
    max_header: int
    max_cell: int

    @classmethod
    def of(cls, settings: Settings) -> Rules:
        """The rules that these settings ask for."""
        phone = PHONE if settings.plus_required else PHONE_PLUS_OPTIONAL
        return cls(
            phone=re.compile(phone),
            phones=re.compile(rf"(?:{phone}\n)*+"),
            email=re.compile(EMAIL),
            emails=re.compile(rf"(?:{EMAIL}\n)*+"),
            max_columns=settings.max_columns,
            max_header=settings.max_header,
            max_cell=settings.max_cell,
        )


def is_clean(contacts: Sequence[Any], columns: Collection[str], rules: Rules) -> bool:
    """Whether every contact of a batch is acceptable.

    Args:
        contacts: What the JSON array held; anything may be in it.
        columns: The column names that the list has already.
        rules: The platform's measures.
    """
    if set(map(type, contacts)) - {dict}:
        return False
    names = set().union(*contacts)
    new = names.difference(columns)
    if new and len(columns) + len(new) > rules.max_columns:
        return False
    table = {name: _column(contacts, name) for name in names}
    return (
        _good_names(names, rules)
        and all(len(table.get(flag, ())) == len(contacts) for flag in FLAGS)
        and all(_good_column(name, values, rules) for name, values in table.items())
        and _reachable(contacts, table)
    )


def _column(contacts: Sequence[Contact], name: str) -> list[Any]:
    """The values of a column, of those contacts that have it."""
    try:
        return list(map(itemgetter(name), contacts))
    except KeyError:
        return [contact[name] for contact in contacts if name in contact]


def _good_names(names: set[str], rules: Rules) -> bool:
    return "" not in names and max(map(len, names), default=0) <= rules.max_header


def _good_column(name: str, values: Sequence[Any], rules: Rules) -> bool:
    """Whether all values of a column are of its type, short enough and of its form."""
    if name in FLAGS:
        return set(map(type, values)) == {bool}
    try:
        text = "\n".join(values) + "\n"
    except TypeError:  # one of them is no string
        return False
    if max(map(len, values)) > rules.max_cell:
        return False
    if name == "countryCode":
        return ALPHA_2.issuperset(values)
    pattern = {"phone": rules.phones, "email": rules.emails}.get(name)
    # A value with a line end in it could pass for two good ones; so there must be as many lines as values.
    return pattern is None or (text.count("\n") == len(values) and pattern.fullmatch(text) is not None)


def _reachable(contacts: Sequence[Contact], table: dict[str, list[Any]]) -> bool:
    if any(len(table.get(name, ())) == len(contacts) for name in ("phone", "email")):
        return True
    return all("phone" in contact or "email" in contact for contact in contacts)


def find_errors(contacts: Sequence[Any], columns: Collection[str], rules: Rules) -> list[FieldError]:
    """Everything that is wrong with a batch, in the order of the contacts.

    A contact that brings the list above its columns is at fault, and those before it are not.
    """
    known = set(columns)
    found: list[FieldError] = []
    for index, contact in enumerate(contacts):
        wrong = [FieldError(index, *error) for error in _contact_errors(contact, known, rules)]
        found += wrong
        if not wrong:
            known |= contact.keys()
    return found


def _contact_errors(contact: object, known: set[str], rules: Rules) -> Iterator[tuple[str, str, int, object]]:
    if not isinstance(contact, dict):
        yield "", "a contact must be an object", 400, None
        return
    for column, value in contact.items():
        message = _header_error(column, rules) or _cell_error(column, value, rules)
        if message:
            yield column, message, 400, value
    for column in FLAGS:
        if column not in contact:
            yield column, "is required", 400, None
    if not ("phone" in contact or "email" in contact):
        yield "phone", "a contact needs a phone or an email", 400, None
    for column in _surplus(contact, known, rules):
        yield column, f"a contact list has at most {rules.max_columns} columns", 400, None


def _surplus(contact: Contact, known: set[str], rules: Rules) -> list[str]:
    new = [column for column in contact if column not in known]
    return new[max(0, rules.max_columns - len(known)) :]


def _header_error(column: str, rules: Rules) -> str:
    if not column:
        return "a column must have a name"
    return f"a column name has at most {rules.max_header} characters" if len(column) > rules.max_header else ""


def _cell_error(column: str, value: object, rules: Rules) -> str:
    if column in FLAGS:
        return "" if isinstance(value, bool) else "must be true or false"
    if not isinstance(value, str):
        return "must be a string"
    if len(value) > rules.max_cell:
        return f"a value has at most {rules.max_cell} characters"
    return _format_error(column, value, rules)


def _format_error(column: str, value: str, rules: Rules) -> str:
    if column == "phone" and not rules.phone.fullmatch(value):
        return "must be a phone number in E.164 form"
    if column == "email" and not rules.email.fullmatch(value):
        return "must be an email address"
    if column == "countryCode" and value not in ALPHA_2:
        return "must be an ISO 3166-1 alpha-2 code"
    return ""
