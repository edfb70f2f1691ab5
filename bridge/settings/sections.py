"""Every setting, with its default and what it may be."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bridge.settings.acknowledging import AcknowledgmentPolicy

Port = Annotated[int, Field(ge=0, le=65535)]


#: what comes by HTTP
HTTP_LISTENERS = ("fhir", "orders")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Section):
    """Caps on what comes in; each is checked before anything is parsed."""

    #: bytes of one MLLP frame, and of one HTTP body
    frame: int = Field(default=16 * 1024 * 1024, ge=1024)
    segments: int = Field(default=5_000, ge=1)
    #: fields of one segment
    fields: int = Field(default=1_000, ge=1)
    #: repetitions of one field
    repetitions: int = Field(default=1_000, ge=1)
    #: messages of one MLLP frame; also lines of it that are headers or trailers of batches
    messages: int = Field(default=1_000, ge=1)
    #: bytes of all MLLP frames under way together; above it only the oldest is read on
    partial_frames: int = Field(default=256 * 1024 * 1024, ge=1024)


class Tls(_Section):
    """The certificates of a listener, read again when their files change, and on SIGHUP."""

    #: PEM: the listener's certificate, then those between it and its authority
    certificate: Path
    #: PEM, without a passphrase
    key: Path
    #: PEM: authorities; with them every sender must show a certificate of one of them
    client_ca: Path | None = None
    #: common names or DNS names of the senders' certificates that are taken; empty takes any
    client_names: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_of_somebody(self) -> Self:
        if self.client_names and self.client_ca is None:
            raise ValueError("client_names needs client_ca, or no certificate is asked for")
        return self


class Mllp(_Section):
    """An MLLP listener."""

    host: str = "127.0.0.1"
    #: 2575 is the port IANA registered for HL7 over MLLP
    port: Port = 2575
    #: seconds from the first byte of a frame to its last
    frame_seconds: float = Field(default=60, gt=0)
    #: milliseconds of silence behind an FS after which it ended its frame: of senders without CR
    end_silence_ms: int = Field(default=250, ge=1)
    #: seconds without a frame after which a connection is closed; 0 never
    idle_seconds: float = Field(default=0, ge=0)
    #: seconds a sender is kept waiting when the store cannot keep, before it is hung up on
    busy_seconds: float = Field(default=20, gt=0)
    connections: int = Field(default=10_000, ge=1)
    #: connections of one address
    connections_per_address: int = Field(default=1_000, ge=1)
    #: addresses and networks that may connect, `10.1.0.0/16`; empty lets any
    allow: tuple[str, ...] = ()
    #: null speaks plain TCP
    tls: Tls | None = None

    @field_validator("allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                ip_network(each)
            except ValueError as error:
                raise ValueError("must be addresses or networks such as 10.1.0.0/16") from error
        return value


class NamedMllp(Mllp):
    """One more of them."""

    #: what channels give as their `listener`
    name: str


class Http(_Section):
    """The HTTP listener: FHIR, orders, health and metrics."""

    host: str = "127.0.0.1"
    port: Port = 8080
    #: bytes of one request body
    body: int = Field(default=16 * 1024 * 1024, ge=1024)
    #: seconds a request's head, and then its body, may take to come in
    read_seconds: float = Field(default=30, gt=0)


def _is_address(url: str) -> bool:
    """Whether a URL is a host, with port and path perhaps, and nothing else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not set(url) & set(" @?#%\\")
    return plain and bool(parts.hostname) and port != 0


class CallLimits(_Section):
    """Requests ZautoAI allows one client."""

    hour: int = Field(default=1000, ge=1)
    minute: int = Field(default=100, ge=1)


class Zauto(_Section):
    """ZautoAI's API."""

    #: `https://api.zautoai.com`, or the sandbox's address; there is no default
    base_url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    limits: Literal["documented", "off"] | CallLimits = "documented"
    #: seconds a lane stays quiet after a request whose effect is unknown
    quiet_seconds: float = Field(default=60, ge=0)
    #: seconds a request may take in all, and to connect
    deadline_seconds: float = Field(default=40, gt=0)
    connect_seconds: float = Field(default=5, gt=0)
    #: requests under way at once
    connections: int = Field(default=8, ge=1)
    #: operations ZautoAI lacks, `read patient-visits` (then lists are searched) or `update …`
    not_offered: tuple[Annotated[str, Field(pattern=r"^(read|update) [a-z-]+$")], ...] = ()
    #: hours that anything is held for a record that does not come, before it is parked
    hold_hours: float = Field(default=72, gt=0)

    def call_limits(self) -> CallLimits | None:
        """The limits in force, or None where there are none."""
        if self.limits == "off":
            return None
        return CallLimits() if self.limits == "documented" else self.limits

    @field_validator("base_url")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if not value:
            return None
        if not value.startswith(("https://", "http://")):
            raise ValueError("must begin with https:// or http://")
        if not _is_address(value):
            raise ValueError("must be an address such as https://api.zautoai.com, in ASCII")
        return value.rstrip("/")


class StoreSettings(_Section):
    """Where messages are kept."""

    #: `sqlite:///relative/path.db` or `sqlite:////absolute/path.db`
    url: str = "sqlite:///var/bridge.db"
    #: bytes that must stay free on the disk; below, nothing is acknowledged
    free_bytes: int = Field(default=256 * 1024 * 1024, ge=0)


class Key(_Section):
    """A door that takes a key: `Authorization: Bearer <key>` or `X-API-Key: <key>`."""

    api_key: SecretStr | None = None


class Hospital(_Section):
    """The hospital's interface engine, where orders go."""

    host: str = "127.0.0.1"
    port: Port | None = None
    #: MSH-3 to MSH-6 of what is sent
    sending_application: str = "ZAUTO"
    sending_facility: str = "ZAUTOAI"
    receiving_application: str = "HIS"
    receiving_facility: str = "HOSPITAL"
    version: str = "2.5.1"
    processing_id: str = "P"
    #: MSH-15 and MSH-16 of what is sent; both empty is the original mode
    accept_acknowledgment: str = ""
    application_acknowledgment: str = ""
    connect_seconds: float = Field(default=5, gt=0)
    answer_seconds: float = Field(default=30, gt=0)


class Site(_Section):
    """What is true of the hospital, and the policies its messages are read by."""

    name: str = "hospital"
    #: zone of times that name none, IANA name
    time_zone: str = "Asia/Kolkata"
    #: region of phone numbers without a country code, ISO 3166 alpha-2
    country: str = "IN"
    currency: str = "INR"
    #: a comma in a dose or price is the decimal comma: `0,5` is a half, and `1,000` is not read
    decimal_comma: bool = False
    #: RXE-3 of a dose that is not coded: 0 or nothing
    uncoded_dose: Literal["zero", "empty"] = "zero"
    #: what is charged (FT1) in service orders: `new` charges a price once and a changed price in
    #: its place, `off` nothing
    charges: Literal["new", "off"] = "new"
    #: identifier types that may be `id`, best first (HL7 table 0203); then the first of any type
    identifier_types: tuple[str, ...] = ("MR", "PI")
    #: what makes the number `uhid`, tried in order: `digits` (all digits, separators dropped,
    #: at most 15), `prefix` (letters then digits), `allocate` (a durable counter)
    uhid: tuple[Literal["digits", "prefix", "allocate"], ...] = ("digits", "prefix", "allocate")
    #: take the next of kin's phone where the patient has none
    next_of_kin_phone: bool = False
    #: sent as phoneNumber where there is no phone at all; null parks the patient
    placeholder_phone: str | None = None
    #: what stands for a visit number that is missing: `account` (PID-18), `admission` (a number
    #: made of the patient and PV1-44), tried in this order; `park` parks what still has none
    no_visit_number: tuple[Literal["account", "admission", "park"], ...] = ()
    #: when a visit began that does not say: at the `event`'s time, or `park` it
    no_visit_time: Literal["event", "park"] = "event"
    #: a birth date of a year or month alone: `drop` it, take its `first_day`, or `park` the message
    partial_birth_dates: Literal["drop", "first_day", "park"] = "drop"
    #: what becomes at ZautoAI of a record that the hospital deletes (A23, A29): `mark` says so in
    #: its remarks or status, `keep` leaves it, `delete` deletes it
    deletes: Literal["mark", "keep", "delete"] = "mark"
    #: what is left of a record that was merged into another says so, in its remarks or status
    mark_merged: bool = True
    #: groups of assigning authorities or systems that mean the same one
    same_authorities: tuple[tuple[str, ...], ...] = ()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        # `Asia` is a folder of the database
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            near = get_close_matches(value, available_timezones(), 1)
            meant = f". Did you mean '{near[0]}'?" if near else " such as Asia/Kolkata"
            raise ValueError(f"is not an IANA time zone{meant}") from error
        return value


class Channel(_Section):
    """One way in, with the policies that hang on it."""

    name: str
    #: `mllp`, one of `listeners`, `fhir` or `orders`
    listener: str = "mllp"
    #: MSH-3 and MSH-4 a message must carry to belong here; empty takes any
    sending_application: str = ""
    sending_facility: str = ""
    #: charset of messages whose MSH-18 says nothing; empty takes UTF-8, or else the fallback
    default_charset: str = ""
    #: charset of messages whose MSH-18 says nothing and that are not UTF-8
    fallback_charset: str = "cp1252"
    #: charset of all messages, whatever MSH-18 says; empty believes it
    forced_charset: str = ""
    #: the later answer of enhanced mode, where MSH-16 asks for one
    application_acknowledgment: AcknowledgmentPolicy = AcknowledgmentPolicy()
    #: assigning authority of patient numbers that name none (CX-4, FHIR Identifier.system)
    authority: str = ""
    unknown_types: Literal["accept", "reject"] = "accept"
    #: MSH-11 values taken; empty takes any
    processing_ids: tuple[str, ...] = ()
    #: what becomes of messages that are not built as their version of the standard says
    structure: Literal["off", "warn", "reject"] = "off"
    #: version read into an empty MSH-12
    default_version: str = "2.5.1"
    #: whose mappings its messages are read by, a folder of `mappings.sites`; "" `mappings.site`
    site: str = ""


class MappingSettings(_Section):
    """Which mappings are used."""

    #: folder of the shipped set; null takes the one installed with the package
    folder: Path | None = None
    #: folder with a folder for each site: what it says instead of the shipped set
    sites: Path = Path("conf/sites")
    #: the site of channels that name none; "" is the shipped set as it stands
    site: str = ""
    #: seconds between two looks for files that changed; 0 never looks
    watch_seconds: float = Field(default=2, ge=0)


class Settings(_Section):
    """All of it."""

    site: Site = Site()
    limits: Limits = Limits()
    mllp: Mllp = Mllp()
    #: more MLLP listeners
    listeners: tuple[NamedMllp, ...] = ()
    http: Http = Http()
    zauto: Zauto = Zauto()
    store: StoreSettings = StoreSettings()
    fhir: Key = Key()
    orders: Key = Key()
    hospital: Hospital = Hospital()
    mappings: MappingSettings = MappingSettings()
    channels: tuple[Channel, ...] = Field(default=(Channel(name="default"),), validate_default=True)

    @field_validator("channels")
    @classmethod
    def _distinct(cls, value: tuple[Channel, ...]) -> tuple[Channel, ...]:
        names = [channel.name for channel in value]
        if not names or len(set(names)) != len(names):
            raise ValueError("needs at least one channel, and every name only once")
        return value

    @field_validator("listeners")
    @classmethod
    def _names(cls, value: tuple[NamedMllp, ...]) -> tuple[NamedMllp, ...]:
        taken = {"mllp", *HTTP_LISTENERS}
        for number, each in enumerate(value):
            if each.name in taken:
                raise ValueError(f"listeners.{number}.name is that of another listener")
            taken.add(each.name)
        return value

    @field_validator("channels")
    @classmethod
    def _of_listeners(cls, value: tuple[Channel, ...], info: ValidationInfo) -> tuple[Channel, ...]:
        more = [each.name for each in info.data.get("listeners", ())]
        named = [channel.listener for channel in value]
        for number, name in enumerate(named):
            if name not in ("mllp", *HTTP_LISTENERS, *more):
                told = f"channels.{number}.listener is neither mllp, fhir, orders nor one of"
                raise ValueError(f"{told} listeners")
        for number, name in enumerate(more):
            if name not in named:
                raise ValueError(f"listeners.{number} needs a channel that names it")
        return value

    def mllp_listeners(self) -> Mapping[str, Mllp]:
        """Every MLLP listener by its name."""
        return {"mllp": self.mllp, **{each.name: each for each in self.listeners}}

    def site_of(self, channel: str) -> str:
        """The name of the site whose mappings a channel's messages are read by, "" for none."""
        own = next((each.site for each in self.channels if each.name == channel), "")
        return own or self.mappings.site

    def sites(self) -> tuple[str, ...]:
        """The names of all sites that are in use, "" for messages of no site."""
        return tuple(dict.fromkeys(self.site_of(each.name) for each in self.channels))
