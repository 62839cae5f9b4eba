"""Names of columns: what counts when two are compared, and which contact field a name in common use stands for."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from dialfeed.contacts.fields import (
    AS_IT_IS,
    CONTACT_FIELDS,
    COUNTRY_CODE,
    DO_NOT_CALL,
    DO_NOT_EMAIL,
    EMAIL,
    EXTERNAL_ID,
    FIRST_NAME,
    FULL_NAME,
    LAST_NAME,
    PHONE,
)
from dialfeed.contacts.text import clean_text

SYNONYMS: Final[Mapping[str, str]] = {
    EXTERNAL_ID: """
        id, customer id, customer number, customer no, client id, client number, contact id, crm id, guid, lead id,
        member id, person id, record id, subscriber id, uid, unique id, user id, uuid,
        id cliente, id de cliente, id contacto, id de contacto, número de cliente, código cliente, código de cliente,
        identifiant, identifiant client, id client, id contact, numéro client, numéro de client,
        kundennummer, kundennr, kunden id, kontakt id, kontaktnummer, mitgliedsnummer,
        id do cliente, id do contato, id do contacto, número do cliente, código do cliente""",
    FIRST_NAME: """
        first, fname, given name, given names, forename, christian name,
        nombre, nombres, nombre de pila, primer nombre, prénom, prénoms, vorname, vornamen,
        nome, primeiro nome, nome próprio""",
    LAST_NAME: """
        last, lname, surname, family name, apellido, apellidos, primer apellido, nom, nom de famille,
        nachname, familienname, zuname, sobrenome, último nome""",
    PHONE: """
        phone number, phone no, phone num, phonenr, primary phone, home phone, work phone, business phone,
        contact number, contact phone, contact phone number, msisdn,
        telephone, telephone number, telephone no, tel, tel no, tel number,
        mobile, mobile number, mobile no, mobile phone, mobile phone number, cell, cell number, cell phone,
        cell phone number,
        teléfono, número de teléfono, número teléfono, número telefónico, nº teléfono, nº de teléfono, teléfono móvil,
        móvil, número de móvil, celular, número celular, número de celular, teléfono celular,
        numéro de téléphone, numéro téléphone, n téléphone, n de téléphone, téléphone portable,
        téléphone mobile, portable, numéro de portable, numéro portable,
        telefon mobil, telefon privat, telefon festnetz, telefon geschäftlich, festnetz, festnetznummer,
        telefon, telefonnummer, telefonnr, tel nr, rufnummer, handy, handynummer, handynr, mobil, mobilnummer, mobilnr,
        mobiltelefon, mobilfunknummer,
        telefone, número de telefone, número do telefone, telefone celular, telefone móvel, telemóvel,
        número de telemóvel""",
    EMAIL: """
        email address, email id, mail, mail address, primary email, work email, contact email,
        correo, correo electrónico, correo e, dirección de correo, dirección de correo electrónico, dirección de email,
        courriel, adresse email, adresse mail, adresse courriel, adresse électronique, adresse de courriel,
        email adresse, mail adresse, endereço de email, endereço email, correio eletrónico""",
    COUNTRY_CODE: """
        country, country iso, country iso code, iso country, iso country code, iso2, nation,
        land, ländercode, länderkennung, länderkennzeichen, ländercode iso, staat,
        país, código país, código de país, código del país, pays, code pays, code du pays, código do país""",
    DO_NOT_CALL: """
        dnc, do not phone, dont call, no call, no calls, do not call flag, dnc flag,
        opt out phone, opt out call, opt out calls, phone opt out, call opt out, opted out of calls,
        no llamar, no llame, ne pas appeler, ne pas téléphoner, nicht anrufen, keine anrufe, anrufsperre, telefonsperre,
        não ligar, não chamar, não telefonar""",
    DO_NOT_EMAIL: """
        dne, dont email, no email, no emails, do not email flag, do not send email,
        opt out email, opt out emails, email opt out, opted out of email, has opted out of email,
        unsubscribe, unsubscribed, unsubscribed from all email, email unsubscribed,
        no enviar correo, no enviar correos, no enviar email, no enviar correo electrónico,
        ne pas envoyer de mail, ne pas envoyer de courriel, désabonné, désinscrit,
        keine email, keine emails, keine mail, keine mails, nicht anmailen, abgemeldet,
        não enviar email, não enviar emails, não enviar correio eletrónico, descadastrado""",
}
"""Names in common use for each contact field, in English, Spanish, French, German and Portuguese.

A name stands here only if it has one meaning: not "name" (which?), "do not contact" (by which channel?), "account id"
(shared by the people of a company) or "opt in" (the opposite of our flags).
"""

FULL_NAMES: Final = """
    full name, contact name, customer name, name and surname, first and last name, first name last name, complete name,
    nombre completo, nombre y apellidos, nom complet, nom et prénom, prénom et nom,
    vollständiger name, vor und nachname, vorname und nachname, vorname nachname, ganzer name,
    nome completo, nome e sobrenome, nome e apelido"""
"""Names of a column that holds first and last name together, in the same languages."""

_NUMBERED: Final = re.compile(
    "(c|col|colonne|column|columna|coluna|campo|champ|f|feld|field|spalte|unnamed|v|value|var|variable|x)?[0-9]+"
)

_NEUTRALISED: Final = re.compile("^'(?=[-=+@\uff0d\uff1d\uff0b\uff20])")


def header_fingerprint(header: Sequence[str]) -> str:
    """Compute the SHA-256 in hex over the cleaned names, kept apart from one another and in their order."""
    return hashlib.sha256(json.dumps(clean_names(header)).encode()).hexdigest()


def match_key(name: str) -> str:
    """Reduce a name to what counts when two names are compared: its letters and digits, without case and accents."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(filter(str.isalnum, letters))


def is_numbered(name: str) -> bool:
    """Tell whether a name only counts columns (``Col7``, ``F3``, ``Spalte 2``), so that it speaks for no meaning."""
    return _NUMBERED.fullmatch(match_key(name)) is not None


def clean_names(header: Sequence[str]) -> list[str]:
    """Clean names like any text; "" where nothing is left.

    The quote that a people's file puts before a formula character (`compliance.md` section 8) comes off again.
    """
    cleaned = clean_text(pl.Series(header, dtype=pl.String)).fill_null("")
    return [_NEUTRALISED.sub("", name) for name in cleaned]


FIELD_BY_KEY: Final = {match_key(field): field for field in CONTACT_FIELDS}
TARGET_BY_KEY: Final = {**FIELD_BY_KEY, match_key(FULL_NAME): FULL_NAME, match_key(AS_IT_IS): AS_IT_IS}
FULL_NAME_KEYS: Final = frozenset(match_key(name) for name in FULL_NAMES.split(","))
FIELD_BY_SYNONYM: Final = {
    match_key(synonym): field for field, synonyms in SYNONYMS.items() for synonym in synonyms.split(",")
}
