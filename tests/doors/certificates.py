"""Certificates for tests, made anew for each."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

from bridge.settings import Tls


class Authority:
    """Signs, and writes what a listener reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.ca = trustme.CA()
        self.ca.cert_pem.write_to_path(folder / "ca.pem")

    def listener(self, *names: str, ask: bool = False) -> Tls:
        """Files of a new certificate for 127.0.0.1; `ask` asks senders for theirs."""
        made = self.ca.issue_cert("127.0.0.1")
        certificate, key = self._folder / "listener.pem", self._folder / "listener.key"
        certificate.write_bytes(b"".join(each.bytes() for each in made.cert_chain_pems))
        made.private_key_pem.write_to_path(key)
        client_ca = self._folder / "ca.pem" if ask or names else None
        return Tls(certificate=certificate, key=key, client_ca=client_ca, client_names=names)

    def sender(self, *, name: str = "", by: Authority | None = None) -> ssl.SSLContext:
        """What a sender connects with that trusts this authority, with a certificate of his or
        of that of another."""
        context = ssl.create_default_context(cafile=self._folder / "ca.pem")
        if name:
            (by or self).ca.issue_cert(name).configure_cert(context)
        return context
