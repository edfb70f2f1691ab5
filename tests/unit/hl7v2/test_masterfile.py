"""The answer to a master file notification: MFK from the application, ACK for the commit."""

from __future__ import annotations

import pytest

from bridge.hl7v2 import ack
from bridge.hl7v2.grammar import check_structure
from bridge.hl7v2.header import scan
from bridge.message import AckError, Acknowledgment

AT = 1_767_323_045.25


def notification(level: str, version: str = "2.5.1", end: str = "\r") -> bytes:
    lines = [
        rf"MSH|^~\&|HIS|WARD|ZAUTO|CLINIC|2026||MFN^M02^MFN_M02|ID-7|P|{version}",
        f"MFI|PRA^Practitioner^HL70175||UPD|||{level}",
        "MFE|MAD|E1||D-1^Dr. Düßel|CWE",
        "STF|D-1",
        "MFE|MUP|E2||D-2|CWE",
        "STF|D-2",
    ]
    return end.join([*lines, ""]).encode()


def answer(body: bytes, code: str) -> list[str]:
    errors = () if code.endswith("A") else (AckError("MSH-11", 202, "not taken"),)
    told = Acknowledgment(code, "ID-7", "", errors)
    written = ack.write(told, scan(body), at=AT, control_id="B1", body=body)
    return written.decode().rstrip("\r").split("\r")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_it_names_every_entry_where_that_is_wanted(end: str) -> None:
    msh, *rest = answer(notification("AL", end=end), "AA")

    assert msh.split("|")[8] == "MFK^M02^MFK_M01"
    assert rest == [
        "MSA|AA|ID-7",
        "MFI|PRA^Practitioner^HL70175||UPD|||AL",
        "MFA|MAD|E1|20260102030405.250+0000|S|D-1^Dr. Düßel|CWE",
        "MFA|MUP|E2|20260102030405.250+0000|S|D-2|CWE",
    ]


@pytest.mark.parametrize(
    ("level", "code", "entries"),
    [
        ("NE", "AA", 0),
        ("ER", "AA", 0),
        ("SU", "AA", 2),
        ("", "AA", 0),
        ("NE", "AR", 0),
        ("ER", "AR", 2),
        ("SU", "AR", 0),
        ("AL", "AE", 2),
    ],
)
def test_its_level_says_which_entries_are_told(level: str, code: str, entries: int) -> None:
    found = [line for line in answer(notification(level), code) if line.startswith("MFA")]

    assert len(found) == entries
    assert all(line.split("|")[4] == ("S" if code == "AA" else "U") for line in found)


@pytest.mark.parametrize("code", ["CA", "CE", "CR"])
def test_the_accept_acknowledgment_is_a_plain_one(code: str) -> None:
    msh, msa, *errors = answer(notification("AL"), code)

    assert msh.split("|")[8] == "ACK^M02^ACK"
    assert msa == f"MSA|{code}|ID-7"
    assert all(line.startswith("ERR") for line in errors)


def test_versions_before_2_4_name_no_structure() -> None:
    assert answer(notification("AL", "2.3.1"), "AA")[0].split("|")[8] == "MFK^M02"


def test_without_mfi_it_is_a_plain_one() -> None:
    body = notification("AL").replace(b"MFI", b"ZFI")

    assert answer(body, "AA")[0].split("|")[8] == "ACK^M02^ACK"


@pytest.mark.parametrize("version", ["2.4", "2.5.1"])
def test_its_structure_is_the_standards(version: str) -> None:
    body = "\r".join([*answer(notification("AL", version), "AA"), ""]).encode()

    assert check_structure(body) == []


def test_keys_whose_bytes_look_like_delimiters_are_told_whole() -> None:
    line = r"MSH|^~\&|HIS|W|ZAUTO|CLINIC|2026||MFN^M02|ID-7|P|2.5.1||||||GB 18030-2000"
    rest = "MFI|PRA||UPD|||AL\rMFE|MAD|亅||亅^Rao|CWE\r"
    body = f"{line}\r{rest}".encode("gb18030")
    told = Acknowledgment("AA", "ID-7")
    written = ack.write(told, scan(body), at=0.0, control_id="1", body=body).decode("gb18030")
    assert "\rMFA|MAD|亅|19700101000000.000+0000|S|亅^Rao|CWE\r" in written
