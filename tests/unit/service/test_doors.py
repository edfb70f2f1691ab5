"""Several MLLP listeners in one service: channels, certificates, and what is told of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.notices import sentence
from bridge.service.parts import CheckedParts, read_parts
from bridge.service.service import Service
from bridge.settings import Settings, load
from tests.doors.certificates import Authority
from tests.unit.pipeline.hl7 import adt
from tests.unit.service.test_service import asked, page, sent

PARTS: CheckedParts = read_parts(Settings())
FILE = """
mllp: {{port: 0}}
http: {{port: 0}}
store: {{url: 'sqlite:///{folder}/bridge.db', free_bytes: 0}}
listeners:
  - {{name: lab, port: 0}}
  - {{name: his, port: 0, tls: {{certificate: {tls.certificate}, key: {tls.key}}}}}
channels:
  - {{name: wards}}
  - {{name: lotus, listener: lab, sending_facility: LOTUS}}
  - {{name: lab, listener: lab}}
  - {{name: his, listener: his}}
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def service(tmp_path: Path, authority: Authority) -> AsyncIterator[Service]:
    file = tmp_path / "bridge.yaml"
    file.write_text(FILE.format(folder=tmp_path, tls=authority.listener()))
    made = Service(load(file, {}), PARTS)
    yield made
    await made.stop()


async def test_what_comes_by_a_listener_belongs_to_one_of_its_channels(service: Service) -> None:
    addresses = await service.start()
    await sent(addresses.mllp, adt("C1"))
    await sent(addresses.listeners["lab"], adt("C2"))
    await sent(addresses.listeners["lab"], adt("C3").replace(b"LOTUS", b"BANYAN", 1))
    kept = service.store.read(lambda view: view.messages())
    channels = {each.message.control_id: each.message.channel for each in kept}
    assert channels == {"C1": "wards", "C2": "lotus", "C3": "lab"}


async def test_status_and_metrics_tell_how_long_certificates_hold(service: Service) -> None:
    addresses = await service.start()
    report = {
        row["listener"]: row for row in (await asked(service, {"ask": "status"}))["listeners"]
    }
    assert set(report) == {"mllp", "lab", "his"}
    assert report["lab"]["certificate_days_left"] is None
    assert report["his"]["tls"]
    assert report["his"]["certificate_days_left"] > 30
    shown = await page(addresses.http, "/metrics")
    assert b'bridge_certificate_days_left{listener="his"}' in shown


async def test_a_certificate_that_ends_soon_is_told(service: Service) -> None:
    await service.start()
    assert service.doors is not None
    before = service.doors.mllp._clock()
    certificates = service.doors.mllp.listeners["his"].certificates
    assert certificates is not None
    certificates.ends_at = before + 5.5 * 86_400
    (notice,) = service.doors.mllp.notices()
    said = "the certificate of listener 'his' ends in 5 days: renew it"
    assert sentence(notice, "Asia/Kolkata") == said
    certificates.ends_at = before - 1
    (notice,) = service.doors.mllp.notices()
    assert "has ended: no sender can connect" in sentence(notice, "Asia/Kolkata")
    assert notice in service.status.notices()


async def test_reload_reads_all_certificates_again(service: Service, authority: Authority) -> None:
    await service.start()
    assert service.doors is not None
    certificates = service.doors.mllp.listeners["his"].certificates
    assert certificates is not None
    certificates.ends_at = 0.0
    authority.listener()
    service.reload_soon()
    assert certificates.ends_at > 0.0
