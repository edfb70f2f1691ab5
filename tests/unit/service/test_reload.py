"""Mappings that are changed while the service runs, and brought back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.errors import BridgeError
from bridge.mapping.engine.sets import InUse
from bridge.message import Message, Protocol, Status
from bridge.notices import NoticeKind, sentence
from bridge.pipeline.planning.uses import USES_NOTE, Uses
from bridge.reports.lists import mappings_in_use, version_rows
from bridge.service.parts import read_parts
from bridge.service.reload import Reload
from bridge.service.watch import Watch
from bridge.settings import Channel, MappingSettings, Settings, Site
from bridge.shipped import mappings_folder
from bridge.store.contract import Store, Transaction
from bridge.store.open import open_store

RIGHT, OTHER, WRONG = "rows: {F: Woman}\n", "rows: {F: Frau}\n", "rowz: {F: Woman}\n"


class Shop:
    """A store, the sites' files, and what is in use of them."""

    def __init__(self, folder: Path, *, sites: tuple[str, ...] = ("lakeside",)) -> None:
        self.folder = folder
        self.sites = sites
        self.now = 100.0
        self.changes = 0
        self.ends: list[str] = []
        for site in sites:
            self.write(RIGHT, site)
        self.store: Store = open_store(
            f"sqlite:///{folder}/bridge.db", free_bytes=0, clock=lambda: self.now
        )
        self.open()

    def open(self, **site: Any) -> None:
        """As at a start of the service."""
        self.settings = Settings(
            site=Site(**site),
            mappings=MappingSettings(sites=self.folder / "sites", folder=self.shipped()),
            channels=tuple(Channel(name=site, site=site) for site in self.sites),
        )
        parts = read_parts(self.settings)
        self.in_use = InUse(parts.sets)
        self.reload = Reload(
            self.store,
            self.settings,
            parts,
            self.in_use,
            clock=lambda: self.now,
            changed=self._changed,
            counted=self.ends.append,
        )

    def shipped(self) -> Path | None:
        copy = self.folder / "shipped"
        return copy if copy.exists() else None

    def _changed(self) -> None:
        self.changes += 1

    def write(self, text: str, site: str = "lakeside", file: str = "codes/gender.yaml") -> None:
        path = self.folder / "sites" / site / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def gender(self, site: str = "lakeside") -> str:
        row = self.in_use.of(site).tables["gender"].row("F")
        assert row is not None
        return str(row.value)

    def hash(self, site: str = "lakeside") -> str:
        return self.in_use.of(site).hash


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    made = Shop(tmp_path)
    await made.reload.take_up()
    yield made
    await made.store.close()


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Shop]:
    made = Shop(tmp_path, sites=("lakeside", "riverside"))
    await made.reload.take_up()
    yield made
    await made.store.close()


async def test_a_changed_file_is_taken_as_a_whole_new_set(shop: Shop) -> None:
    before = shop.in_use.sets
    shop.write(OTHER)
    report = await shop.reload.reload()
    assert shop.gender() == "Frau"
    assert shop.in_use.sets is not before
    assert report["taken"]
    (change,) = report["sets"]
    assert (change["before"], change["hash"]) == (before.of("lakeside").hash, shop.hash())
    assert change["files"] == ["codes/gender.yaml"]
    assert shop.store.read(lambda view: view.mapping_version(shop.hash())) is not None
    assert (shop.changes, shop.ends) == (2, ["taken"])


async def test_who_asked_before_goes_on_with_the_set_he_was_given(shop: Shop) -> None:
    given = shop.in_use.of("lakeside")
    shop.write(OTHER)
    await shop.reload.reload()
    row = given.tables["gender"].row("F")
    assert row is not None
    assert row.value == "Woman"


async def test_what_did_not_change_is_not_made_again(shop: Shop) -> None:
    old = {each.name: each.makers for each in shop.in_use.of("lakeside").all}
    shop.write("about: other\n", file="codes/dose_unit.yaml")
    await shop.reload.reload()
    new = {each.name: each.makers for each in shop.in_use.of("lakeside").all}
    assert [m.__code__ for m in new["hl7v2/adt_registration"]] == [
        m.__code__ for m in old["hl7v2/adt_registration"]
    ]


async def test_the_same_files_change_nothing(shop: Shop) -> None:
    before = shop.in_use.sets
    report = await shop.reload.reload()
    assert shop.in_use.sets is before
    assert [each["changed"] for each in report["sets"]] == [False]
    assert (shop.changes, shop.ends) == (1, ["unchanged"])


async def test_a_wrong_set_is_refused_with_all_faults_and_the_present_one_stays(
    shop: Shop,
) -> None:
    before = shop.in_use.sets
    shop.write(WRONG)
    shop.write("id: {frm: PID-3}\n", file="parts/patient_from_pid.yaml")
    with capture_logs() as logged:
        report = await shop.reload.reload()
    assert shop.in_use.sets is before
    assert not report["taken"]
    assert {"rowz", "id.frm"} <= {fault["key"] for fault in report["faults"]}
    assert [line["event"] for line in logged] == ["mappings refused, the present ones stay"]
    (notice,) = shop.reload.notices()
    assert notice.kind is NoticeKind.MAPPINGS_REFUSED
    assert notice.number == len(report["faults"]) - 1
    assert "refused at 1970-01-01 05:31:40 IST" in sentence(notice, "Asia/Kolkata")
    assert "bridge check" in sentence(notice, "Asia/Kolkata")
    assert shop.ends == ["refused"]


async def test_once_right_again_nothing_is_told(shop: Shop) -> None:
    shop.write(WRONG)
    await shop.reload.reload()
    shop.write(RIGHT)
    await shop.reload.reload()
    assert list(shop.reload.notices()) == []


async def test_a_wrong_site_keeps_all_sites_as_they_were(two: Shop) -> None:
    two.write(OTHER, "lakeside")
    two.write(WRONG, "riverside")
    assert not (await two.reload.reload())["taken"]
    assert two.gender("lakeside") == "Woman"


async def test_each_site_has_a_version_of_its_own(two: Shop) -> None:
    two.write(OTHER, "riverside")
    await two.reload.reload()
    assert (two.gender("lakeside"), two.gender("riverside")) == ("Woman", "Frau")
    assert two.hash("lakeside") != two.hash("riverside")


async def test_a_site_that_no_channel_names_any_longer_is_not_in_use(two: Shop) -> None:
    two.write(OTHER, "riverside")
    await two.reload.reload()
    gone = two.hash("riverside")
    two.sites = ("lakeside",)
    two.open()
    await two.reload.take_up()
    assert [each.site for each in two.store.read(mappings_in_use)] == ["lakeside"]
    versions = two.store.read(lambda view: version_rows(view, 10))
    (left,) = [each for each in versions if each.hash == gone]
    assert (left.sites, left.in_use_by) == (["riverside"], [])


async def test_a_changed_catalogue_asks_for_a_restart(shop: Shop, tmp_path: Path) -> None:
    for file in mappings_folder().glob("*/*.yaml"):
        copy = tmp_path / "shipped" / file.parent.name / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    shop.open()
    with (tmp_path / "shipped/zauto/patients.yaml").open("a") as file:
        file.write("# changed\n")
    (fault,) = (await shop.reload.reload())["faults"]
    assert fault["file"].endswith("shipped/zauto/patients.yaml")
    assert "restart the bridge" in fault["message"]


async def test_rollback_brings_the_set_before_back_and_pins_it(shop: Shop) -> None:
    first = shop.hash()
    shop.write(OTHER)
    await shop.reload.reload()
    report = await shop.reload.rollback("", None)
    assert report["sets"][0]["hash"] == shop.hash() == first
    assert shop.gender() == "Woman"
    assert shop.reload.is_pinned()
    (notice,) = shop.reload.notices()
    assert f"mappings {first} of lakeside are pinned" in sentence(notice, "Asia/Kolkata")


async def test_a_pinned_set_is_used_over_a_restart_whatever_the_files_say(shop: Shop) -> None:
    shop.write(OTHER)
    await shop.reload.reload()
    await shop.reload.rollback("", None)
    shop.open()
    assert shop.gender() == "Frau"
    await shop.reload.take_up()
    assert shop.gender() == "Woman"
    assert shop.reload.is_pinned()


async def test_a_pinned_set_keeps_the_settings_it_was_made_for(shop: Shop) -> None:
    shop.write("time_zone: Europe/Oslo\n", file="site.yaml")
    await shop.reload.reload()
    zoned = shop.hash()
    shop.write("time_zone: Europe/Rome\n", file="site.yaml")
    await shop.reload.reload()
    assert shop.hash() != zoned
    await shop.reload.rollback(zoned[:6], None)
    assert shop.in_use.of("lakeside").site.time_zone == "Europe/Oslo"
    assert shop.hash() == zoned


async def test_a_pinned_set_of_another_bridges_settings_does_not_keep_it_from_starting(
    shop: Shop,
) -> None:
    shop.write(OTHER)
    await shop.reload.reload()
    await keep_as_of_another_bridge(shop, "feed")
    report = await shop.reload.rollback("feed", None)
    assert not report["taken"]
    assert (report["faults"][0]["file"], report["faults"][0]["key"]) == ("feed/site.yaml", "ward")
    await shop.store.run(lambda tx: tx.put_note(USES_NOTE, pinned(tx, "feed")))
    shop.open()
    await shop.reload.take_up()
    assert shop.gender() == "Frau"
    assert not shop.reload.is_pinned()


async def keep_as_of_another_bridge(shop: Shop, hash: str) -> None:
    """A set that was in use once, whose settings this version does not know."""
    version = shop.store.read(lambda view: view.mapping_version(shop.hash()))
    assert version is not None
    *folders, _ = version.folders
    foreign = replace(version, hash=hash, folders=[*folders, {"site.yaml": '{"ward": "7"}'}])

    def job(tx: Transaction) -> None:
        tx.keep_mappings(foreign)
        used = Uses.read(tx.note(USES_NOTE))
        tx.put_note(USES_NOTE, used.take({"lakeside": hash}, {}, 50.0).note())

    await shop.store.run(job)


def pinned(tx: Transaction, hash: str) -> str:
    return replace(Uses.read(tx.note(USES_NOTE)), pinned={"lakeside": hash}).note()


async def test_a_reload_takes_the_files_again(shop: Shop) -> None:
    shop.write(OTHER)
    await shop.reload.reload()
    await shop.reload.rollback("", None)
    await shop.reload.reload()
    assert shop.gender() == "Frau"
    assert not shop.reload.is_pinned()
    shop.open()
    await shop.reload.take_up()
    assert shop.gender() == "Frau"


async def test_one_site_is_rolled_back_and_the_other_stays(two: Shop) -> None:
    two.write(OTHER, "lakeside")
    two.write(OTHER, "riverside")
    await two.reload.reload()
    with pytest.raises(BridgeError, match="--site: lakeside, riverside"):
        await two.reload.rollback("", None)
    await two.reload.rollback("", "lakeside")
    assert (two.gender("lakeside"), two.gender("riverside")) == ("Woman", "Frau")


@pytest.mark.parametrize(
    ("prefix", "told"),
    [("", "lakeside never used other mappings"), ("0000", "no mappings 0000 were in use")],
)
async def test_what_was_not_in_use_is_told(shop: Shop, prefix: str, told: str) -> None:
    with pytest.raises(BridgeError, match=told):
        await shop.reload.rollback(prefix, None)


async def test_what_waited_for_a_row_is_released_by_it_and_forgotten(shop: Shop) -> None:
    await shop.store.run(_hold_for_codes)
    shop.write("rows: {W: Female}\nsenders: {MEDIS: {Q: Male}}\notherwise: hold\n")
    await shop.reload.reload()
    left = shop.store.read(lambda view: view.unmapped_codes(9))
    assert {(code.code, code.sender) for code in left} == {("Z", "MEDIS|A"), ("Q", "LABSYS|A")}
    status = {
        number: shop.store.read(lambda view, n=number: view.message(n)).status
        for number in (1, 2, 3)
    }
    assert status == {1: Status.WAITING, 2: Status.HELD, 3: Status.HELD}


async def test_what_waits_for_a_row_is_released_when_the_table_holds_no_longer(
    shop: Shop,
) -> None:
    await shop.store.run(_hold_for_codes)
    shop.open()
    await shop.reload.take_up()
    assert shop.store.read(lambda view: view.unmapped_codes(9)) == []
    assert shop.store.read(lambda view: view.tally()).messages[Status.WAITING] == 3


def _hold_for_codes(tx: Transaction) -> None:
    """W and Z of MEDIS wait, and Q of LABSYS."""
    for code, sender in (("W", "MEDIS"), ("Z", "MEDIS"), ("Q", "LABSYS")):
        message = Message("lakeside", Protocol.HL7V2, "ADT^A04", "", sender, "A", 1.0, b"MSH|")
        kept = tx.keep(
            message, status=Status.WAITING, answer_code="AA", acknowledgment=b"", identity=None
        )
        tx.mark(kept.id, Status.HELD, at=1.0, waits_for=f"codes/gender/{code}")
        tx.count_code("gender", code, f"{sender}|A", 1.0)


async def test_reloads_at_once_are_done_one_after_the_other(shop: Shop) -> None:
    shop.write(OTHER)
    await asyncio.gather(*(shop.reload.reload() for _ in range(3)))
    assert shop.ends == ["taken", "unchanged", "unchanged"]


class TestWatch:
    @pytest.fixture
    def watch(self, shop: Shop) -> Watch:
        return Watch(shop.settings, shop.reload.reload, shop.reload.is_pinned)

    async def test_a_change_is_taken_when_two_looks_saw_the_same(
        self, shop: Shop, watch: Watch
    ) -> None:
        shop.write(OTHER + "# longer\n")
        await watch.once()
        assert shop.gender() == "Woman"
        await watch.once()
        assert shop.gender() == "Frau"
        await watch.once()
        assert shop.ends == ["taken"]

    async def test_what_is_still_being_written_is_waited_for(
        self, shop: Shop, watch: Watch
    ) -> None:
        for length in range(3):
            shop.write(OTHER + "#" * length)
            await watch.once()
        assert shop.ends == []

    async def test_a_wrong_set_is_refused_once_and_not_at_each_look(
        self, shop: Shop, watch: Watch
    ) -> None:
        shop.write(WRONG + "#")
        for _ in range(4):
            await watch.once()
        assert shop.ends == ["refused"]

    async def test_a_new_file_and_one_that_is_gone_are_changes(
        self, shop: Shop, watch: Watch
    ) -> None:
        shop.write("country: NO\n", file="site.yaml")
        for _ in range(2):
            await watch.once()
        assert shop.in_use.of("lakeside").site.country == "NO"
        (shop.folder / "sites/lakeside/site.yaml").unlink()
        for _ in range(2):
            await watch.once()
        assert shop.in_use.of("lakeside").site.country == "IN"

    async def test_a_pinned_set_stays(self, shop: Shop, watch: Watch) -> None:
        shop.write(OTHER)
        await shop.reload.reload()
        await shop.reload.rollback("", None)
        shop.write(OTHER + "# changed\n")
        for _ in range(3):
            await watch.once()
        assert shop.gender() == "Woman"
