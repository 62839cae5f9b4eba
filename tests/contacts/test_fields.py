"""The contact fields are those of the platform's body, in its order."""

from __future__ import annotations

from dialfeed.contacts import fields


def test_fields_stand_in_the_order_of_the_body() -> None:
    assert fields.CONTACT_FIELDS == (
        "externalId",
        "firstName",
        "lastName",
        "phone",
        "email",
        "countryCode",
        "doNotCall",
        "doNotEmail",
    )


def test_identity_is_hashed_in_a_fixed_order() -> None:
    assert fields.IDENTITY_FIELDS == ("externalId", "phone", "email")


def test_every_kind_of_field_is_a_contact_field() -> None:
    kinds = {*fields.IDENTITY_FIELDS, *fields.CHANNEL_FIELDS, *fields.FLAG_FIELDS, *fields.NAME_FIELDS}
    assert kinds | {fields.COUNTRY_CODE} == set(fields.CONTACT_FIELDS)


def test_no_contact_field_is_reserved() -> None:
    assert fields.RESERVED_COLUMNS.isdisjoint(fields.CONTACT_FIELDS)
    assert all(name.startswith("_") and name == name.lower() for name in fields.RESERVED_COLUMNS)
