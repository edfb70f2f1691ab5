"""Whatever is sent, the answer is one the document knows."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.sandbox.accounts import Accounts
from bridge.sandbox.answers import ApiError, TokenRefusal
from bridge.sandbox.collection import Collection
from bridge.sandbox.database import Database
from bridge.shipped import mappings_folder
from bridge.zauto.catalogue import load

CATALOGUE = load(mappings_folder() / "zauto")
GOOD: dict[str, dict[str, Any]] = {
    "patients": {"id": "p1", "uhid": 1, "fullName": "Meera Iyer", "phoneNumber": "+919812345678"},
    "providers": {"id": "d1", "fullName": "Dr. Farah Khan"},
}
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.datetimes().map(lambda moment: moment.isoformat() + "+14:00")
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def bodies(resource: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from([*CATALOGUE[resource].fields, "else"]), SCALARS | JSON)


@given(st.datetimes().map(lambda moment: f"{moment.isoformat()}+14:00"))
@settings(deadline=None)
def test_any_moment_can_be_a_visits(moment: str) -> None:
    state = Database()
    Collection(CATALOGUE["patients"], state).create(orjson.dumps(GOOD["patients"]), 0.0)
    visit = {"id": "v1", "patientId": "p1", "visitDateTime": moment}
    assert not refused(
        Collection(CATALOGUE["patient-visits"], state).create, orjson.dumps(visit), 0
    )


def collection(resource: str) -> Collection:
    return Collection(CATALOGUE[resource], Database())


def refused(act: Any, *arguments: Any) -> bool:
    try:
        act(*arguments)
    except ApiError:
        return True
    return False


@pytest.mark.parametrize("resource", sorted(GOOD))
@given(data=st.data())
@settings(deadline=None)
def test_any_body_is_made_a_record_that_reads_back_the_same_or_refused(
    resource: str, data: st.DataObject
) -> None:
    given_body = GOOD[resource] | data.draw(bodies(resource))
    records = collection(resource)
    if refused(records.create, orjson.dumps(given_body), 0.0):
        assert records.list({}).body["data"] == []
        return
    (record,) = records.list({}).body["data"]
    sent = {name: value for name, value in given_body.items() if value is not None}
    shown = {name: record[name] for name in sent if name != "id"}
    assert record["externalId"] == sent.pop("id")
    assert shown == sent


@given(st.binary(max_size=40))
def test_any_bytes_are_refused_or_read(body: bytes) -> None:
    refused(collection("patients").create, body, 0.0)


@given(st.dictionaries(st.sampled_from(["page", "limit", "search"]), st.text()))
@settings(deadline=None)
def test_any_query_is_refused_or_answered(query: dict[str, str]) -> None:
    records = collection("patient-visits")
    if not refused(records.list, query):
        assert records.list(query).status == 200


@given(JSON.map(orjson.dumps) | st.binary(max_size=40))
def test_any_token_request_is_refused_in_the_words_of_rfc_6749(body: bytes) -> None:
    with pytest.raises(TokenRefusal):
        Accounts(Database()).grant(body, 0.0)
