"""Which addresses of ZautoAI are taken: one that cannot be called would park every message."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.settings import Zauto


@pytest.mark.parametrize(
    "url",
    [
        "https://api.zautoai.com",
        "http://127.0.0.1:8090",
        "http://[::1]:8090",
        "https://gateway.example/zauto/v1",
    ],
)
def test_an_address_is_taken(url: str) -> None:
    assert Zauto(base_url=f"{url}/").base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "ftp://api.zautoai.com",
        "http://",
        "http://[",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://exa mple",
        "https://user:secret@api.zautoai.com",
        "https://api.zautoai.com/?a=b",
        "https://api.zautoai.com/ü",
    ],
)
def test_what_cannot_be_called_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValidationError, match="must b"):
        Zauto(base_url=url)
