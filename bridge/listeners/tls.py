"""A listener's certificates: read, asked of senders, and read again without a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.oid import ExtensionOID, NameOID
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from zope.interface import implementer

from bridge.errors import DoorError
from bridge.settings import Tls

log = structlog.get_logger()

#: when files were changed and how long they are
_Stamp = tuple[tuple[int, int, int], ...]
#: OpenSSL's callback: connection, certificate, its fault, its depth in the chain, trusted so far
_Verifier = Callable[[SSL.Connection, crypto.X509, int, int, int], bool]


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """What a listener shows, and what it asks of senders.

    Looks at every accepted connection whether a file has changed; `reload` takes it at once. Files
    that cannot be taken are logged, and what was in use stays in use.
    """

    def __init__(self, settings: Tls) -> None:
        """Raises DoorError where the files are not what they should be."""
        self._settings = settings
        self._stamp = self._stamped()
        self._context, self.ends_at = _read(settings)

    #: seconds since the epoch when the listener's own certificate ends
    ends_at: float

    def serverConnectionForTLS(self, protocol: object) -> SSL.Connection:  # noqa: N802 - Twisted's name
        """A connection with the certificates in force now."""
        if self._stamped() != self._stamp:
            self.reload()
        return SSL.Connection(self._context, None)

    def reload(self) -> None:
        """Read the files again."""
        self._stamp = self._stamped()
        try:
            self._context, self.ends_at = _read(self._settings)
        except DoorError as error:
            log.error("certificates not reloaded: those in use stay", error=str(error))
        else:
            log.info("certificates reloaded", file=str(self._settings.certificate))

    def _stamped(self) -> _Stamp:
        return tuple(map(_stamp, _files(self._settings)))


def _files(settings: Tls) -> list[Path]:
    files = [settings.certificate, settings.key]
    return files if settings.client_ca is None else [*files, settings.client_ca]


def _stamp(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _read(settings: Tls) -> tuple[SSL.Context, float]:
    for file in _files(settings):
        try:
            file.read_bytes()
        except OSError as error:
            raise DoorError(f"mllp: {file} cannot be read: {error.strerror}") from error
    try:
        return _context(settings), _ends_at(settings.certificate)
    except (SSL.Error, crypto.Error, ValueError, TypeError) as error:
        raise DoorError(
            f"mllp: {settings.certificate} and {settings.key} are no PEM certificate with its key "
            f"(or client_ca is no certificate): {words_of(error)}"
        ) from error


def _context(settings: Tls) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    # A session taken up again is not asked for its certificate, nor shown a new one.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION)
    context.use_certificate_chain_file(str(settings.certificate))
    key = serialization.load_pem_private_key(settings.key.read_bytes(), password=None)
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey):
        raise ValueError("the key is none of RSA, elliptic curve and Ed25519")
    context.use_privatekey(key)
    context.check_privatekey()
    if settings.client_ca is not None:
        context.load_verify_locations(str(settings.client_ca))
        mode = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        context.set_verify(mode, _verifier(frozenset(settings.client_names)))
    return context


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _verifier(names: frozenset[str]) -> _Verifier:
    def verify(
        _: SSL.Connection, certificate: crypto.X509, fault: int, depth: int, trusted: int
    ) -> bool:
        found = _names(certificate.to_cryptography())
        if not trusted:
            log.warning("certificate refused: not trusted", certificate=_listed(found), code=fault)
            return False
        if depth or not names or names & found:
            return True
        log.warning("certificate refused: not in client_names", certificate=_listed(found))
        return False

    return verify


def _names(certificate: x509.Certificate) -> set[str]:
    common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    names = {str(each.value) for each in common}
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except x509.ExtensionNotFound:
        return names
    assert isinstance(found.value, x509.SubjectAlternativeName)
    return names | set(found.value.get_values_for_type(x509.DNSName))


def _ends_at(file: Path) -> float:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return certificate.not_valid_after_utc.timestamp()


def words_of(error: Exception) -> str:
    """OpenSSL's own words, without its codes."""
    reasons = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return ", ".join(reason[-1] for reason in reasons) or str(error) or type(error).__name__
