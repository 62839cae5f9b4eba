"""`dialfeed dnc`: lists and opt-outs through the command line."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command import Outcome, run, start

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)
A, B, C = "+12125550100", "+12125550101", "+14155550100"


class Dnc:
    """The command, on a home folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {"DIALFEED_HOME": str(home)}

    def __call__(self, *arguments: str | Path, stdin: bytes = b"") -> Outcome:
        return run("dnc", *arguments, env=self.env, stdin=stdin)

    def file(self, name: str, *lines: str) -> Path:
        path = self.home / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def add(self, name: str, path: Path, *more: str, authority: str = "us", obtained: date = YESTERDAY) -> Outcome:
        told = ("--id", name, "--authority", authority, "--obtained", str(obtained))
        return self("add", path, *told, *more)

    def verdicts(self, value: str, *more: str) -> dict[str, str]:
        told = self("check", value, "--json", *more)
        assert told.code == 0, told.err
        return {one["list"]["list_id"]: one["verdict"] for one in told.json["lists"]}


@pytest.fixture
def dnc(tmp_path: Path) -> Dnc:
    return Dnc(tmp_path)


@pytest.fixture
def national(dnc: Dnc) -> Dnc:
    path = dnc.file("us.txt", "212,5550100", "415,5550100")
    assert dnc.add("us-national", path, "--covers", "212,415", "--account", "SAN-998877").code == 0
    return dnc


# --- list files -------------------------------------------------------------------------------------------------------


def test_a_list_is_added_and_answers(national: Dnc) -> None:
    assert national.verdicts(A) == {"us-national": "listed"}
    assert national.verdicts(B) == {"us-national": "clear"}
    assert national.verdicts("+13105550100") == {"us-national": "not_covered"}
    assert national.verdicts("+14165550100") == {"us-national": "outside"}


def test_a_list_of_which_nothing_is_said_covers_the_area_codes_that_it_has_numbers_in(dnc: Dnc) -> None:
    assert dnc.add("us-national", dnc.file("212.txt", "212,5550100")).code == 0
    assert [dnc.verdicts(number)["us-national"] for number in (A, B, C)] == ["listed", "clear", "not_covered"]
    path = dnc.file("new.txt", "212,5550101", "415,5550100")
    assert dnc("update", "us-national", path, "--obtained", str(TODAY)).code == 6
    assert dnc("update", "us-national", path, "--obtained", str(TODAY), "--covers", "all").code == 0
    assert dnc.verdicts("+16465550100") == {"us-national": "not_covered"}
    whole = ("--covers", "all", "--accept-empty", "--because", "made up")
    assert dnc("update", "us-national", path, "--obtained", str(TODAY), *whole).code == 0
    assert dnc.verdicts("+16465550100") == {"us-national": "clear"}


def test_the_facts_of_a_list_are_told(national: Dnc) -> None:
    (told,) = national("list", "--json").json
    assert (told["list_id"], told["version"], told["records"], told["account"]) == ("us-national", 1, 2, "…77")
    assert (told["coverage"], told["obtained_at"]) == (["212", "415"], f"{YESTERDAY}T00:00:00Z")
    assert "us-national" in national("list").out


def test_a_malformed_line_is_refused_shown_without_digits_and_may_be_accepted(dnc: Dnc) -> None:
    path = dnc.file("us.txt", "212,5550100", "212,555-0187")
    refused = dnc.add("us-national", path)
    assert refused.code == 6
    assert "line 2: no phone number (999,999-9999)" in refused.err
    assert "0187" not in refused.err.replace(str(path), ""), "the path of a test may hold any number"
    assert dnc.add("us-national", path, "--accept-malformed", "1").code == 1
    taken = dnc.add("us-national", path, "--accept-malformed", "1", "--because", "an old extract", "--json")
    assert taken.code == 0
    (accepted,) = taken.json["accepted"]
    assert (accepted["malformed"], accepted["because"]) == (1, "an old extract")
    assert accepted["by"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--obtained", str(TODAY + timedelta(days=2))), "future"),
        (("--obtained", "yesterday"), "no date"),
        (("--obtained", f"{YESTERDAY}T10:00"), "without its zone"),
        (("--authority", "mars"), "no authority"),
        (("--max-age", "forever"), "no span"),
        (("--covers", "416"), "--covers"),
        (("--format", "scroll"), "no list format"),
        (("--channel", "email"), "holds no email"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(dnc: Dnc, more: tuple[str, str], sentence: str) -> None:
    told = dnc.add("us-national", dnc.file("us.txt", "212,5550100"), *more)
    assert told.code == 1
    assert sentence in told.err
    assert told.err.count("\n") == 1
    assert dnc("list", "--json").json == []


def test_a_file_that_is_missing_is_told(dnc: Dnc) -> None:
    told = dnc.add("us-national", dnc.home / "nowhere.txt")
    assert told.code == 1
    assert "nowhere.txt" in told.err


def test_an_update_replaces_the_list(national: Dnc) -> None:
    path = national.file("new.txt", "212,5550101", "415,5550101")
    told = national("update", "us-national", path, "--obtained", str(TODAY), "--json")
    assert (told.code, told.json["version"], told.json["coverage"]) == (0, 2, ["212", "415"])
    assert national.verdicts(A) == {"us-national": "clear"}
    assert national.verdicts(B) == {"us-national": "listed"}


def test_an_update_of_one_area_code_leaves_the_others(national: Dnc) -> None:
    path = national.file("415.txt", "415,5550101")
    assert national("update", "us-national", path, "--obtained", str(TODAY), "--only", "415").code == 0
    assert national.verdicts(A) == {"us-national": "listed"}
    assert national.verdicts(C) == {"us-national": "clear"}


def test_a_change_list_is_shown_confirmed_and_applied(national: Dnc) -> None:
    path = national.file("changes.txt", f"2125550101,{TODAY}T08:00:00,A", f"2125550100,{TODAY}T08:00:00,D")
    asked = ("update", "us-national", path, "--change", "--base", "1", "--obtained", str(TODAY))
    shown = national(*asked)
    assert shown.code == 6
    assert "number, time, A or D" in shown.err
    told = national(*asked, "--confirm-layout", "--json")
    assert (told.code, told.json["base_version"], told.json["added"], told.json["removed"]) == (0, 1, 1, 1)
    assert told.json["obtained_at"] == f"{YESTERDAY}T00:00:00Z"
    assert national.verdicts(B) == {"us-national": "listed"}
    assert national(*asked).code == 6  # the version on record is another one by now
    assert national("update", "us-national", path, "--change", "--obtained", str(TODAY)).code == 1


def test_a_removed_list_is_gone(national: Dnc) -> None:
    assert national("remove", "us-national").code == 0
    assert national("list", "--json").json == []
    assert national.verdicts(A, "--dnc", "us-national") == {"us-national": "missing"}
    assert national("remove", "us-national").code == 1


def test_two_processes_that_add_a_list_at_once_leave_a_whole_one(dnc: Dnc) -> None:
    files = [dnc.file(f"{number}.txt", f"212,555010{number}", "415,5550100") for number in (0, 1)]
    told = ("--id", "us", "--authority", "us", "--obtained", str(YESTERDAY))
    running = [start("dnc", "add", path, *told, env=dnc.env) for path in files]
    codes = [(process.wait(), process.communicate()[1]) for process in running]
    won = [code for code, _ in codes].index(0)
    assert codes[1 - won][0] in {1, 6}
    assert ("already" in codes[1 - won][1]) or ("Another process" in codes[1 - won][1])
    assert [dnc.verdicts(number)["us"] for number in (A, B)] == (
        ["listed", "clear"] if won == 0 else ["clear", "listed"]
    )


def test_the_facts_of_past_versions_are_told(national: Dnc) -> None:
    assert "no version but" in national("versions", "us-national").out
    path = national.file("new.txt", "212,5550101", "415,5550101")
    assert national("update", "us-national", path, "--obtained", str(TODAY)).code == 0
    (past,) = national("versions", "us-national", "--json").json
    assert (past["version"], past["records"], len(past["sha256"])) == (1, 2, 64)
    assert "full" in national("versions", "us-national").out


# --- e-mails, accounts, results ---------------------------------------------------------------------------------------


def test_suppressed_emails_are_read_from_lines_or_a_column(dnc: Dnc) -> None:
    lines = dnc.file("unsubscribed.txt", "Someone@Example.com", "other@example.com")
    table = dnc.file("bounced.csv", "when,email", "2026-11-01,bounced@example.com")
    assert dnc.add("unsubscribed", lines, "--channel", "email", authority="internal").code == 0
    assert dnc.add("bounced", table, "--channel", "email", authority="custom").code == 0
    assert dnc.verdicts("someone@example.com") == {"bounced": "clear", "unsubscribed": "listed"}
    assert dnc.verdicts("bounced@example.com") == {"bounced": "listed", "unsubscribed": "clear"}


def test_an_address_that_is_none_refuses_the_list_without_being_told(dnc: Dnc) -> None:
    told = dnc.add("unsubscribed", dnc.file("u.txt", "someone@example.com", "nobody"), "--channel", "email",
                   authority="custom")  # fmt: skip
    assert told.code == 6
    assert "line 2: no e-mail address (AAAAAA)" in told.err


def test_accounts_are_excluded_by_a_list(dnc: Dnc) -> None:
    path = dnc.file("closed.csv", "externalId,why", "A-1,closed", "A-2,fraud")
    told = dnc.add("closed", path, "--channel", "account", "--json", authority="custom")
    assert (told.code, told.json["records"], told.json["channel"]) == (0, 2, "account")


def test_the_answers_of_a_register_are_added(dnc: Dnc) -> None:
    path = dnc.file("wash.csv", "Number,Registered", "0491570006,Y", "0491570156,N")
    assert dnc.add("au", path, authority="au").code == 0
    asked = [dnc.verdicts(number)["au"] for number in ("+61491570006", "+61491570156", "+61491570157")]
    assert asked == ["listed", "clear", "not_covered"]


def test_an_answer_that_is_not_known_refuses_the_file(dnc: Dnc) -> None:
    told = dnc.add("au", dnc.file("wash.csv", "Number,Registered", "0491570006,perhaps"), authority="au")
    assert told.code == 6
    assert "an answer that is not known" in told.err


def test_reassigned_numbers_need_a_date_before_the_day_of_the_answer(dnc: Dnc) -> None:
    rows = ("2125550100,{0},yes", "2125550101,{0},no", "4155550100,{0},no data")
    late = dnc.file("late.csv", "number,date,answer", *(row.format(YESTERDAY) for row in rows))
    early = dnc.file("early.csv", "number,date,answer", *(row.format("2025-03-01") for row in rows))
    undated = dnc.file("undated.csv", "number,answer", "2125550100,yes")
    assert dnc.add("rnd", late, authority="reassigned").code == 6
    assert dnc.add("rnd", undated, authority="reassigned").code == 6
    assert dnc.add("rnd", undated, "--query-date", str(TODAY), authority="reassigned").code == 6
    assert dnc.add("rnd", early, authority="reassigned").code == 0
    assert [dnc.verdicts(number)["rnd"] for number in (A, B, C)] == ["listed", "clear", "no_data"]
    same_day = ("--query-date", "2026-11-20", "--id", "rnd-1", "--authority", "reassigned")
    assert dnc("add", undated, "--obtained", "2026-11-20T20:00-05:00", *same_day).code == 6  # in London it is the 21st
    assert dnc.add("rnd-2", undated, "--query-date", "2025-03-01", authority="reassigned").code == 0


def test_the_results_of_a_scrubbing_service_are_a_register_of_their_own(dnc: Dnc) -> None:
    path = dnc.file("scrubbed.csv", "Phone,ResultCode", "2125550100,D", "2125550101,C", "4155550100,B")
    assert dnc.add("vendor", path, authority="dnc.com").code == 0
    assert [dnc.verdicts(number)["vendor"] for number in (A, B, C)] == ["listed", "clear", "no_data"]


def test_how_a_file_is_read_is_remembered_for_the_next_one(dnc: Dnc) -> None:
    first = dnc.file("first.csv", "id,to block", "1,+12125550100")
    second = dnc.file("second.csv", "id,to block", "1,+12125550101")
    assert dnc.add("litigators", first, "--column", "to block", authority="litigator").code == 0
    assert dnc("update", "litigators", second, "--obtained", str(TODAY)).code == 0
    assert dnc.verdicts(B) == {"litigators": "listed"}


# --- opt-outs ---------------------------------------------------------------------------------------------------------


def test_an_opt_out_is_in_force_at_once(dnc: Dnc) -> None:
    assert dnc("add", "--internal", A, "someone@example.com", "--reason", "asked").code == 0
    assert dnc.verdicts(A) == {"internal": "listed"}
    assert dnc.verdicts("Someone@EXAMPLE.com") == {"internal": "listed"}
    assert dnc.verdicts(B) == {"internal": "clear"}


def test_a_national_number_needs_a_country(dnc: Dnc) -> None:
    assert dnc("add", "--internal", "212-555-0100").code == 4
    assert dnc("add", "--internal", "212-555-0100", "--default-country", "US").code == 0
    assert dnc.verdicts(A) == {"internal": "listed"}


def test_an_opt_out_may_be_of_one_topic(dnc: Dnc) -> None:
    assert dnc("add", "--internal", A, "--topic", "Solar").code == 0
    assert dnc.verdicts(A, "--topic", "solar") == {"internal": "scoped"}
    assert dnc.verdicts(A) == {"internal": "scoped"}


def test_a_stream_of_opt_outs_takes_the_good_lines_and_tells_the_bad(dnc: Dnc) -> None:
    lines = [
        A,
        "",
        "no number 5550155",
        json.dumps({"number": B, "topic": "solar", "received": "2026-01-05", "asked_by": "her lawyer"}),
        json.dumps({"email": "someone@example.com", "received": str(TODAY + timedelta(days=9))}),
        "{",
        json.dumps({"phone": "+14155550100", "expires": "2026-01-01", "received": "2025-01-01"}),
        json.dumps({"phone": C, "channel": "email"}),
        "last@example.com",
    ]
    told = dnc("add", "--internal", "-", "--json", stdin="\n".join(lines).encode())
    assert told.code == 4
    assert (told.json["added"], told.json["refused"]) == (3, 5)
    assert [bad["line"] for bad in told.json["lines"]] == ["3", "5", "6", "7", "8"]
    assert "line 7: it has expired already" in told.err
    assert "line 3: no phone number and no e-mail address (AA AAAAAA 9999999)" in told.err
    assert "5501" not in told.err
    assert dnc.verdicts(A) == {"internal": "listed"}
    assert dnc.verdicts(B, "--topic", "solar") == {"internal": "scoped"}
    assert dnc.verdicts(C) == {"internal": "clear"}
    assert dnc.verdicts("last@example.com") == {"internal": "listed"}


def test_a_line_with_a_number_and_an_address_opts_both_out_unless_it_names_one_channel(dnc: Dnc) -> None:
    lines = [
        json.dumps({"phone": A, "email": "both@example.com"}),
        json.dumps({"phone": B, "email": "kept@example.com", "channel": "phone"}),
        json.dumps({"phone": C, "number": "12", "email": ["x@example.com"]}),
    ]
    told = dnc("add", "--internal", "-", "--json", stdin="\n".join(lines).encode())
    assert (told.code, told.json["added"], told.json["refused"]) == (4, 4, 2)
    listed = {value: dnc.verdicts(value) for value in (A, "both@example.com", B, "kept@example.com", C)}
    assert [value for value, said in listed.items() if said == {"internal": "listed"}] == [A, "both@example.com", B, C]


def test_a_number_of_json_that_has_no_plus_is_nobodys_number_abroad(dnc: Dnc) -> None:
    line = json.dumps({"phone": 4795550101}).encode()  # +47 955 50 101 is a Norwegian mobile
    assert dnc("add", "--internal", "-", stdin=line).code == 4
    assert dnc("add", "--internal", "-", "--default-country", "US", stdin=line).code == 0
    assert dnc.verdicts("+4795550101") == {"internal": "clear"}
    assert dnc.verdicts("+14795550101") == {"internal": "listed"}


def test_each_line_of_a_stream_is_in_force_before_the_next_one_comes(dnc: Dnc) -> None:
    with start("dnc", "add", "--internal", "-", env=dnc.env, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number in (A, B):
            process.stdin.write(f"{number}\n")
            process.stdin.flush()
            while dnc.verdicts(number) != {"internal": "listed"}:
                assert process.poll() is None
        process.stdin.close()
        assert process.wait() == 0


def test_the_log_of_a_list_can_be_fed_in_again(dnc: Dnc) -> None:
    assert dnc("add", "--internal", A, "someone@example.com", "--topic", "solar").code == 0
    log = (dnc.home / "lists" / "internal" / "entries.jsonl").read_bytes()
    assert dnc("remove", "internal").code == 1
    assert dnc("remove", "internal", "--because", "moved").code == 0
    assert dnc("add", "--internal", "-", stdin=log).code == 0
    assert dnc.verdicts(A, "--topic", "solar") == {"internal": "scoped"}
    assert dnc.verdicts("someone@example.com") == {"internal": "scoped"}


def test_a_business_day_count_tells_by_when_an_opt_out_must_be_in_force(dnc: Dnc) -> None:
    assert dnc("add", "--internal", A, "--received", "2026-11-20T18:00-05:00").code == 0
    (line,) = (dnc.home / "lists" / "internal" / "entries.jsonl").read_text().splitlines()
    assert json.loads(line)["must_apply_by"] == "2026-12-04T18:00:00-05:00"


# --- watching ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("age", "code", "word"), [(5, 0, "ready until"), (29, 4, "expires soon"), (40, 6, "too old")])
def test_status_tells_a_scheduler_what_is_old_or_about_to_be(dnc: Dnc, age: int, code: int, word: str) -> None:
    added = dnc.add("us-national", dnc.file("us.txt", "212,5550100"), obtained=TODAY - timedelta(days=age))
    assert ("TOO OLD since" in added.out) is (code == 6)
    told = dnc("status")
    assert (told.code, word in told.out) == (code, True)
    assert dnc("status", "us-national", "--warn-within", "0d").code == (0 if code < 6 else 6)


def test_status_tells_of_what_is_missing_and_damaged(national: Dnc) -> None:
    assert national("status", "us-national", "ca-national").code == 6
    path = national.home / "lists" / "us-national" / "v000001.index"
    content = bytearray(path.read_bytes())
    content[66] ^= 1  # in a block, which is read only when somebody asks for it
    path.write_bytes(content)
    assert national("status").code == 0
    verified = national("status", "--verify", "--json")
    assert (verified.code, verified.json[0]["condition"], verified.json[0]["damaged_blocks"]) == (6, "damaged", 1)
    assert national.verdicts(A) == {"us-national": "damaged"}


def test_status_tells_of_a_list_that_the_profile_names_and_that_is_not_there(national: Dnc) -> None:
    config = national.file("dialfeed.toml", "[profile.default]", 'dnc = ["internal", "us-national"]')
    told = national("status", "--config", config)
    assert (told.code, "internal" in told.out) == (6, True)
    assert national("add", "--internal", A).code == 0
    assert national("status", "--config", config).code == 0
    assert national("status", "us-national").code == 0


def test_nothing_to_look_at_is_fine(dnc: Dnc) -> None:
    assert dnc("status").code == 0
    assert dnc("list").code == 0
    assert "no list to ask" in dnc("check", A).out


def test_the_number_is_shown_by_two_digits_only(national: Dnc) -> None:
    for value in (A, "someone@example.com"):
        told: Any = national("check", "-", stdin=f"{value}\n".encode())
        assert "55501" not in told.out + told.err
        assert "someone" not in told.out + told.err
    assert national("check", "nonsense 5550100").code == 1
    assert "0100" not in national("check", "nonsense 5550100").err


def test_the_files_are_for_their_owner_only(national: Dnc) -> None:
    national("add", "--internal", A)
    for path in (national.home / "lists").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
