"""The catalogue of reasons: why a row was not delivered, in words for people.

Each reason has a stable code (`field.what`), a title, a sentence that a non-programmer understands, a
remedy, a severity and the bucket in which a row with it ends. `docs/reasons.md` is generated from this
table, and a test fails when the two differ.

Severities: ``error`` keeps the row (or the contact's channel) from leaving; ``warning`` is told, and the row goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dialfeed.contacts.kinds import CALLED, unwanted_code

Severity = Literal["error", "warning"]
Bucket = Literal["invalid", "duplicate", "suppressed", "refused", "failed", "unknown", "none"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One entry of the catalogue.

    Attributes:
        code: Stable and never reused: ``field.what``.
        title: A few words.
        sentence: What is wrong, for a person who does not program. Holds no data of the row.
        remedy: What to do about it.
        severity: ``error`` or ``warning``.
        bucket: Where a row with this reason ends; ``none`` for warnings.
    """

    code: str
    title: str
    sentence: str
    remedy: str
    severity: Severity = "error"
    bucket: Bucket = "invalid"


_REASONS: tuple[Reason, ...] = (
    # --- the row itself -------------------------------------------------------------------------------------------
    Reason(
        "row.too_few_cells",
        "Row has too few cells",
        "The row has fewer cells than the header has columns, so it is not known which cell belongs where.",
        "Add the missing cells (an empty cell is written as nothing between two delimiters). Leave the line out"
        " where it is no contact but a total or the end of a report.",
    ),
    Reason(
        "row.too_many_cells",
        "Row has too many cells",
        "The row has more cells than the header has columns; often an unquoted comma inside a name or an address.",
        "Put quotes around the cell that holds the delimiter.",
    ),
    Reason(
        "row.broken_quotes",
        "Quotes do not match",
        "A quote stands in the middle of a cell, or a quoted cell is not closed where the cell ends.",
        "Put the whole cell in quotes, and double every quote that belongs to the text.",
    ),
    Reason(
        "row.nul_byte",
        "Row holds a NUL byte",
        "The row holds a byte that no text holds (NUL), so the file was damaged or is not plain text there.",
        "Export the row again; if many rows have this reason, save the file as CSV UTF-8.",
    ),
    Reason(
        "row.too_large",
        "Row is too large",
        "The row is larger than a row of contacts can be; often a line end is missing or the file is damaged.",
        "Look for a missing line end or a cell with a whole document in it, and correct it in the source.",
    ),
    Reason(
        "row.not_an_object",
        "Record is not a JSON object",
        "The record is not a JSON object: it is cut off, has a sign too few or too many, or is a list or a bare value.",
        "Write the record as one object, with each field in double quotes.",
    ),
    Reason(
        "row.repeated_field",
        "Record has a field twice",
        "The record has the same field twice, so it is not known which of the two values counts.",
        "Leave one of the two out.",
    ),
    Reason(
        "row.nested",
        "Record holds a list or an object",
        "A field of the record holds a list or an object, and a contact's cell holds a single value.",
        "Give each value a field of its own.",
    ),
    Reason(
        "row.unknown_field",
        "Record has a field that the first ones do not have",
        "The record has a field that none of the first records has, so there is no column for it.",
        "Give the first record this field as well (it may be null), or leave the field out.",
    ),
    Reason(
        "row.not_text",
        "Row holds what is no text",
        "A value of the row is a list, a record, or bytes that are no text.",
        "Turn it into text in the query, or leave it out.",
    ),
    # --- the contact as a whole -----------------------------------------------------------------------------------
    Reason(
        "contact.no_channel",
        "Neither phone nor e-mail",
        "The row has neither a phone number nor an e-mail address, so there is no way to reach the person.",
        "Add a phone number or an e-mail address.",
    ),
    Reason(
        "duplicate.same_identity",
        "Same contact as an earlier row",
        "An earlier row of the file has the same external id, phone number and e-mail address.",
        "Nothing needs to be done; the earlier row is the one that counts.",
        bucket="duplicate",
    ),
    # --- who may not be reached -----------------------------------------------------------------------------------
    Reason(
        "suppressed.do_not_call",
        "May not be called",
        "The row says that this phone number may not be called.",
        "Leave it; where the row is wrong, correct it at its source.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.do_not_email",
        "May not be written to",
        "The row says that this e-mail address may not be used.",
        "Leave it; where the row is wrong, correct it at its source.",
        bucket="suppressed",
    ),
    # --- do-not-call lists ----------------------------------------------------------------------------------------
    Reason(
        "suppressed.do_not_call_elsewhere",
        "Another row says it may not be called",
        "Another row of the file says that this phone number may not be called, and that goes for the number.",
        "Leave it; where that other row is wrong, correct it at its source.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.do_not_email_elsewhere",
        "Another row says it may not be written to",
        "Another row of the file says that this e-mail address may not be used, and that goes for the address.",
        "Leave it; where that other row is wrong, correct it at its source.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.internal_dnc",
        "Asked the company not to be contacted",
        "The number or address is on the company's own do-not-call list, because its owner asked for that.",
        "Leave it; `dialfeed dnc check` shows when it was asked.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.internal_dnc_scope",
        "Asked the company not to be contacted about this",
        "The owner asked not to be contacted about a certain topic, and this run has that topic or names none.",
        "Name the run's topic with --topic if it is another one; else leave it.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.wants_nothing",
        "Asked to hear nothing any more",
        "The person asked the company not to be contacted in any way, by this number or address or by another of the "
        "contact's.",
        "Leave it; `dialfeed dnc check` shows when it was asked.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.opted_out_since",
        "Opted out while the run went on",
        "The number or address came onto the company's own do-not-call list after the scrub and before the contact was "
        "sent, so the contact was not sent.",
        "Leave it; `dialfeed dnc check` shows when it was asked. A contact that has another number or address can be "
        "imported again from suppressed.csv for that one: it is scrubbed anew.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.account_excluded",
        "Account is excluded",
        "The contact's externalId is on a list of accounts that are not to be contacted.",
        "Leave it; the list says who put it there.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.litigator",
        "On the list of litigators",
        "The number is on a list of people who take callers to court.",
        "Leave it.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.custom_list",
        "On one of the company's lists",
        "The number is on a list that the company has loaded as not to be called.",
        "Leave it; `dialfeed dnc check` names the list.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.email_suppressed",
        "Address on a suppression list",
        "The e-mail address is on a suppression list.",
        "Leave it.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.national_dnc",
        "On a national do-not-call list",
        "The number is registered on a national do-not-call list.",
        "Leave it, or name the exemption that you can prove with --exempt.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.state_dnc",
        "On a state's do-not-call list",
        "The number is registered on the do-not-call list of a state.",
        "Leave it, or name the exemption that you can prove with --exempt.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.reassigned",
        "Number belongs to somebody else now",
        "The database of reassigned numbers says that the number was given to another person since.",
        "Ask the contact for the number that is right now.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.no_data",
        "No answer about the number",
        "The register that was asked has no answer for this number, so a person has to look at it.",
        "Ask for the number again, or call it only after you have made sure whose it is.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.list_missing",
        "Do-not-call list is missing",
        "A do-not-call list that this run must be scrubbed against is not there, so nothing could be checked.",
        "Load the list with `dialfeed dnc add`, then import again.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.list_damaged",
        "Do-not-call list is damaged",
        "A do-not-call list is damaged where this number would stand, so it could not be checked.",
        "Load the list again with `dialfeed dnc update`, then import again.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.list_stale",
        "Do-not-call list is too old",
        "A do-not-call list is older than it may be, so it clears nobody any more.",
        "Obtain the list anew, load it with `dialfeed dnc update`, then import again.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.list_not_covered",
        "Area code was not obtained",
        "The do-not-call list was not obtained for the area code of this number, so it could not be checked.",
        "Obtain the list for this area code, or state an exception with --uncovered allow --because.",
        bucket="suppressed",
    ),
    Reason(
        "suppressed.no_list_covers",
        "No list covers this number",
        "None of the do-not-call lists of this run speaks of numbers like this one, so it could not be checked.",
        "Name a list of that country or state, or state an exception with --uncovered allow --because.",
        bucket="suppressed",
    ),
    Reason(
        "exempt.ebr_purchase",
        "Exempt: bought recently",
        "The number is on a list and was let through all the same, because its owner has bought recently enough.",
        "Keep the evidence: the run has recorded where it is.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "exempt.ebr_inquiry",
        "Exempt: asked recently",
        "The number is on a list and was let through all the same, because its owner has inquired recently enough.",
        "Keep the evidence: the run has recorded where it is.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "exempt.consent",
        "Exempt: has consented",
        "The number is on a list and was let through all the same, because its owner has consented, with proof.",
        "Keep the evidence: the run has recorded where it is.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "exempt.b2b",
        "Exempt: business",
        "The number is on a list and was let through all the same, because it is said to be a business.",
        "Keep the evidence: the run has recorded where it is.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "exempt.later_consent",
        "Exempt: consented later",
        "The owner had asked not to be contacted, and has consented since, with proof.",
        "Keep the evidence: the run has recorded where it is.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "exempt.uncovered",
        "Exempt: no list covers it",
        "No list covers the number, and the run states an exception for such numbers.",
        "Keep the evidence: the run has recorded where it is.",
        severity="warning",
        bucket="none",
    ),
    # --- end of do-not-call lists ---------------------------------------------------------------------------------
    # --- what the platform did ------------------------------------------------------------------------------------
    Reason(
        "refused.by_platform",
        "Refused by the platform",
        "The platform did not take this contact.",
        "Correct what it names, and import the row again.",
        bucket="refused",
    ),
    Reason(
        "refused.duplicate_key",
        "On the list already",
        "The platform says that a contact with this key is on the list already.",
        "Nothing needs to be done if that is so; else give the contact another key.",
        bucket="refused",
    ),
    Reason(
        "refused.too_large",
        "Too large for the platform",
        "The platform does not take a contact as large as this.",
        "Shorten the long cells, or leave columns out.",
        bucket="refused",
    ),
    Reason(
        "failed.not_sent",
        "Not sent",
        "The contact is fit to load, but it was not sent before the run ended.",
        "Go on as the end of the run says: often with `dialfeed resume`.",
        bucket="failed",
    ),
    Reason(
        "unknown.answer_lost",
        "Not known whether it arrived",
        "The contact was sent and no answer came, and the list's count does not tell whether it arrived.",
        "Settle the run, or look on the platform before the row is imported again.",
        bucket="unknown",
    ),
    # --- cells and text --------------------------------------------------------------------------------------------
    Reason(
        "cell.too_long",
        "Cell is too long",
        "A cell has more characters than the platform takes.",
        "Shorten the text, or leave the column out of the mapping.",
    ),
    # --- e-mail addresses ------------------------------------------------------------------------------------------
    Reason(
        "email.no_at",
        "No @-sign in the e-mail address",
        "The cell holds text, but no @-sign, so it is not an e-mail address.",
        "Enter the whole address, or empty the cell if there is none.",
    ),
    Reason(
        "email.several_addresses",
        "Several e-mail addresses",
        "The cell holds more than one address, and it is not known which is meant.",
        "Keep one address in the cell.",
    ),
    Reason(
        "email.spaces",
        "Blank inside the e-mail address",
        "There is a blank inside the address; it may be one to take out, or a letter that was lost.",
        "Correct the address.",
    ),
    Reason(
        "email.too_long",
        "E-mail address is too long",
        "The address has more than 254 characters, so no mail system takes it; often two cells ran together.",
        "Correct the address.",
    ),
    Reason(
        "email.reserved_domain",
        "Address that cannot exist",
        "The part after the @-sign is a name reserved for tests or local networks; no mail arrives there.",
        "Enter the person's real address, or empty the cell.",
    ),
    Reason(
        "email.bad_domain",
        "Part after the @-sign is wrong",
        "The part after the @-sign cannot be a domain: it is empty, has no dot or holds a character not allowed there.",
        "Correct the part after the @-sign.",
    ),
    Reason(
        "email.bad_name",
        "Part before the @-sign is wrong",
        "The part before the @-sign is empty, has a misplaced dot, or holds a character that is not allowed.",
        "Correct the part before the @-sign.",
    ),
    Reason(
        "email.invalid",
        "Not an e-mail address",
        "The cell cannot be read as an e-mail address; often there are two @-signs.",
        "Correct the address, or empty the cell.",
    ),
    Reason(
        "email.display_name",
        "Name taken off the e-mail address",
        "The cell held a name and an address in angle brackets; the address was taken out.",
        "Nothing needs to be done.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "email.text_marker",
        "Text marker taken off the e-mail address",
        "The address stood behind an apostrophe or in quotes, which a spreadsheet uses to mark text.",
        "Nothing needs to be done.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "email.disposable",
        "Throw-away e-mail address",
        "The address belongs to a service whose mailboxes are thrown away after minutes.",
        "Ask the person for another address if the campaign relies on e-mail.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "email.role",
        "E-mail address of a desk",
        "The address seems to belong to a desk, such as info@ or sales@, rather than to one person.",
        "Check whether the campaign may write to a desk.",
        severity="warning",
        bucket="none",
    ),
    # --- countries -------------------------------------------------------------------------------------------------
    Reason(
        "country.unknown",
        "Country is not known",
        "The cell is no country's code, name or dialling code.",
        "Use the two-letter code, such as US, GB or DE.",
    ),
    Reason(
        "country.ambiguous",
        "Several countries are possible",
        "The cell stands for more than one country, as +1 does for the United States and Canada.",
        "Use the two-letter code, such as US or CA. If the whole file is of one country, leave the column out with "
        "--map COLUMN=- and state it: --set countryCode=US.",
    ),
    Reason(
        "country.ambiguous_number",
        "Number stands for several countries",
        "The number is one country's dialling code and another's number in ISO 3166, as 380 is for Ukraine and Italy.",
        "Use the two-letter code, such as UA or IT; or write a dialling code with its plus, such as +380. If the whole "
        "file is of one country, leave the column out with --map COLUMN=- and state it: --set countryCode=UA.",
    ),
    # --- flags -----------------------------------------------------------------------------------------------------
    Reason(
        "flag.missing",
        "Flag is missing",
        "The cell is empty, and whether a person may be called or written to is never guessed.",
        "Enter true or false. Where an empty cell means the same in the whole file, state it: --if-empty"
        " doNotCall=false, for example.",
    ),
    Reason(
        "flag.unreadable",
        "Flag cannot be read",
        "The cell is neither a yes nor a no.",
        "Enter true or false.",
    ),
    # --- the header ------------------------------------------------------------------------------------------------
    Reason(
        "header.two_columns_for_one_field",
        "Two columns for one field",
        "Two columns of the header could each be the same contact field.",
        "Choose one with --map COLUMN=field.",
        bucket="none",
    ),
    Reason(
        "header.no_channel",
        "No phone and no e-mail column",
        "No column of the header is a phone or an e-mail address.",
        "Name the column with --map COLUMN=phone or --map COLUMN=email.",
        bucket="none",
    ),
    Reason(
        "header.no_flag",
        "Flag column is missing",
        "No column of the header is doNotCall, or none is doNotEmail; every contact must have both.",
        "Add the column, or name the one that holds it with --map COLUMN=field.",
        bucket="none",
    ),
    Reason(
        "header.looks_like_data",
        "Header is missing",
        "The first row looks like a contact rather than a header.",
        "Put a row with the names of the columns above the first contact.",
        bucket="none",
    ),
    Reason(
        "header.duplicate_name",
        "Two columns with one name",
        "Two columns would be sent to the platform under the same name.",
        "Rename one in the source, or leave it out with --map COLUMN=-.",
        bucket="none",
    ),
    Reason(
        "header.blank_name",
        "Column without a name",
        "A column has no name in the header, and will not be sent.",
        "Give it a name if the campaign needs it.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "header.too_long",
        "Column name is too long",
        "The name of a column has more characters than the platform takes.",
        "Shorten the name, or leave the column out with --map COLUMN=-.",
        bucket="none",
    ),
    Reason(
        "header.too_many_columns",
        "Too many columns",
        "The mapping sends more columns than a contact list of the platform has.",
        "Leave columns out with --map COLUMN=-.",
        bucket="none",
    ),
    Reason(
        "header.unknown_column",
        "Mapping names an unknown column",
        "The mapping names a column that the source does not have.",
        "Compare the name with the header.",
        bucket="none",
    ),
    Reason(
        "header.unknown_field",
        "Mapping names an unknown field",
        "The mapping names a contact field that does not exist.",
        "Use one of the contact fields, or - to leave the column out.",
        bucket="none",
    ),
    Reason(
        "header.stated_and_mapped",
        "Stated for all rows, and in a column",
        "A field is stated for all rows, and a column of the header is that field as well.",
        "Leave out the statement, or the column with --map COLUMN=-.",
        bucket="none",
    ),
    Reason(
        "header.by_values",
        "Column known by its values",
        "No name in the header tells which column is the phone or the e-mail address; the values of one column do.",
        "Confirm it with --map COLUMN=field.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "header.not_used",
        "Column of phones or addresses not used",
        "A column holds phone numbers or e-mail addresses, but by its name it is none, and no other column is one.",
        "If it is one, say so with --map COLUMN=phone or --map COLUMN=email.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "header.unasked",
        "Numbers would leave unasked",
        "A column beside the contact's own phone or e-mail column holds numbers or addresses, and they would be sent"
        " without a look at the do-not-call lists that the run names.",
        "Say with --phone-order or --email-order that they are the contact's as well, leave the column out with"
        " --map COLUMN=-, or let it pass with --map COLUMN=asIs where they are not the contact's.",
        bucket="none",
    ),
    Reason(
        "header.passes_unasked",
        "Numbers pass through unasked",
        "A column beside the contact's own phone or e-mail column holds numbers or addresses, and they are sent"
        " whatever the row's flags say.",
        "Say with --phone-order or --email-order that they are the contact's as well, leave the column out with"
        " --map COLUMN=-, or let it pass with --map COLUMN=asIs where they are not the contact's.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "header.empty_flag",
        "Flag is often empty",
        "In many rows the cell that says whether the person may be called or written to is empty, and what that means"
        " is never guessed, so these rows are rejected.",
        "Where an empty cell means no, state it with --if-empty doNotCall=false or doNotEmail=false; else fill the"
        " column.",
        severity="warning",
        bucket="none",
    ),
    # --- names ---------------------------------------------------------------------------------------------------
    Reason(
        "name.not_split",
        "Full name left whole",
        "The full name can be cut into first and last name in more than one way; it was kept whole as the last name.",
        "Put first and last name into columns of their own, or write Last, First.",
        severity="warning",
        bucket="none",
    ),
    # --- several columns for one channel ---------------------------------------------------------------------------
    Reason(
        "phone.other_unusable",
        "One of several phone numbers left out",
        "The row has a usable phone number, and another one that is not valid and was left out.",
        "Correct the other number at its source if the campaign relies on it.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "email.other_unusable",
        "One of several e-mail addresses left out",
        "The row has a usable e-mail address, and another one that is not valid and was left out.",
        "Correct the other address at its source if the campaign relies on it.",
        severity="warning",
        bucket="none",
    ),
    # --- places ----------------------------------------------------------------------------------------------------
    Reason(
        "zip.repaired",
        "ZIP code repaired",
        "The ZIP code had lost its leading zero, or gained decimals, in a spreadsheet, and was repaired.",
        "Format the column as text, so that nothing needs to be repaired.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "zip.blanked",
        "ZIP code left out",
        "The cell is no ZIP code of the United States and was left out: a wrong one shortens the hours for calls.",
        "Correct the ZIP code at its source.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "state.unknown",
        "State is not known",
        "The cell is no state or territory of the United States; it was sent as it is.",
        "Use the two-letter code, such as NY or CA.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "postal.unknown",
        "Postal code is not known",
        "The cell is no postal code of Canada; it was sent as it is.",
        "Correct the postal code at its source; it looks like K1A 0B1.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "province.unknown",
        "Province is not known",
        "The cell is no province or territory of Canada; it was sent as it is.",
        "Use the two-letter code, such as ON or QC.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "zone.unknown",
        "Time zone is not known",
        "The cell is no name of a time zone; it was sent as it is.",
        "Use a name such as America/New_York or Europe/Berlin.",
        severity="warning",
        bucket="none",
    ),
    # --- calling hours --------------------------------------------------------------------------------------------
    Reason(
        "hours.narrowed",
        "May be called in narrower hours only",
        "It is not certain where the person is, so only those hours are left that are legal wherever it may be.",
        "Add the ZIP code, the state or the time zone of the contact.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "hours.zone_unknown",
        "Place not known",
        "Neither the number nor the address tells where the person is, so only a few hours are safe, or none at all.",
        "Add a ZIP code, a state or a time zone to the row.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "hours.zone_multiple",
        "More than one time zone possible",
        "What is known of the person fits several time zones; only the hours that are allowed in all of them count.",
        "Add a ZIP code or a time zone to the row, or correct what contradicts it.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "hours.zip_phone_conflict",
        "Address and number are in different time zones",
        "The address and the phone number lie in different time zones; only the hours that both allow count.",
        "Check the address; a number that moved with its owner is fine as it is.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "hours.place_conflict",
        "Time zone, ZIP code and state contradict one another",
        "The row's time zone, ZIP code and state cannot all be right; the hours are those that each of them allows.",
        "Correct the one that is wrong in the source.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "hours.closed_day",
        "No calls on this day",
        "A law that may hold for this person allows no calls on this day: a Sunday, a holiday or a declared emergency.",
        "Call on another day; `dialfeed hours` with the number tells which law it is.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "hours.no_common_window",
        "No hour is allowed everywhere the person may be",
        "The places where this person may be leave no hour of the day that the laws of all of them allow.",
        "Add a ZIP code or a time zone to the row, or correct what contradicts it.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "hours.split_window",
        "Allowed in several stretches of the day",
        "Calls are allowed in more than one stretch of the day; the longest is the one that is told.",
        "Nothing needs to be done; `dialfeed hours` with the number tells all of them.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "hours.genesys_zip_trap",
        "The ZIP code would shorten the hours at Genesys Cloud",
        "With automatic time zone mapping, Genesys Cloud would give this contact fewer hours than without a ZIP code.",
        "Correct the ZIP code, or leave it empty for Genesys Cloud.",
        severity="warning",
        bucket="none",
    ),
    # --- phone numbers: what the cell holds -----------------------------------------------------------------------
    Reason(
        "phone.not_a_number",
        "Not a phone number",
        "The cell holds something else than a phone number.",
        "Put a phone number there, or leave the cell empty.",
    ),
    Reason(
        "phone.precision_lost",
        "Digits were lost",
        "A spreadsheet wrote the number in scientific notation and rounded it, so its last digits are gone.",
        "Format the column as text (or as a number without decimals), and export it again from the original.",
    ),
    Reason(
        "phone.fraction",
        "Decimal fraction",
        "The cell holds a number with digits behind the decimal point, which no phone number has.",
        "Look up the phone number in the original, and format the column as text.",
    ),
    Reason(
        "phone.negative",
        "Negative number",
        "The cell holds a negative number; often a spreadsheet took the hyphens of a phone number for minus signs.",
        "Look up the phone number in the original, and format the column as text.",
    ),
    Reason(
        "phone.date",
        "Date",
        "The cell holds a date; often a spreadsheet took a phone number for one.",
        "Look up the phone number in the original, and format the column as text.",
    ),
    Reason(
        "phone.formula",
        "Formula",
        "The cell holds a formula of a spreadsheet, and formulas are never calculated here.",
        "Replace the formula with its value (paste as values), and export the sheet again.",
    ),
    Reason(
        "phone.spreadsheet_error",
        "Error value of a spreadsheet",
        "The cell holds an error such as #N/A or #REF! in place of a phone number.",
        "Correct the formula in the sheet, or leave the cell empty.",
    ),
    Reason(
        "phone.masked",
        "Digits are hidden or missing",
        "Some digits of the number are replaced by signs such as X, * or #, or left out with dots.",
        "Export the number with all its digits; the account that exports may lack the right to see them.",
    ),
    Reason(
        "phone.annotated",
        "Words beside the number",
        "The cell holds words besides the number, and they may mean that it should not be called.",
        "Leave nothing but the number in the cell, and put the remark into a column of its own.",
    ),
    Reason(
        "phone.several_numbers",
        "Several numbers in one cell",
        "The cell seems to hold more than one number, and it is not known which one is meant.",
        "Leave one number in the cell, and put the others into columns of their own.",
    ),
    Reason(
        "phone.ambiguous",
        "Two readings are possible",
        "The cell can be read as two different phone numbers, and only one of them belongs to this person.",
        "Write the number with a plus and the country's calling code, such as +49 or +1.",
    ),
    # --- phone numbers: what the number is ------------------------------------------------------------------------
    Reason(
        "phone.no_country",
        "Country is not known",
        "The number is written without a country's calling code, and the row names no country.",
        "Write the number with a plus and the calling code, or name the country in the row, or for the whole file with"
        " --default-country.",
    ),
    Reason(
        "phone.unknown_country_code",
        "No such calling code",
        "The number begins with a calling code that no country has.",
        "Correct the digits behind the plus.",
    ),
    Reason(
        "phone.no_area_code",
        "Area code is missing",
        "The number is long enough for a call within a town, but not without its area code.",
        "Add the area code.",
    ),
    Reason(
        "phone.too_short",
        "Too short",
        "The number has fewer digits than any phone number of its country.",
        "Add the missing digits.",
    ),
    Reason(
        "phone.too_long",
        "Too long",
        "The number has more digits than any phone number of its country.",
        "Remove the surplus digits; look for two numbers in one cell.",
    ),
    Reason(
        "phone.invalid",
        "No such number",
        "The number looks like one, but its country has no number that begins like this or has this many digits.",
        "Check the number and its country against the original.",
    ),
    Reason(
        "phone.service_code",
        "Exchange is a service code",
        "The middle three digits of the North American number are a service code (211 to 911), which no one has.",
        "Check the number against the original.",
    ),
    Reason(
        "phone.leading_zero_lost",
        "Leading zero is missing",
        "In this country the zero in front belongs to the number, and a spreadsheet seems to have dropped it.",
        "Format the column as text and export it again, so that the zero stays.",
    ),
    Reason(
        "phone.former_form",
        "Written as in the past",
        "The number is written as it was before its country changed its numbers, or as it is dialled within a town.",
        "Write it as today: in Brazil with a 9 before a mobile number, in Benin with 01 in front, in Ivory Coast with "
        "ten digits, in Argentina with the area code in place of 15.",
    ),
    # --- phone numbers: what was repaired -------------------------------------------------------------------------
    *(
        Reason(
            unwanted_code(kind),
            f"Not wanted: {called}",
            f"The number is a {called}, and numbers of this kind are not wanted here.",
            f"Give another number of the person, or take {kind} out of --reject-kinds.",
        )
        for kind, called in CALLED.items()
    ),
    Reason(
        "phone.repaired_decimal",
        "Decimals removed",
        "The number had gone through a number format (such as .0 behind it or commas in it); its digits are all there.",
        "Format the column as text, so that nothing needs to be repaired.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "phone.repaired_scientific",
        "Scientific notation undone",
        "The number was in scientific notation with all of its digits, and is written out again.",
        "Format the column as text: with a digit less, the number would have been lost.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "phone.repaired_text_marker",
        "Text marker removed",
        "The number stood behind an apostrophe or in quotes, which a spreadsheet uses to mark text.",
        "Nothing needs to be done.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "phone.repaired_plus",
        "Plus sign added",
        "The number began with the country's calling code without a plus, and only with the plus is it a number.",
        "Write international numbers with a plus.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "phone.repaired_trunk_zero",
        "Leading zero added",
        "The number is one only with a zero in front, which a spreadsheet seems to have dropped.",
        "Format the column as text, so that the zero stays.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "phone.repaired_former_prefix",
        "Former prefix removed",
        "The number had a 1, 01, 044 or 045 in front, which Mexico has given up; the ten digits behind are the number.",
        "Write Mexican numbers as +52 and ten digits.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "phone.annotation_dropped",
        "Label beside the number dropped",
        "A word such as home or mobile stood beside the number and was left out.",
        "Nothing needs to be done.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "phone.extension_dropped",
        "Extension dropped",
        "The number had an extension, which a dialer cannot dial; the call reaches the main number.",
        "Add a direct number where there is one.",
        severity="warning",
        bucket="none",
    ),
    Reason(
        "phone.vanity",
        "Letters read as digits",
        "The number was written with letters, and they were read as the digits of the keypad.",
        "Write the number in digits.",
        severity="warning",
        bucket="none",
    ),
    # --- end of phone numbers -------------------------------------------------------------------------------------
)


def _withheld(reason: Reason) -> Reason:
    """The reason of an endpoint that was taken from a contact which goes on, for that of a suppressed contact."""
    return Reason(
        reason.code.replace("suppressed.", "withheld.", 1),
        f"Withheld: {reason.title[0].lower()}{reason.title[1:]}",
        f"{reason.sentence} The contact goes on without it, since another way to reach the person is left.",
        reason.remedy,
        severity="warning",
        bucket="none",
    )


_OF_WHOLE_CONTACTS = frozenset({"suppressed.opted_out_since"})
"""Reasons for which a contact does not go on without the endpoint, whatever else it has."""

CATALOGUE: tuple[Reason, ...] = (
    *_REASONS,
    *(
        _withheld(reason)
        for reason in _REASONS
        if reason.bucket == "suppressed" and reason.code not in _OF_WHOLE_CONTACTS
    ),
)
"""Every reason there is."""

BY_CODE: dict[str, Reason] = {reason.code: reason for reason in CATALOGUE}
