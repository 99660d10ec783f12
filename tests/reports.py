"""Reports about mail as hosts and providers write them."""

OURS = "<" + "ab" * 20 + "@us.example>"


def dsn(
    *,
    message_id: str = OURS,
    status: str = "5.1.1",
    action: str = "failed",
    recipient: str = "ada@acme.example",
    diagnostic: str = "smtp; 550 5.1.1 <ada@acme.example>: no such user",
    to: str = "bounces@us.example",
    own: str = "<report-1@mx.acme.example>",
    headers_only: bool = False,
) -> bytes:
    """A delivery status notification, as Postfix writes it (RFC 3464)."""
    original = "text/rfc822-headers" if headers_only else "message/rfc822"
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.acme.example (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: {own}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=b=1"

This is a MIME-encapsulated message.

--=b=1
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

<{recipient}>: host mx.acme.example said: 550 5.1.1 no such user

--=b=1
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.acme.example
X-Postfix-Sender: rfc822; {to}
Arrival-Date: Tue, 3 Mar 2026 09:00:00 +0000 (UTC)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.acme.example
Diagnostic-Code: {diagnostic}

--=b=1
Content-Description: Undelivered Message
Content-Type: {original}

From: Us <us@us.example>
To: {recipient}
Subject: Hello
Message-ID: {message_id}
MIME-Version: 1.0
Content-Type: text/plain

Hello

--=b=1--
""".replace("\n", "\r\n").encode()


def arf(
    *,
    message_id: str = OURS,
    kind: str = "abuse",
    recipient: str = "ada@acme.example",
    sender: str = "us@us.example",
    own: str = "<complaint-1@fbl.example>",
) -> bytes:
    """A feedback report (RFC 5965, appendix B)."""
    return f"""\
From: <abusedesk@fbl.example>
Date: Thu, 8 Mar 2026 17:40:36 EDT
Subject: FW: Hello
To: <abuse@us.example>
Message-ID: {own}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="part1_13d"

--part1_13d
Content-Type: text/plain; charset="US-ASCII"
Content-Transfer-Encoding: 7bit

This is an email abuse report for an email message received from IP 192.0.2.1.

--part1_13d
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <{sender}>
Original-Rcpt-To: <{recipient}>
Source-IP: 192.0.2.1

--part1_13d
Content-Type: message/rfc822
Content-Disposition: inline

From: Us <us@us.example>
To: {recipient}
Subject: Hello
Message-ID: {message_id}
Content-Type: text/plain

Hello
--part1_13d--
""".replace("\n", "\r\n").encode()
