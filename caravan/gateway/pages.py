"""The pages people see: plain HTML that any browser, reader and size of screen can show.

Nothing is fetched from anywhere, nothing runs, nothing is kept in the browser.
"""

from html import escape

from starlette.responses import HTMLResponse, PlainTextResponse, Response

#: the field by which the page's button says that it was pressed
BUTTON = "unsubscribe"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ margin: 0; font: 1.125rem/1.5 system-ui, sans-serif; color: #1c2530; background: #f4f6f8 }}
main {{ max-width: 32rem; margin: 12vh auto; padding: 2rem; background: #fff; border-radius: .75rem }}
h1 {{ margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25 }}
p {{ margin: 0 0 1.5rem }}
p:last-child {{ margin: 0 }}
button {{ font: inherit; font-weight: 600; padding: .75rem 1.5rem; border: 2px solid transparent; border-radius: .5rem;
  color: #fff; background: #1b4f9c; cursor: pointer }}
button:hover {{ background: #163f7d }}
button:focus-visible {{ outline: 3px solid #e8a33d; outline-offset: 3px }}
@media (max-width: 36rem) {{ main {{ margin: 0; min-height: 100vh; box-sizing: border-box; border-radius: 0 }} }}
@media (prefers-color-scheme: dark) {{
  body {{ color: #e7ecf1; background: #12181f }}
  main {{ background: #1c2530 }}
  button {{ background: #2f6fc9 }}
}}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""

#: nothing but the page's own style, and its form to where it came from
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
#: a mail's pictures and styles, from wherever they are; nothing of it runs or sends
_MAIL_POLICY = (
    "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline' http: https:;"
    " font-src http: https:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def ask_unsubscribe(sender: str) -> Response:
    """The page with the one button. To have looked at it says nothing: scanners follow every link."""
    return _page(
        "Unsubscribe",
        f"<p>Do you want no more mail from {escape(sender)}?</p>\n"
        f'<form method="post"><button name="{BUTTON}" value="yes">Unsubscribe</button></form>',
    )


def unsubscribed(sender: str) -> Response:
    """The page behind the button."""
    return _page(
        "You are unsubscribed",
        f"<p>{escape(sender)} will send you no more of this mail. What is on its way already may still"
        " arrive.</p>\n<p>You can close this page.</p>",
    )


def mail_page(html: str) -> Response:
    """A message, as a page."""
    return HTMLResponse(html, headers={"Content-Security-Policy": _MAIL_POLICY, **_NO_INDEX})


def nothing_here() -> Response:
    """The one answer to whatever is no link of ours: it does not say what is wrong with it."""
    return PlainTextResponse("Not found", status_code=404)


_NO_INDEX = {"X-Robots-Tag": "noindex, nofollow"}


def _page(title: str, content: str) -> Response:
    return HTMLResponse(
        _PAGE.format(title=escape(title), content=content),
        headers={"Content-Security-Policy": _POLICY, **_NO_INDEX},
    )
