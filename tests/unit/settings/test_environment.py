"""Secrets from the environment and from files that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import SettingsError
from bridge.settings import load

NAME = "BRIDGE_ZAUTO__CLIENT_SECRET"
CASE = Path(__file__).parents[4] / "shared/cases/F29-secret-with-bom.bin"


def secret(environment: dict[str, str]) -> str:
    held = load(None, environment).zauto.client_secret
    assert held is not None
    return held.get_secret_value()


def fault(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as raised:
        load(None, environment)
    return str(raised.value)


@pytest.mark.parametrize(
    "data",
    [
        b"zauto_x",
        b"zauto_x\n",
        b"zauto_x\r\n",
        b"\xef\xbb\xbfzauto_x\n",
        b"\xef\xbb\xbf zauto_x \t\n\n",
    ],
)
def test_a_secret_stands_alone(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "secret").write_bytes(data)
    assert secret({f"{NAME}_FILE": str(tmp_path / "secret")}) == "zauto_x"
    assert secret({NAME: data.decode()}) == "zauto_x"


@pytest.mark.skipif(not CASE.exists(), reason="the shared cases are not beside the repository")
def test_the_case_of_a_secret_with_a_byte_order_mark() -> None:
    assert secret({f"{NAME}_FILE": str(CASE)}) == "zauto_x"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "holds nothing"),
        (b"\xef\xbb\xbf\n", "holds nothing"),
        (b" \n\t", "holds nothing"),
        (b"zauto\nx", "holds several lines"),
        (b"zauto\rx", "holds several lines"),
        (b"zauto\0x", "holds U+0000 as character 6, which cannot be seen; remove it"),
        (b"zauto\x1b[0mx", "holds U+001B as character 6"),
        (b"zauto\x7f", "holds U+007F as character 6"),
        ("zauto\u200bx".encode(), "holds U+200B as character 6"),
        ("zauto\ufeffx".encode(), "holds U+FEFF as character 6"),
        ("zauto\u202ex".encode(), "holds U+202E as character 6"),
        ("zauto_x".encode("utf-16"), "is not UTF-8 but UTF-16 or UTF-32; save it as UTF-8"),
        ("zauto_x".encode("utf-16-le"), "holds U+0000 as character 2"),
        (b"zauto\xfc", "is not UTF-8 here; save it as UTF-8"),
        (b"z" * 65_537, "is larger than 65536 bytes"),
    ],
)
def test_a_file_that_holds_no_secret_is_told_and_not_repeated(
    tmp_path: Path, data: bytes, told: str
) -> None:
    (tmp_path / "secret").write_bytes(data)
    found = fault({f"{NAME}_FILE": str(tmp_path / "secret")})
    assert found.startswith(f"{NAME}_FILE: the file it names {told}")
    assert "zauto" not in found


@pytest.mark.parametrize(
    ("text", "told"), [(" ", "holds nothing"), ("zauto\0x", "holds U+0000"), ("z\nx", "holds sev")]
)
def test_a_variable_that_holds_no_secret_is_told(text: str, told: str) -> None:
    assert fault({NAME: text}).startswith(f"{NAME}: {told}")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("", "must be the path of a file that holds the value"),
        ("hunter2-Zx9", "the file it names cannot be read: No such file or directory"),
        ("hunter2-Zx9" * 500, "the file it names cannot be read: File name too long"),
        ("hunter2-Zx9\0", "is not the path of a file"),
        ("/", "the file it names cannot be read: Is a directory"),
    ],
)
def test_a_path_is_not_repeated(path: str, told: str) -> None:
    assert fault({f"{NAME}_FILE": path}) == f"{NAME}_FILE: {told}"


def test_a_setting_that_two_variables_set_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("zauto_x")
    both = {NAME: "zauto_y", f"{NAME}_FILE": str(tmp_path / "secret")}
    assert fault(both) == f"{NAME}_FILE: sets the same as {NAME}; keep one of them"
    twice = {"BRIDGE_MLLP__PORT": "1", "BRIDGE_MLLP__port": "2"}
    told = "BRIDGE_MLLP__port: sets the same as BRIDGE_MLLP__PORT; keep one of them"
    assert fault(twice) == told


def test_an_empty_variable_leaves_the_file_that_another_names(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("zauto_x")
    assert secret({NAME: "", f"{NAME}_FILE": str(tmp_path / "secret")}) == "zauto_x"
