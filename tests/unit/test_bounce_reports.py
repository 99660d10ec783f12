"""Reading bounces and complaints: what they say, and that nothing that comes in breaks the reader."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caravan.delivery.bounce_reports import NotAReport, Report, read_report
from caravan.delivery.mailboxes import ImapAddress, MailboxError
from caravan.delivery.status_codes import is_hard, more_telling, read_status, status_of_reply
from tests.reports import OURS, arf, dsn


def only(content: bytes) -> Report:
    [report] = read_report(content)
    return report


def test_bounce_names_message_recipient_and_status() -> None:
    for headers_only in (False, True):
        report = only(dsn(headers_only=headers_only))
        assert (report.kind, report.status) == ("hard", "5.1.1")
        assert (report.message_id, report.recipient) == (OURS, "ada@acme.example")
        assert report.sent_to == ("bounces@us.example",)
        assert report.told == "smtp; 550 5.1.1 <(address)>: no such user"


@pytest.mark.parametrize(
    ("status", "diagnostic", "kind"),
    [
        ("5.1.1", "smtp; 550 no", "hard"),
        ("5.1.10", "", "hard"),
        ("5.2.1", "", "hard"),
        ("5.2.2", "smtp; 552 5.2.2 mailbox full", "soft"),
        ("4.4.1", "", "soft"),  # given up after days of trying
        ("5.7.1", "smtp; 550 5.7.1 policy", "soft"),
        ("5.1.8", "", "soft"),  # it is our address that they do not like
        ("5.0.0", "smtp; 550 5.1.1 no such user", "hard"),
        ("5.0.0", "smtp; 550 no", "soft"),
        ("5.0.0", "smtp; 556 no mail here", "hard"),
        ("nonsense", "x-unix; 5.1.1", "soft"),
        ("5.1.1 (bad mailbox)", "", "hard"),
    ],
)
def test_only_what_is_wrong_with_the_address_is_hard(
    status: str, diagnostic: str, kind: str
) -> None:
    assert only(dsn(status=status, diagnostic=diagnostic)).kind == kind


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", "Delayed"])
def test_what_has_not_failed_is_nothing_to_note(action: str) -> None:
    assert read_report(dsn(action=action)) == []


def test_report_of_several_recipients_is_told_of_each() -> None:
    second = (
        b"\r\n\r\nFinal-Recipient: rfc822; bo@acme.example\r\nAction: failed\r\nStatus: 5.2.2\r\n"
    )
    content = dsn().replace(
        b"550 5.1.1 <ada@acme.example>: no such user\r\n", b"550 no\r\n" + second[2:], 1
    )
    reports = read_report(content)
    assert [(one.recipient, one.kind) for one in reports] == [
        ("ada@acme.example", "hard"),
        ("bo@acme.example", "soft"),
    ]
    assert reports[0].digest != reports[1].digest


def test_complaint_names_message_and_return_path() -> None:
    report = only(arf(sender="bounce+abc@return.us.example"))
    assert (report.kind, report.message_id, report.told) == ("complaint", OURS, "abuse")
    assert report.sent_to == ("abuse@us.example", "bounce+abc@return.us.example")
    assert only(arf(kind="fraud")).kind == "complaint"
    for kind in ("not-spam", "auth-failure", "dmarc"):
        assert read_report(arf(kind=kind)) == []


def test_a_report_is_the_same_whichever_way_it_comes() -> None:
    came, again = dsn(), b"Received: from elsewhere\r\n" + dsn()
    assert only(came).digest == only(again).digest
    assert only(dsn(own="<report-2@mx.acme.example>")).digest != only(came).digest
    without = came.replace(b"Message-ID: <report-1@mx.acme.example>\r\n", b"")
    assert only(without).digest == only(b"Received: from elsewhere\r\n" + without).digest
    assert only(without).digest != only(without.replace(b"Hello\r\n\r\n", b"Other\r\n\r\n")).digest


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"Subject: away\r\n\r\nI am out of office", b"x" * 5_000_001]
)
def test_what_is_no_report_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(NotAReport, match="is "):
        read_report(content)


def test_message_ids_that_are_not_ours_are_nobodys() -> None:
    assert only(dsn(message_id="<other@elsewhere.example>")).message_id is None


SAMPLES = [dsn(), dsn(headers_only=True), dsn(status="4.2.2"), arf()]
#: what breaks readers of mail: odd types, encodings, boundaries, header syntax, lone octets
POISON = [
    b"", b"\x00", b"\xff\xfe", b"\r\n\r\n", b"\n", b":", b";", b"=?utf-8?q?=00?=", b"=?x?b?!?=", b"<>", b"(((",
    b"Content-Type: multipart/mixed", b"Content-Transfer-Encoding: base64\r\n", b"Content-Type: message/rfc822\r\n",
    b"charset=\"\xc3\"", b"boundary*0*=x''%ff", b"--=b=1", b"Status: ", b"Action:", b"Final-Recipient: ;;;",
    "ü@ß.example".encode(), b"[" * 500, b"Message-ID: <" + b"a" * 2000 + b">", b"9" * 5000,
]  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(SAMPLES), st.integers(0, 2**32), st.integers(1, 12))
def test_no_mutated_report_breaks_the_reader(sample: bytes, seed: int, count: int) -> None:
    dice, content = random.Random(seed), sample
    for _ in range(count):
        at, to = sorted((dice.randrange(len(content) + 1), dice.randrange(len(content) + 1)))
        to = min(to, at + dice.choice((0, 1, 4, 40, 400)))
        match dice.randrange(4):
            case 0:
                content = content[:at] + dice.choice(POISON) + content[to:]
            case 1:
                content = content[:to] + content[at:]  # said twice
            case 2:
                content = content[:at] + bytes(dice.randrange(256) for _ in range(3)) + content[to:]
            case _:
                lines = content.split(b"\r\n")
                dice.shuffle(lines[: dice.randrange(len(lines)) + 1])
                content = b"\r\n".join(lines)
    holds(content)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2000))
def test_no_octets_break_the_reader(content: bytes) -> None:
    holds(content)
    holds(
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n"
        + content
    )


def test_parts_within_parts_break_nothing() -> None:
    content = b"Content-Type: message/rfc822\r\n\r\n" * 3000 + dsn()
    holds(content)
    holds(
        b"".join(
            b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n)
            for n in range(2000)
        )
    )


def holds(content: bytes) -> None:
    """It is read, or refused in words; what is read is what a store can keep."""
    try:
        reports = read_report(content)
    except NotAReport:
        return
    for report in reports:
        assert report.kind in ("hard", "soft", "complaint")
        assert len(report.digest) == 32
        for text in (report.status, report.told, report.recipient, report.message_id):
            if text is not None:
                text.encode()
                assert "\x00" not in text
                assert len(text) <= 320
        if report.kind == "hard":
            assert is_hard(report.status)


def test_statuses_are_read_from_fields_and_replies() -> None:
    assert read_status("5.01.001") == "5.1.1"
    assert read_status("15.1.1") is None
    assert status_of_reply("550 5.1.1 no such user") == "5.1.1"
    assert status_of_reply("550-5.1.1 no such user") == "5.1.1"
    assert status_of_reply("550 no such user") is None
    assert status_of_reply("550 call 5.1.1") is None
    assert status_of_reply("556 no mail") == "5.1.10"
    assert more_telling("5.2.2", "smtp; 550 5.1.1 x") == "5.2.2"


@pytest.mark.parametrize(
    "url",
    [
        "imap://me@mail.us.example/INBOX",
        "imaps://me:secret@mail.us.example/INBOX",
        "imaps://mail.us.example",
        "https://me@mail.us.example",
        "imaps://me@host:port/",
    ],
)
def test_mailboxes_are_named_without_password_and_read_with_tls(url: str) -> None:
    with pytest.raises(MailboxError) as error:
        ImapAddress.parse(url)
    assert "secret" not in str(error.value)


def test_mailbox_address_has_its_parts() -> None:
    address = ImapAddress.parse("imaps://me%40us.example@mail.us.example/Bounces%20new")
    assert address == ImapAddress("mail.us.example", 993, "me@us.example", "Bounces new", tls=True)
