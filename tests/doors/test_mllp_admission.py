"""Who may connect to an MLLP listener: by address, by number, by certificate."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

import pytest

from bridge.errors import DoorError
from bridge.listeners.deadline import HANDSHAKE_SECONDS
from bridge.listeners.tls import Certificates
from bridge.service.reactor import GuestReactor
from bridge.settings import Mllp, Tls
from tests.doors.certificates import Authority
from tests.doors.test_mllp_listener import Door, Sender, door, frame, message


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def connect(opened: Door, context: ssl.SSLContext | None = None) -> Sender:
    sender = Sender(*await asyncio.open_connection(*opened.address, ssl=context))
    opened.senders.append(sender)
    return sender


async def is_taken(opened: Door, context: ssl.SSLContext | None = None) -> bool:
    """Whether a message is answered; else the connection is ended without."""
    try:
        sender = await connect(opened, context)
        await sender.send(frame(message(b"A1")))
        return await sender.answer() == b"AA A1"
    except (OSError, asyncio.IncompleteReadError):
        return False


@pytest.mark.parametrize(
    ("allow", "taken"),
    [
        ((), True),
        (("127.0.0.0/8",), True),
        (("10.1.0.0/16", "127.0.0.1"), True),
        (("10.1.0.0/16",), False),
        (("::1",), False),
    ],
)
async def test_only_allowed_addresses_are_let_in(
    reactor: GuestReactor, allow: tuple[str, ...], taken: bool
) -> None:
    async with door(reactor, Mllp(port=0, allow=allow)) as opened:
        assert await is_taken(opened) is taken


@pytest.mark.parametrize(
    ("allow", "taken"),
    [((), True), (("::1",), True), (("fd00::/8", "::/64"), True), (("127.0.0.0/8",), False)],
)
async def test_it_listens_on_ipv6_and_knows_its_addresses(
    reactor: GuestReactor, allow: tuple[str, ...], taken: bool
) -> None:
    async with door(reactor, Mllp(host="::1", port=0, allow=allow)) as opened:
        assert opened.address[0] == "::1"
        assert await is_taken(opened) is taken


async def test_on_all_addresses_of_both_kinds_a_network_is_known_by_its_own_numbers(
    reactor: GuestReactor,
) -> None:
    async with door(reactor, Mllp(host="::", port=0, allow=("127.0.0.0/8",))) as opened:
        port = opened.address[1]
        opened.address = ("127.0.0.1", port)
        assert await is_taken(opened)
        opened.address = ("::1", port)
        assert not await is_taken(opened)


async def test_one_address_has_so_many_connections_and_another_once_one_ends(
    reactor: GuestReactor,
) -> None:
    async with door(reactor, Mllp(port=0, connections_per_address=1)) as opened:
        first = await connect(opened)
        await opened.until_connected(1)
        assert not await is_taken(opened)
        first.hang_up()
        await opened.until_connected(0)
        assert await is_taken(opened)


async def test_a_silent_sender_is_asked_by_tcp_whether_it_is_there(reactor: GuestReactor) -> None:
    async with door(reactor) as opened:
        await connect(opened)
        await opened.until_connected(1)
        (connection,) = opened.listener._lives
        assert connection.transport.getTcpKeepAlive()
        assert connection.transport.getTcpNoDelay()


class TestTls:
    async def test_a_message_is_taken_and_answered(
        self, reactor: GuestReactor, authority: Authority
    ) -> None:
        async with door(reactor, Mllp(port=0, tls=authority.listener())) as opened:
            assert await is_taken(opened, authority.sender())
            assert not await is_taken(opened)

    async def test_a_reply_that_closes_is_sent_before_hanging_up(
        self, reactor: GuestReactor, authority: Authority
    ) -> None:
        async with door(reactor, Mllp(port=0, tls=authority.listener())) as opened:
            opened.intake.close = True
            sender = await connect(opened, authority.sender())
            await sender.send(frame(message(b"A1")))
            assert await sender.closed() == frame(b"AA A1")

    async def test_large_frames_and_answers_go_through_in_order(
        self, reactor: GuestReactor, authority: Authority
    ) -> None:
        async with door(reactor, Mllp(port=0, tls=authority.listener())) as opened:
            sender = await connect(opened, authority.sender())
            ids = [b"%d" % n for n in range(30)]
            await sender.send(b"".join(frame(message(i, b"X" * 30_000)) for i in ids))
            assert [await sender.answer() for _ in ids] == [b"AA " + i for i in ids]

    @pytest.mark.parametrize(
        ("names", "sender", "taken"),
        [
            ((), "his.lotus.example", True),
            (("his.lotus.example",), "his.lotus.example", True),
            (("his.lotus.example",), "lab.lotus.example", False),
            ((), "", False),
        ],
    )
    async def test_senders_are_known_by_the_name_in_their_certificate(
        self,
        reactor: GuestReactor,
        authority: Authority,
        names: tuple[str, ...],
        sender: str,
        taken: bool,
    ) -> None:
        tls = authority.listener(*names, ask=True)
        async with door(reactor, Mllp(port=0, tls=tls)) as opened:
            assert await is_taken(opened, authority.sender(name=sender)) is taken
            assert len(opened.intake.taken) == taken

    async def test_a_certificate_of_another_authority_is_refused(
        self, reactor: GuestReactor, authority: Authority, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        other = Authority(tmp_path_factory.mktemp("other"))
        tls = authority.listener("his.lotus.example")
        async with door(reactor, Mllp(port=0, tls=tls)) as opened:
            assert not await is_taken(opened, authority.sender(name="his.lotus.example", by=other))

    async def test_who_never_shakes_hands_is_hung_up_on(
        self, reactor: GuestReactor, authority: Authority
    ) -> None:
        async with door(reactor, Mllp(port=0, tls=authority.listener())) as opened:
            sender = await connect(opened)
            await opened.until_connected(1)
            await asyncio.sleep(0)
            opened.clock.advance(HANDSHAKE_SECONDS)
            assert await sender.closed() == b""

    async def test_a_new_certificate_is_shown_to_who_connects_next(
        self, reactor: GuestReactor, authority: Authority
    ) -> None:
        async with door(reactor, Mllp(port=0, tls=authority.listener())) as opened:
            before, after = await shown(opened, authority), authority.listener()
            again = await shown(opened, authority)
            assert before != again
            assert ssl.PEM_cert_to_DER_cert(leaf(after)) == again

    async def test_files_that_are_no_certificate_leave_the_old_one_in_use(
        self, reactor: GuestReactor, authority: Authority
    ) -> None:
        tls = authority.listener()
        async with door(reactor, Mllp(port=0, tls=tls)) as opened:
            before = await shown(opened, authority)
            tls.certificate.write_text("half a file")
            assert await shown(opened, authority) == before

    def test_what_is_no_certificate_is_told_with_its_file(self, authority: Authority) -> None:
        tls = authority.listener()
        tls.key.write_text("nothing")
        with pytest.raises(DoorError, match=r"listener\.key are no PEM certificate"):
            Certificates(tls)
        tls.key.unlink()
        with pytest.raises(DoorError, match=r"listener\.key cannot be read: No such file"):
            Certificates(tls)

    def test_its_end_is_known(self, authority: Authority) -> None:
        assert Certificates(authority.listener()).ends_at > time.time()


async def shown(opened: Door, authority: Authority) -> bytes:
    """The certificate that the listener shows, in DER."""
    sender = await connect(opened, authority.sender())
    certificate: bytes = sender.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return certificate


def leaf(tls: Tls) -> str:
    text = tls.certificate.read_text()
    return text[: text.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"
