from __future__ import annotations

import re

from bridge.zauto import contract
from bridge.zauto.contract import ORDERS, STATUS_OF, STATUSES, ErrorCode


def test_every_code_has_one_of_the_documents_statuses() -> None:
    assert set(STATUS_OF) == set(ErrorCode)
    assert set(STATUS_OF.values()) < set(STATUSES)
    assert len(STATUSES) == 9


def test_the_documents_credentials_fit_their_patterns() -> None:
    assert re.fullmatch(contract.CLIENT_ID_PATTERN, "zauto_hospital_a1b2c3d4")
    assert re.fullmatch(contract.CLIENT_SECRET_PATTERN, "zauto_" + "1234567890abcdef" * 4)


def test_an_order_names_its_lines_as_the_document_does() -> None:
    assert {kind: order.lines for kind, order in ORDERS.items()} == {
        "prescriptions": "Medications",
        "services": "Services",
    }
