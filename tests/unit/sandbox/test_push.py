from __future__ import annotations

import hashlib
import hmac

import pytest

from bridge.sandbox.push import Scheme, Signature

BODY = b'{"externalVisitId": "v1"}'
DIGEST = hmac.new(b"s3cret", BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("scheme", "secret", "headers"),
    [
        (Scheme.API_KEY, "s3cret", {"X-API-Key": "s3cret"}),
        (Scheme.BEARER, "s3cret", {"Authorization": "Bearer s3cret"}),
        (Scheme.BASIC, "Aladdin:open", {"Authorization": "Basic QWxhZGRpbjpvcGVu"}),
        (Scheme.HMAC, "s3cret", {"X-Signature": f"sha256={DIGEST}"}),
    ],
)
def test_each_scheme_has_its_header(scheme: Scheme, secret: str, headers: dict[str, str]) -> None:
    assert Signature(secret, scheme).headers(BODY) == headers


def test_a_secret_is_not_shown() -> None:
    assert "s3cret" not in repr(Signature("s3cret"))
