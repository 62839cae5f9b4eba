"""A person gets a file to open in a spreadsheet, and gives it back."""

from __future__ import annotations

from tenant import Tenant


def test_a_file_for_people_mended_is_imported_exactly(tenant: Tenant) -> None:
    header = "externalId,firstName,phone,doNotCall,doNotEmail\n"
    rows = "=7,@Ada,oops,no,no\n'=8,-Bo,oops,no,no\n" + "".join(f"{n},x,+1212555{100 + n:04},no,no\n" for n in range(9))
    flags = ("--people-files", "csv")
    assert tenant.import_file(tenant.write(header + rows), *flags).code == 4
    told = (tenant.folder / "run" / "rejected.people.csv").read_text("utf-8")
    mended = tenant.write(told.replace("oops", "'+12125550199"), "mended.csv")
    assert tenant.import_file(mended, "--run-dir", tenant.folder / "second").code == 0
    sent = {(each["externalId"], each["firstName"], each["phone"]) for each in tenant.stored}
    assert {("=7", "@Ada", "+12125550199"), ("'=8", "-Bo", "+12125550199")} <= sent


def test_nothing_is_written_for_people_unless_asked(tenant: Tenant) -> None:
    rows = "phone,doNotCall,doNotEmail\noops,no,no\n"
    assert tenant.run("validate", tenant.write(rows), "--run-dir", tenant.folder / "a", "--max-rejected", "1").code == 4
    assert not [each for each in (tenant.folder / "a").iterdir() if "people" in each.name or each.suffix == ".xlsx"]
    flags = ("--run-dir", tenant.folder / "b", "--max-rejected", "1", "--people-files", "xlsx")
    assert tenant.run("validate", tenant.write(rows), *flags).code == 4
    assert (tenant.folder / "b" / "rejected.xlsx").is_file()
