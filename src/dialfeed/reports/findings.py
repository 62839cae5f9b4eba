"""The catalogue of findings: what a run may remark on as a whole, in words for people.

A reason is about a row (`contacts/reasons.py`), a finding about a run. Each has a stable code (`area.what`). A run
tells what was found in it; what the code means in any run stands here, and `docs/findings.md` is made from this table.
What is found in a header has the code of a reason (`header.…`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from dialfeed.reports.summary import Finding

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One entry of the catalogue.

    Attributes:
        code: Stable and never reused: ``area.what``.
        title: A few words.
        sentence: What it means, for a person who does not program.
        remedy: What to do about it.
        severity: ``error``, ``warning`` or ``info``, unless a run has cause to tell another.
    """

    code: str
    title: str
    sentence: str
    remedy: str
    severity: Severity = "warning"


CATALOGUE: Final[tuple[Kind, ...]] = (
    # --- the source and its mapping -----------------------------------------------------------------------------------
    Kind(
        "source.blank_lines",
        "Blank lines were passed over",
        "Lines without any content are no contacts. They count in the row numbers, so that those are the line numbers.",
        "Nothing, unless you expected a contact there.",
        "info",
    ),
    Kind(
        "source.hidden_rows",
        "Hidden rows were read",
        "Rows that are hidden in the sheet, by a filter or by hand, were read and loaded like the others.",
        "If they should not be called, delete them in the sheet; hiding them is not enough.",
    ),
    Kind(
        "source.hidden_columns",
        "Hidden columns were read",
        "Columns that are hidden in the sheet were read like the others, and are sent unless they are left out.",
        "Leave a column out with --map COLUMN=- if the platform should not have it.",
    ),
    Kind(
        "source.hidden_sheets",
        "Hidden sheets were not read",
        "The workbook has sheets that are hidden. One sheet is read, and it was none of these.",
        "If the contacts are in one of them, name it with --sheet.",
        "info",
    ),
    Kind(
        "source.formulas",
        "Cells are results of formulas",
        "Formulas are not worked out; the cell holds what it showed when the workbook was last saved.",
        "Open and save the workbook where its values may be old.",
        "info",
    ),
    Kind(
        "source.uncalculated",
        "Formulas without a result",
        "The program that wrote the workbook left its formulas for Excel to calculate, so their results are not there.",
        "Open the workbook in Excel or LibreOffice, save it, and give in what was saved.",
    ),
    Kind(
        "source.merged_cells",
        "Merged cells",
        "Of cells that were merged only the first has a value; the others are read as empty.",
        "Undo the merging in the sheet, and fill each cell.",
    ),
    Kind(
        "mapping.reused",
        "A mapping was used again",
        "A file with this header was mapped by hand before, and the same mapping was used.",
        "`dialfeed map FILE` shows it, and --forget forgets it.",
        "info",
    ),
    Kind(
        "mapping.drift",
        "The file is not like the last one",
        "The columns of the file differ from those that the list was last loaded from.",
        "Look at the differences; `dialfeed map FILE --list LIST` shows both.",
    ),
    Kind(
        "retry.passed_over",
        "Rows of the retry were passed over",
        "A retry loads each row that the first run left open once. Other rows of its file were not loaded.",
        "Look at the rows that are named; to load other contacts, import them as a file of their own.",
    ),
    # --- the scrub ----------------------------------------------------------------------------------------------------
    Kind(
        "scrub.list_unusable",
        "A do-not-call list could not be used",
        "A list is missing, damaged or too old. Contacts that only this list could have cleared were withheld.",
        "`dialfeed dnc status` names it. Update it, then import suppressed.csv.",
        "error",
    ),
    Kind(
        "scrub.key_lost",
        "The key of the pseudonyms is missing",
        "People who opted out while the run went on were not sent, but the evidence of it could not be written.",
        "Put the key back from a backup; or, for new evidence, make another: `dialfeed evidence --new-key`.",
    ),
    # --- before the first batch ---------------------------------------------------------------------------------------
    Kind(
        "preflight.no_count",
        "The platform tells no count",
        "The platform does not tell how many contacts the list has, so nobody knows how much room is left.",
        "Look at the list on the platform where it may be full.",
    ),
    Kind(
        "history.not_written",
        "The list's history could not be written",
        "Each run is compared with those before it. This one could not be written down, so the next will not know it.",
        "See that DIALFEED_HOME can be written to and is not full.",
    ),
    # --- lost answers -------------------------------------------------------------------------------------------------
    Kind(
        "settle.not_alone",
        "Another run was loading the list",
        "A lost answer is settled by the list's count, and another run was changing that count at the same time.",
        "Wait until the other run has ended, then `dialfeed settle RUN`.",
    ),
    Kind(
        "settle.other_run",
        "Another run may have loaded contacts",
        "An earlier run does not know of all its contacts whether they are on the list, so the count settles nothing.",
        "Bring that run to its end first, then `dialfeed settle RUN`.",
    ),
    Kind(
        "settle.doubted",
        "What the count had settled is in doubt",
        "Lost answers were settled by the list's count, and in the end the list had more contacts than anybody can"
        " explain: somebody else has written to it, or the platform has stored late what was sent again. So it is not"
        " known whether those contacts are on the list once.",
        "Look for the contacts of unknown.csv on the platform before they are imported again.",
    ),
    # --- verification -------------------------------------------------------------------------------------------------
    Kind(
        "verify.no_count",
        "Nothing could be compared",
        "The platform did not tell how many contacts the list has, so the delivery could not be held against it.",
        "`dialfeed verify RUN` looks again.",
    ),
    Kind(
        "verify.surplus",
        "The list has more than was delivered",
        "The list has more contacts than before the run and delivered together; somebody else has probably added some.",
        "Ask who else loads this list. If nobody does, look into unknown.csv.",
    ),
    Kind(
        "verify.missing",
        "The list has fewer than was delivered",
        "The list has fewer contacts than before the run and delivered together. The count may lag, the platform may"
        " have dropped contacts in silence, or somebody has removed some.",
        "`dialfeed verify RUN` looks again.",
        "error",
    ),
    Kind(
        "verify.not_there",
        "Delivered contacts are not on the list",
        "Contacts that the platform accepted were looked for one by one, and some were not found.",
        "`dialfeed verify RUN` looks again; if they stay away, ask the platform's support with the run's batches.",
        "error",
    ),
    Kind(
        "verify.twice",
        "Delivered contacts are on the list twice",
        "Contacts are on the list more than once: they were there before, or somebody else has loaded them as well.",
        "Remove the older ones on the platform, or they may be called twice.",
        "error",
    ),
    Kind(
        "verify.not_ours",
        "The list has contacts of somebody else",
        "Contacts on the list were neither there before the run nor delivered by it.",
        "Ask who else loads this list: nobody has held those contacts against your do-not-call lists.",
    ),
    Kind(
        "verify.not_read_back",
        "Contacts could not be read back",
        "The platform did not let the delivered contacts be read, so only the count was compared.",
        "Grant the account the right to read contacts, then `dialfeed verify RUN`.",
    ),
    Kind(
        "verify.sample",
        "Only a sample was looked for",
        "Not all delivered contacts were looked for one by one. What a sample shows is told with its confidence.",
        "--read-back all looks for every one.",
        "info",
    ),
    # --- what is told of the run --------------------------------------------------------------------------------------
    Kind(
        "sink.waiting",
        "Events wait for a sink",
        "A sink did not take all events of the audit trail. They are kept in the run's folder, and none is lost.",
        "`dialfeed audit ship RUN` sends what waits, `dialfeed audit ship --all` that of all runs.",
    ),
    Kind(
        "sink.refused",
        "A sink refused events",
        "A sink said that it will never take some events as they are. They were laid aside, and the others went on.",
        "Mend the sink, then `dialfeed audit ship RUN --again`.",
    ),
    Kind(
        "telemetry.not_told",
        "Metrics, traces or logs could not be told",
        "A file could not be written, a port was taken, or a library is missing. The run itself is not touched by it.",
        "See to the file, port or library that is named before the next run.",
    ),
    Kind(
        "report.not_drawn",
        "The report could not be drawn",
        "report.html is missing or an older one. All that it shows is in summary.json and audit.jsonl.",
        "`dialfeed report RUN` draws it again.",
    ),
    Kind(
        "people.too_large",
        "Too many rows for a workbook",
        "A workbook takes 1,048,576 rows, so the file for people was written as CSV instead.",
        "Open the .people.csv file; it has the same columns.",
    ),
)

BY_CODE: Final = {kind.code: kind for kind in CATALOGUE}


def found(code: str, sentence: str, remedy: str = "", *, severity: Severity | None = None) -> Finding:
    """A finding of a run.

    Args:
        code: An entry of the catalogue.
        sentence: What was found in this run.
        remedy: What to do about it, with this run's own command.
        severity: Unless the catalogue's.
    """
    return Finding(code, severity or BY_CODE[code].severity, sentence, remedy)
