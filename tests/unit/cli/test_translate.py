"""`bridge translate`: the calls of a file, without a store or a service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import BridgeError
from tests.unit.pipeline.hl7 import adt


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "registration.hl7"
    path.write_bytes(adt())
    return path


def as_json(run: Any, *files: Path) -> Any:
    result = run("translate", "--json", *map(str, files))
    assert result.exit_code == 0
    return json.loads(result.stdout)


def test_the_calls_are_shown_as_a_table(run: Any, file: Path) -> None:
    output = run("translate", str(file)).output
    assert "upsert patients 4711" in output
    assert "Meera Nair" in output
    assert "create providers D1" in output


def test_each_fields_origin_is_explained_with_the_standards_name(run: Any, file: Path) -> None:
    output = run("translate", str(file), "--explain").output
    lines = output.splitlines()
    place = next(n for n, line in enumerate(lines) if "fullName = Meera Nair" in line)
    assert lines[place].split()[0] == "Nair^Meera"
    assert lines[place + 1].split()[:3] == ["PID-5", "Patient", "name"]
    assert "person_name · patient_from_pid.yaml:" in lines[place + 1]


def test_json_holds_the_payloads_and_their_lineage(run: Any, file: Path) -> None:
    (report,) = as_json(run, file)
    assert (report["status"], report["message_type"]) == ("waiting", "ADT^A04")
    patient = report["calls"][0]
    assert patient["payload"]["fullName"] == "Meera Nair"
    by_field = {origin["field"]: origin for origin in patient["lineage"]}
    assert by_field["fullName"]["raw"] == "Nair^Meera"


def test_later_files_know_what_earlier_ones_taught(run: Any, file: Path, tmp_path: Path) -> None:
    order = tmp_path / "z-order.json"
    order.write_text('{"externalVisitId": "V1", "Medications": [{"name": "Paracetamol"}]}')
    assert as_json(run, order)[0]["status"] == "held"
    assert as_json(run, order)[0]["needs"] == ["patient-visits/V1"]
    assert as_json(run, file, order)[1]["status"] == "waiting"


def test_a_service_is_ordered_once_in_a_run(run: Any, file: Path, tmp_path: Path) -> None:
    orders = []
    for number, price in enumerate((300, 300, 350)):
        orders.append(tmp_path / f"z-{number}.json")
        line = {"externalServiceId": "S1", "name": "ECG", "price": price, "status": "SCHEDULED"}
        orders[-1].write_text(json.dumps({"externalVisitId": "V1", "Services": [line]}))
    _, first, again, changed = as_json(run, file, *orders)
    assert [first["status"], again["status"], changed["status"]] == [
        "waiting",
        "suppressed",
        "waiting",
    ]
    assert again["remarks"] == ["line.status: says nothing new to the hospital; left out"]
    segments = changed["calls"][0]["payload"]["segments"]
    charged = [fields["12.1.1"] for name, fields in segments if name == "FT1"]
    assert charged == ["300", "350"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (adt(kind="ORU^R01"), "unmapped"),
        (b'{"resourceType": "Patient", "id": "7"', "parked"),
        (b"no message at all", "rejected"),
    ],
)
def test_what_makes_no_calls_says_why(run: Any, tmp_path: Path, body: bytes, status: str) -> None:
    path = tmp_path / "odd.hl7"
    path.write_bytes(body)
    (report,) = as_json(run, path)
    assert report["status"] == status
    assert run("translate", str(path)).exit_code == 0


def test_a_file_that_is_not_there_is_told(run: Any) -> None:
    result = run("translate", "gone.hl7")
    assert result.exit_code == 1
    assert isinstance(result.exception, BridgeError)
    assert str(result.exception) == "no such file: gone.hl7"


def test_nothing_is_kept(run: Any, file: Path, tmp_path: Path) -> None:
    run("translate", str(file))
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name]
