"""Settings: the file, the environment over it, secrets from neither, and what is said of faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import SettingsError
from bridge.settings import CallLimits, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bridge.yaml"


def fault(file: Path | None = None, **environment: str) -> str:
    with pytest.raises(SettingsError) as told:
        load(file, environment)
    return str(told.value)


class TestSources:
    def test_without_file_and_environment_all_is_as_shipped(self) -> None:
        settings = load(None, {})
        assert (settings.mllp.host, settings.mllp.port, settings.http.port) == (
            "127.0.0.1",
            2575,
            8080,
        )
        assert settings.zauto.base_url is None

    def test_the_environment_wins_over_the_file(self, file: Path) -> None:
        file.write_text("mllp: {port: 1111, host: 10.0.0.1}\nsite: {time_zone: Asia/Tokyo}\n")
        settings = load(file, {"BRIDGE_MLLP__PORT": "2222"})
        assert (settings.mllp.port, settings.mllp.host) == (2222, "10.0.0.1")
        assert settings.site.time_zone == "Asia/Tokyo"

    def test_other_variables_are_left_alone(self) -> None:
        load(None, {"BRIDGE_HOME": "/opt", "PATH": "/bin", "BRIDGED__X": "1"})

    def test_an_empty_variable_unsets(self, file: Path) -> None:
        file.write_text("zauto: {base_url: https://zauto.example}\n")
        assert load(file, {"BRIDGE_ZAUTO__BASE_URL": ""}).zauto.base_url is None

    def test_an_empty_variable_is_an_empty_word_where_a_setting_is_one(self, file: Path) -> None:
        file.write_text("mappings: {site: lakeside}\n")
        assert load(file, {"BRIDGE_MAPPINGS__SITE": ""}).mappings.site == ""

    def test_an_empty_file_is_none(self, file: Path) -> None:
        file.write_text("# nothing yet\n")
        assert load(file, {}) == load(None, {})

    @pytest.mark.parametrize(
        ("value", "limits"),
        [("documented", CallLimits(hour=1000, minute=100)), ("off", None)],
    )
    def test_the_call_limits(self, value: str, limits: CallLimits | None) -> None:
        assert load(None, {"BRIDGE_ZAUTO__LIMITS": value}).zauto.call_limits() == limits

    def test_the_call_limits_may_be_numbers(self) -> None:
        environment = {"BRIDGE_ZAUTO__LIMITS__HOUR": "500", "BRIDGE_ZAUTO__LIMITS__MINUTE": "50"}
        assert load(None, environment).zauto.call_limits() == CallLimits(hour=500, minute=50)

    def test_an_address_ends_without_a_slash(self) -> None:
        settings = load(None, {"BRIDGE_ZAUTO__BASE_URL": "https://zauto.example/"})
        assert settings.zauto.base_url == "https://zauto.example"


class TestSecrets:
    def test_one_comes_from_the_environment_and_is_never_printed(self) -> None:
        settings = load(None, {"BRIDGE_ZAUTO__CLIENT_SECRET": "sesame"})
        assert settings.zauto.client_secret is not None
        assert settings.zauto.client_secret.get_secret_value() == "sesame"
        assert "sesame" not in repr(settings)

    def test_one_comes_from_a_file_that_is_named(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("sesame\n")
        settings = load(None, {"BRIDGE_FHIR__API_KEY_FILE": str(secret)})
        assert settings.fhir.api_key is not None
        assert settings.fhir.api_key.get_secret_value() == "sesame"

    def test_a_file_that_cannot_be_read_is_told(self, tmp_path: Path) -> None:
        told = fault(BRIDGE_FHIR__API_KEY_FILE=str(tmp_path / "gone"))
        assert told.startswith("BRIDGE_FHIR__API_KEY_FILE: ")
        (tmp_path / "binary").write_bytes(b"\xff\xfe")
        assert "is not UTF-8" in fault(BRIDGE_FHIR__API_KEY_FILE=str(tmp_path / "binary"))

    @pytest.mark.parametrize(
        ("section", "key"), [("zauto", "client_secret"), ("fhir", "api_key"), ("orders", "api_key")]
    )
    def test_one_in_the_settings_file_is_refused_and_not_repeated(
        self, file: Path, section: str, key: str
    ) -> None:
        file.write_text(f"{section}: {{{key}: sesame}}\n")
        told = fault(file)
        assert f"set BRIDGE_{section.upper()}__{key.upper()}" in told
        assert "sesame" not in told

    def test_an_empty_key_is_no_key(self) -> None:
        assert load(None, {"BRIDGE_ORDERS__API_KEY": ""}).orders.api_key is None

    def test_a_secret_of_the_wrong_kind_is_not_repeated(self) -> None:
        assert "sesame" not in fault(BRIDGE_FHIR__API_KEY__X="sesame")


class TestFaults:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("mllp: {port: 99999}", "mllp.port: must be at most 65535"),
            ("mllp: {prot: 1}", "mllp.prot: is not a setting. Did you mean 'port'?"),
            ("mpll: {}", "mpll: is not a setting. Did you mean 'mllp'?"),
            ("- mllp", "must hold sections such as 'mllp:'"),
            ("mllp: [", "is not YAML"),
            (
                "zauto: {limits: sometimes}",
                "zauto.limits: must be 'documented' or 'off', or must be a section",
            ),
            ("mllp: {port: many}", "mllp.port: must be a whole number"),
            ("mllp: 2575", "mllp: must be a section with settings of its own"),
            ("channels: [{name: a, lisener: mllp}]", "not a setting. Did you mean 'listener'?"),
            ("zauto: {limits: {our: 1}}", "is not a setting. Did you mean 'hour'?"),
            ("zauto: {limits: {hour: 0}}", "zauto.limits.hour: must be at least 1"),
            ("zauto: {base_url: zauto.example}", "zauto.base_url: must begin with https://"),
            ("site: {time_zone: '{Mars}'}", "is not an IANA time zone such as"),
            ("site: {time_zone: Asia/Calcuta}", "time zone. Did you mean 'Asia/Calcutta'?"),
            ("site: {no_visit_time: evnt}", "'event' or 'park'. Did you mean 'event'?"),
            ("site: {uhid: [prefixes]}", "Did you mean 'prefix'?"),
            ("site: {partial_birth_dates: firstday}", "Did you mean 'first_day'?"),
            ("channels: []", "channels: needs at least one channel"),
            ("channels: [{name: a}, {name: a}]", "every name only once"),
            (
                "channels: [{name: a, listener: ftp}]",
                "channels.0.listener is neither mllp, fhir, orders nor one of listeners",
            ),
            ("listeners: [{name: mllp, port: 1}]", "listeners.0.name is that of another listener"),
            ("listeners: [{name: lab}]", "channels: listeners.0 needs a channel"),
            (
                "listeners: [{name: lab, prot: 1}]",
                "listeners.0.prot: is not a setting. Did",
            ),
            ("mllp: {allow: ['10.1']}", "mllp.allow: must be addresses or networks"),
            (
                "mllp: {tls: {certificate: a, key: b, client_names: [c]}}",
                "mllp.tls: client_names needs client_ca",
            ),
        ],
    )
    def test_a_wrong_file_is_told_with_the_settings_name(
        self, file: Path, text: str, told: str
    ) -> None:
        file.write_text(text + "\n")
        assert fault(file).startswith(f"{file}:")
        assert told in fault(file)
        assert "Literal" not in fault(file)
        assert "CallLimits" not in fault(file)

    def test_a_wrong_variable_is_told_by_its_name(self, file: Path) -> None:
        file.write_text("http: {port: 8080}\n")
        assert fault(file, BRIDGE_HTTP__PORT="many") == "BRIDGE_HTTP__PORT: must be a whole number"
        assert fault(file, BRIDGE_HTPT__PORT="1").startswith("BRIDGE_HTPT__PORT: is not a setting")

    def test_every_fault_is_told_at_once(self) -> None:
        assert len(fault(BRIDGE_HTTP__PORT="many", BRIDGE_MLLP__PORT="-1").splitlines()) == 2

    def test_a_file_that_is_not_there_is_told(self, file: Path) -> None:
        assert fault(file) == f"{file}: cannot be read: No such file or directory"

    def test_a_file_in_another_charset_is_told(self, file: Path) -> None:
        file.write_bytes("site: {name: Zürich}\n".encode("cp1252"))
        assert fault(file) == f"{file}:1:15: is not UTF-8 here; save it as UTF-8."


class TestApplicationAcknowledgment:
    def channel(self, file: Path, text: str) -> str:
        file.write_text(f"channels: [{{name: adt, application_acknowledgment: {{{text}}}}}]\n")
        return fault(file)

    @pytest.mark.parametrize("to", ["lotus", "lotus:", ":2600", "lotus:0", "lotus:65536", ""])
    def test_it_goes_back_or_to_an_address(self, file: Path, to: str) -> None:
        told = self.channel(file, f'to: "{to}"')
        assert "must be same, or an address such as 10.1.2.3:2600" in told

    def test_on_the_senders_connection_no_answer_is_waited_for(self, file: Path) -> None:
        told = self.channel(file, "accept_acknowledgment: AL")
        assert "AL needs an address in 'to'" in told

    @pytest.mark.parametrize("to", ["same", "10.1.2.3:2600", "his.lotus.example:1", "[::1]:2600"])
    def test_both_are_taken(self, file: Path, to: str) -> None:
        file.write_text(f'channels: [{{name: adt, application_acknowledgment: {{to: "{to}"}}}}]\n')
        assert load(file, {}).channels[0].application_acknowledgment.to == to
