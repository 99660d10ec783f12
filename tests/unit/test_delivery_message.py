"""The message on the wire: whatever the data is, it comes out as it went in, and nowhere else."""

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.delivery.headers import mailbox, one_line, unstructured
from caravan.delivery.message import Rendered, Sender, message_id, mime

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

#: any text a store can hold, with what is tempting in a message strewn in
tempting = st.sampled_from(
    [
        "\r\nBcc: everyone@x.example",
        "\r\n\r\n",
        "\r\n.\r\n",
        "\n.",
        "=?utf-8?q?x?=",
        '"',
        "\\",
        "<a@b>",
        "\u2028",
        "\x00",
        "From me",
        "--=_",
        " \n",
        "å",
        "日本語",
        "👩‍👧",
        "=20",
        "word " * 40,
        "x" * 1200,
        "(c)",
        ",;:",
    ]
)
texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | tempting).map(
    "".join
)


def made(subject: str = "s", name: str = "n", text: str = "t", html: str = "h") -> bytes:
    return mime(
        Rendered(subject, html, text),
        sender=Sender(name, "us@us.example", "team@us.example"),
        to_address="ann@a.example",
        identity="<1@us.example>",
        at=AT,
        unsubscribe_link="https://us.example/u/1",
    )


def read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return line_ends(payload.decode())


@given(subject=texts, name=texts, text=texts, html=texts)
def test_message_gives_back_what_went_in(subject: str, name: str, text: str, html: str) -> None:
    message = read(made(subject, name, text, html))
    assert not message.defects
    assert message["Subject"] == one_line(subject)
    [sender] = message["From"].addresses
    # (the parser puts spaces between the encoded words of a name, and for other white space)
    assert "".join(sender.display_name.split()) == "".join(one_line(name).split())
    assert sender.addr_spec == "us@us.example"
    assert message["To"].addresses[0].addr_spec == "ann@a.example"
    assert body(message, "plain") == line_ends(text)
    assert body(message, "html") == line_ends(html)


@given(subject=texts, name=texts, text=texts, html=texts)
def test_data_adds_no_field_and_no_part(subject: str, name: str, text: str, html: str) -> None:
    message = read(made(subject, name, text, html))
    assert message.keys() == [
        "From",
        "To",
        "Reply-To",
        "Subject",
        "Date",
        "Message-ID",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "MIME-Version",
        "Content-Type",
    ]
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


@given(subject=texts, name=texts, text=texts, html=texts)
def test_wire_is_ascii_with_short_crlf_lines(subject: str, name: str, text: str, html: str) -> None:
    content = made(subject, name, text, html)
    assert content.isascii()
    assert b"\x00" not in content
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    head = content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert max(map(len, head)) <= 78
    assert content == made(subject, name, text, html)


@given(texts)
def test_encoded_words_are_short_and_whole_characters(text: str) -> None:
    for word in re.findall(r"=\?utf-8\?[bq]\?\S*\?=", unstructured("Subject", "é" + text)):
        assert len(word) <= 75
        shown = read(f"Subject: {word}\r\n\r\n".encode())["Subject"]
        assert "\N{REPLACEMENT CHARACTER}" not in shown.replace(
            "\N{REPLACEMENT CHARACTER}" if "\N{REPLACEMENT CHARACTER}" in text else "\0", ""
        )


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Hello Ann", "Subject: Hello Ann\r\n"),
        ("", "Subject: \r\n"),
        ("Hej Åsa", "Subject: =?utf-8?q?Hej_=C3=85sa?=\r\n"),
        ("こんにちは", "Subject: =?utf-8?b?44GT44KT44Gr44Gh44Gv?=\r\n"),
        ("a\r\nBcc: x@y", "Subject: a Bcc: x@y\r\n"),
        (
            "A rather long subject that goes on and on until it has to be folded, once at least",
            "Subject: A rather long subject that goes on and on until it has to be folded,\r\n"
            " once at least\r\n",
        ),
    ],
)
def test_subject_is_readable_on_the_wire(text: str, field: str) -> None:
    assert unstructured("Subject", text) == field


def test_names_keep_joiners_and_direction_marks() -> None:
    for name in ("👩‍👧 family", "نرم‌افزار", "\u200fשלום"):
        [address] = read(mailbox("From", name, "a@b.example").encode() + b"\r\n")["From"].addresses
        assert address.display_name == name


def test_ascii_template_goes_as_it_is_and_japanese_as_base64() -> None:
    assert b"7bit" in made(text="plain words\n", html="<p>plain</p>\n")
    assert made(text="日本語" * 50).count(b"base64") == 1
    assert made(text="Hej Åsa, hur är det?").count(b"quoted-printable") == 1


def test_address_outside_ascii_stands_as_utf8() -> None:
    content = mime(
        Rendered("s", "h", "t"),
        sender=Sender("n", "us@us.example"),
        to_address="åsa@b.example",
        identity="<1@us.example>",
        at=AT,
        unsubscribe_link=None,
    )
    assert "To: åsa@b.example\r\n".encode() in content
    assert b"List-Unsubscribe" not in content


def test_message_id_is_stable_distinct_and_ascii() -> None:
    assert message_id("1/a/1/0/2", "us.example") == message_id("1/a/1/0/2", "us.example")
    assert message_id("1/a/1/0/2", "us.example") != message_id("1/a/1/0/3", "us.example")
    assert message_id("1", "bücher.example").isascii()


def test_one_click_only_over_https() -> None:
    def unsubscribe(link: str) -> EmailMessage:
        return read(
            mime(
                Rendered("s", "h", "t"),
                sender=Sender("n", "us@us.example"),
                to_address="a@b.example",
                identity="<1@us.example>",
                at=AT,
                unsubscribe_link=link,
            )
        )

    by_mail = unsubscribe("mailto:us@us.example?subject=unsubscribe")
    assert by_mail["List-Unsubscribe"] == "<mailto:us@us.example?subject=unsubscribe>"
    assert by_mail["List-Unsubscribe-Post"] is None
    assert unsubscribe("https://us.example/u")["List-Unsubscribe-Post"] is not None
