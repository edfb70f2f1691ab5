"""ADT^A01, A04 and A08 to calls."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.delivery import Allocation, Call, Interaction, Translation
from bridge.lineage import Origin

Adt = Callable[..., Translation]
Told = Callable[..., tuple[Origin, ...]]
Patient = Callable[..., Call]

PID = (
    "PID|1||4711^^^LAKESIDE^MR||Iyer^Kavya^R^^Dr^^L||19790305|F|||5 Temple St^^Madurai^TN^625001^IN"
)
PV1 = "PV1|1|O|OPD^3^^LAKESIDE||||D9^Menon^Arun^^^Dr||||||||||||V88^^^LAKESIDE"


def test_a_registration_is_patient_then_provider_then_visit(adt: Adt) -> None:
    calls = adt(PID, PV1).calls
    assert [(c.interaction, c.resource, c.external_id) for c in calls] == [
        (Interaction.UPSERT, "patients", "4711"),
        (Interaction.CREATE, "providers", "D9"),
        (Interaction.UPSERT, "patient-visits", "V88"),
    ]
    visit = calls[2].payload
    assert (visit["patientId"], visit["providerId"]) == ("4711", "D9")
    assert calls[0].authority == calls[2].authority == "LAKESIDE"
    assert calls[1].payload == {"id": "D9", "fullName": "Dr Arun Menon"}


def test_the_same_message_gives_the_same_translation(adt: Adt) -> None:
    assert adt(PID, PV1) == adt(PID, PV1)


def test_every_field_knows_where_it_came_from(adt: Adt, told: Told) -> None:
    for call in adt(PID, PV1).calls:
        assert {origin.field for origin in told(call)} == set(call.payload)
    origin = next(o for o in told(adt(PID, PV1).calls[0]) if o.field == "gender")
    assert (origin.path, origin.raw, origin.made_by) == ("PID-8.1", "F", "codes/gender: F")
    assert re.search(r"parts/patient_from_pid.yaml:\d+$", origin.rule)


def test_facts_are_kept_for_orders(adt: Adt) -> None:
    patient, provider, visit = (call.facts for call in adt(PID, PV1).calls)
    assert patient == {
        "identifier": "4711",
        "identifierType": "MR",
        "authority": "LAKESIDE",
        "family": "Iyer",
        "given": "Kavya R",
        "dateOfBirth": "1979-03-05",
        "sex": "F",
    }
    assert provider == {"id": "D9", "family": "Menon", "given": "Arun"}
    assert visit["patientId"] == "4711"
    assert visit["pointOfCare"] == "OPD"


# which identifier is the id


@pytest.mark.parametrize(
    ("pid", "expected"),
    [
        ("PID|1||9^^^X^SS~8^^^H^PI~7^^^H^MR", "7"),
        ("PID|1||9^^^X^SS~8^^^H^PI", "8"),
        ("PID|1||9^^^X^SS~6^^^H", "6"),
        ("PID|1||9^^^X^SS~5^^^H^XX", "5"),
        ('PID|1|55|""', "55"),
        ("PID|1|55|", "55"),
        ("PID|1|55|^^^H^MR", "55"),
    ],
)
def test_the_id_is_the_hospitals_own_number(patient: Patient, pid: str, expected: str) -> None:
    assert patient(pid + "||Rao^A").external_id == expected


@pytest.mark.parametrize(
    "identifier",
    [
        "22-1111-2222-3333^^^https://healthid.ndhm.gov.in^MR",
        "22111122223333^^^healthid.abdm.gov.in^MR",
        "22111122223333^^^ABHA^MR",
        "22111122223333^^^H^HIN",
        "444455556666^^^UIDAI^PI",
        "444455556666^^^H^ADN",
        "444455556666^^^&https://uidai.gov.in/&URI^MR",
    ],
)
def test_a_national_number_is_neither_id_nor_uhid(adt: Adt, identifier: str) -> None:
    alone = adt(f"PID|1||{identifier}||Rao^A")
    assert alone.calls == ()
    assert "PID-3, PID-2" in alone.problem
    beside = adt(f"PID|1||{identifier}~31^^^H^XX||Rao^A").calls[0]
    assert (beside.external_id, beside.payload["uhid"]) == ("31", 31)


def test_an_aadhaar_number_is_sent_only_as_itself(patient: Patient) -> None:
    call = patient("PID|1||31^^^H^MR~4444-5555-6666^^^H^ADN||Rao^A")
    assert call.payload["aadhaarNumber"] == "444455556666"
    assert "aadhaarNumber" not in patient("PID|1||444455556666^^^H^MR||Rao^A").payload


def test_the_site_decides_which_type_is_the_id(patient: Patient) -> None:
    call = patient("PID|1||7^^^H^MR~8^^^N^NI||Rao^A", identifier_types=("NI",))
    assert (call.external_id, call.authority) == ("8", "N")


def test_without_an_id_there_is_a_problem_and_no_call(adt: Adt) -> None:
    translation = adt("PID|1||||Rao^A", PV1)
    assert translation.calls == ()
    assert translation.problem == "no id for patients: nothing usable in PID-3, PID-2"


# uhid


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("00123", {"uhid": 123}),
        ("12-34/5", {"uhid": 12345}),
        ("ZAI-00123", {"uhid": 123, "uhidPrefix": "ZAI"}),
        ("123456789012345", {"uhid": 123456789012345}),
    ],
)
def test_the_uhid_is_a_number_of_the_identifier(
    patient: Patient, identifier: str, expected: dict[str, object]
) -> None:
    payload = patient(f"PID|1||{identifier}^^^H^MR||Rao^A").payload
    assert {name: payload[name] for name in ("uhid", "uhidPrefix") if name in payload} == expected


@pytest.mark.parametrize("identifier", ["1234567890123456", "A1B2", "9f2c-11", "000", "१२३"])
def test_an_identifier_without_a_number_gets_one_allocated(
    patient: Patient, identifier: str
) -> None:
    call = patient(f"PID|1||{identifier}^^^H^MR||Rao^A")
    assert call.allocations == (Allocation("uhid", "uhid", identifier),)
    assert not {"uhid", "uhidPrefix"} & set(call.payload)


def test_the_site_may_forbid_allocation(adt: Adt) -> None:
    translation = adt("PID|1||A1B2^^^H^MR||Rao^A", uhid=("digits",))
    assert translation.calls[0].allocations == ()
    assert "uhid" not in translation.calls[0].payload
    assert translation.warnings[0].path == "PID-3"


# names, dates, codes


@pytest.mark.parametrize(
    ("field", "full_name", "title"),
    [
        ("Rao^Meera^Devi^^Ms^^L", "Meera Devi Rao", "Ms"),
        ("Old^Name^^^^^M~Rao^Meera^^^Dr^^L", "Meera Rao", "Dr"),
        ("Nick^^^^^^N~Rao^Meera", "Meera Rao", None),
        ("VAN DAM&&VAN&&DAM^Jo", "Jo VAN DAM", None),
        ("Rao", "Rao", None),
        ('""^Meera', "Meera", None),
        ("~Rao^Meera", "Meera Rao", None),
    ],
)
def test_the_legal_name_is_the_full_name(
    patient: Patient, field: str, full_name: str, title: str | None
) -> None:
    payload = patient(f"PID|1||7^^^H^MR||{field}").payload
    assert payload["fullName"] == full_name
    assert payload.get("title") == title


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("19800229", "1980-02-29"),
        ("20180312053000", "2018-03-12"),
        ("198002290000+0530", "1980-02-29"),
        ("1980-02-29", "1980-02-29"),
        ("1980", None),
        ("198002", None),
        ("19810229", None),
        ("1981W011", None),
    ],
)
def test_a_birth_date_is_the_first_eight_digits(adt: Adt, field: str, expected: str | None) -> None:
    translation = adt(f"PID|1||7^^^H^MR||Rao^A||{field}")
    assert translation.calls[0].payload.get("dateOfBirth") == expected
    assert ("PID-7" in {remark.path for remark in translation.warnings}) is (expected is None)


@pytest.mark.parametrize(("code", "gender"), [("M", "Male"), ("female", "Female"), ("O", "Other")])
def test_a_sex_code_becomes_a_word(patient: Patient, code: str, gender: str) -> None:
    assert patient(f"PID|1||7^^^H^MR||Rao^A|||{code}").payload["gender"] == gender


def test_an_unknown_code_is_left_out_with_a_remark_that_does_not_tell_it(adt: Adt) -> None:
    translation = adt("PID|1||7^^^H^MR||Rao^A|||20010101")
    assert "gender" not in translation.calls[0].payload
    told = " ".join(f"{remark.path} {remark.text}" for remark in translation.warnings)
    assert "codes/gender" in told
    assert "20010101" not in told


# absent, empty and deleted


def test_an_empty_field_says_nothing_and_a_deleted_one_is_null(patient: Patient) -> None:
    payload = patient('PID|1||7^^^H^MR||Rao^A||""|||||||""').payload
    assert payload["dateOfBirth"] is None
    assert "address" not in payload


def test_a_required_field_is_never_deleted(adt: Adt) -> None:
    translation = adt('PID|1||7^^^H^MR||""||||||||""')
    assert not {"fullName", "phoneNumber"} & set(translation.calls[0].payload)
    assert {"PID-5", "PID-13"} <= {remark.path for remark in translation.warnings}


def test_a_value_elsewhere_wins_over_a_deletion(patient: Patient) -> None:
    payload = patient('PID|1||7^^^H^MR||Rao^A||||||||""|9818512600').payload
    assert payload["phoneNumber"] == "+919818512600"


# the contact


def test_the_emergency_contact_is_one_next_of_kin_with_all_that_is_said_of_it(
    patient: Patient,
) -> None:
    payload = patient(
        "PID|1||7^^^H^MR||Rao^A",
        "NK1|1|Firm^Ltd|EMR^Employer||0442345678||E",
        "NK1|2|Rao^Vik|BRO||9818512600||N",
        "NK1|3|Das^Uma|SPO^Wife||||C",
    ).payload
    assert payload["emergencyContactName"] == "Uma Das"
    assert payload["emergencyContactRelation"] == "Wife"
    assert "emergencyContactPhone" not in payload


def test_an_employer_is_no_emergency_contact(patient: Patient) -> None:
    segments = ["PID|1||7^^^H^MR||Rao^A", "NK1|1|Firm^Ltd|EMR||0442345678||E"]
    assert "emergencyContactName" not in patient(*segments).payload
    payload = patient(*segments, "NK1|2|Rao^Vik|BRO||9818512600").payload
    assert payload["emergencyContactName"] == "Vik Rao"
    assert payload["emergencyContactRelation"] == "Brother"
    assert payload["emergencyContactPhone"] == "+919818512600"


def test_the_next_of_kins_phone_stands_in_only_where_the_site_allows(patient: Patient) -> None:
    segments = ("PID|1||7^^^H^MR||Rao^A", "NK1|1|Rao^Vik|BRO||9818512600")
    assert "phoneNumber" not in patient(*segments).payload
    call = patient(*segments, next_of_kin_phone=True)
    assert call.payload["phoneNumber"] == "+919818512600"
    assert "phoneNumber" in call.create_only


def test_a_placeholder_never_replaces_a_known_phone(patient: Patient) -> None:
    call = patient("PID|1||7^^^H^MR||Rao^A", placeholder_phone="+910000000000")
    assert call.payload["phoneNumber"] == "+910000000000"
    assert "phoneNumber" in call.create_only


# the visit


@pytest.mark.parametrize("pv1", ["", "PV1|1|N|||||||||||||||||V88", "PV1|1|O"])
def test_no_visit_is_made_where_there_is_none(adt: Adt, pv1: str) -> None:
    translation = adt(PID, pv1)
    assert [call.resource for call in translation.calls] == ["patients"]
    assert "patient-visits" in {remark.path for remark in translation.warnings}
    assert translation.problem == ""


@pytest.mark.parametrize("doctor", ["D9", "^Menon^Arun", ""])
def test_a_provider_needs_an_id_and_a_name(adt: Adt, doctor: str) -> None:
    translation = adt(PID, f"PV1|1|O|||||{doctor}||||||||||||V88")
    assert [call.resource for call in translation.calls] == ["patients", "patient-visits"]
    assert "providerId" not in translation.calls[1].payload


def test_the_alternate_visit_number_stands_in(adt: Adt) -> None:
    visit = adt(PID, "PV1|1|O" + "|" * 48 + "ALT5").calls[1]
    assert visit.external_id == "ALT5"


def test_an_account_number_is_no_visit(adt: Adt) -> None:
    assert len(adt("PID|1||7^^^H^MR||Rao^A|||||||||||||ACC1", "PV1|1|O").calls) == 1


def test_a_stated_visit_time_is_updated_and_the_messages_own_time_is_not(adt: Adt) -> None:
    stated = adt(PID, PV1 + "|" * 25 + "20260301093000").calls[-1]
    assert stated.payload["visitDateTime"] == "2026-03-01T04:00:00Z"
    assert "visitDateTime" not in stated.create_only
    guessed = adt("EVN|A08|20260301100000", PID, PV1, event="A08").calls[-1]
    assert guessed.payload["visitDateTime"] == "2026-03-01T04:30:00Z"
    assert "visitDateTime" in guessed.create_only


@pytest.mark.parametrize(
    ("time", "zone", "expected"),
    [
        ("202603010930", "Asia/Kolkata", "2026-03-01T04:00:00Z"),
        ("20260301093000.123+0000", "Asia/Kolkata", "2026-03-01T09:30:00Z"),
        ("2026030109-0500", "Asia/Kolkata", "2026-03-01T14:00:00Z"),
        ("20260301", "Europe/Berlin", "2026-02-28T23:00:00Z"),
        ("20260701120000", "Europe/Berlin", "2026-07-01T10:00:00Z"),
    ],
)
def test_times_are_sent_in_utc(adt: Adt, time: str, zone: str, expected: str) -> None:
    visit = adt(PID, PV1 + "|" * 25 + time, time_zone=zone).calls[-1]
    assert visit.payload["visitDateTime"] == expected


def test_a_visits_status_is_for_the_staff_to_move_on(adt: Adt) -> None:
    for event in ("A01", "A04", "A08"):
        visit = adt(PID, PV1, event=event).calls[-1]
        assert visit.payload["status"] == "IN_QUEUE"
        assert "status" in visit.create_only


def test_a_visit_that_is_first_heard_of_after_its_end_does_not_queue(adt: Adt) -> None:
    visit = adt(PID, PV1 + "|" * 26 + "20260302", event="A08").calls[-1]
    assert visit.payload["status"] == "FINISHED"
    assert visit.payload["dischargeDateTime"] == "2026-03-01T18:30:00Z"


def test_a_deleted_discharge_opens_the_visit_again(adt: Adt) -> None:
    visit = adt(PID, PV1 + "|" * 26 + '""', event="A08").calls[-1]
    assert visit.payload["dischargeDateTime"] is None
    assert visit.payload["status"] == "IN_QUEUE"


def test_a_deleted_doctor_is_taken_off_the_visit(adt: Adt) -> None:
    visit = adt(PID, 'PV1|1|O|||||""||||||||||||V88').calls[-1]
    assert visit.payload["providerId"] is None


def test_only_what_stood_there_holds_patient_data_in_a_remark(adt: Adt) -> None:
    translation = adt(
        'PID|1||QQ-XYZ-77^^^H^MR||""||QQBIRTH|QQSEX|||||QQPHONE~^NET^Internet^QQMAIL',
        "PV1|1|QQCLASS|||||QQDOC||||||||||||QQVISIT" + "|" * 25 + "QQTIME",
        uhid=("digits",),
    )
    assert len(translation.warnings) >= 6
    assert "QQ" not in repr([remark._replace(sent="") for remark in translation.warnings])


_FIELD = st.text(st.sampled_from('aZ09^~&|\\" -+@.\u00e9\u0939MR'), max_size=40)


@settings(max_examples=300, deadline=None)
@given(pid=_FIELD, pv1=_FIELD, nk1=_FIELD, event=st.sampled_from(("A01", "A04", "A08")))
def test_no_text_breaks_the_translation(
    adt: Adt, told: Told, pid: str, pv1: str, nk1: str, event: str
) -> None:
    segments = (f"PID|1||{pid}", f"PV1|1|{pv1}", f"NK1|1|{nk1}")
    translation = adt(*segments, event=event)
    assert translation == adt(*segments, event=event)
    assert bool(translation.problem) is not bool(translation.calls)
    for call in translation.calls:
        fields = {origin.field for origin in told(call)}
        allocated = {allocation.field for allocation in call.allocations}
        assert fields == set(call.payload) | allocated


def test_a_code_without_a_row_beside_a_deletion_deletes_nothing(adt: Adt) -> None:
    translation = adt(PID, 'PV1|1|""~no such class' + "|" * 17 + "V1")
    (visit,) = [call for call in translation.calls if call.resource == "patient-visits"]
    assert "patientType" not in visit.payload


def test_what_two_calls_remark_is_told_once(adt: Adt) -> None:
    remarks = adt(PID, PV1.replace("D9^Menon^Arun^^^Dr", "D9")).warnings
    assert [remark.path for remark in remarks] == ["PV1-7", "providers"]
