"""A file put into the catalogue's folder is a resource: no line of code knows its name."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from bridge.errors import DoorError
from bridge.sandbox.app import make_app
from bridge.sandbox.database import Database
from bridge.zauto.catalogue import Catalogue, load

WARDS = """\
name: wards
title: Ward
path: /zauto-api/wards
fields:
  id: {required: true}
  name: {required: true}
  beds: {type: number}
  siteId: {refers_to: sites}
created: [name]
search: [name, site.name]
order: -beds
examples:
  - {id: w1, name: Maternity, beds: 12, siteId: s1}
"""
SITES = """\
name: sites
title: Site
path: /zauto-api/sites
fields:
  id: {required: true}
  name: {required: true}
search: [name]
examples:
  - {id: s1, name: Riverside}
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    (tmp_path / "wards.yaml").write_text(WARDS)
    (tmp_path / "sites.yaml").write_text(SITES)
    return load(tmp_path)


async def test_it_is_created_listed_updated_and_deleted(api: httpx.AsyncClient) -> None:
    made = await api.post("/zauto-api/wards", json={"id": "w2", "name": "ICU", "beds": 40})
    assert made.json()["message"] == "Ward created successfully"
    assert made.json()["data"].keys() == {"id", "externalId", "name", "createdAt"}
    changed = await api.put("/zauto-api/wards/w2", json={"beds": 41})
    assert changed.json()["data"]["beds"] == 41
    listed = (await api.get("/zauto-api/wards")).json()["data"]
    assert [ward["externalId"] for ward in listed] == ["w2", "w1"]
    assert (await api.delete("/zauto-api/wards/w2")).status_code == 200
    assert (await api.get("/zauto-api/wards/w2")).status_code == 404


async def test_it_is_searched_by_what_it_refers_to(api: httpx.AsyncClient) -> None:
    found = await api.get("/zauto-api/wards?search=RIVER")
    assert [ward["externalId"] for ward in found.json()["data"]] == ["w1"]


async def test_its_referents_must_exist(api: httpx.AsyncClient) -> None:
    refused = await api.put("/zauto-api/wards/w1", json={"siteId": "s9"})
    assert refused.json()["errorCode"] == "REFERENCED_RESOURCE_NOT_FOUND"


async def test_no_other_resource_is_served(api: httpx.AsyncClient) -> None:
    assert (await api.get("/zauto-api/patients")).status_code == 404


def test_an_example_that_does_not_fit_its_fields_stops_the_start(
    tmp_path: Path, state: Database
) -> None:
    (tmp_path / "sites.yaml").write_text(SITES.replace("name: Riverside", "name: 7"))
    with pytest.raises(DoorError, match=r"'sites': an example .* name must be a string"):
        make_app(load(tmp_path), state)
