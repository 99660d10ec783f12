"""``caravan dkim record``: the DNS record by which receivers verify the signature of mail."""

import typer

from caravan import mail_settings
from caravan.settings import Settings
from starter.errors import UserError
from starter.output import Format, FormatOption, as_json

app = typer.Typer(no_args_is_help=True, help="DKIM: the signature under which mail leaves.")


@app.callback()
def _group() -> None:
    """DKIM: the signature under which mail leaves."""


@app.command("record")
def record(form: FormatOption = Format.table) -> None:
    """Print the TXT record to publish for `DKIM_DOMAIN`, `DKIM_SELECTOR` and `DKIM_KEY`.

    As a line of a zone file. Publish it before workers have the settings: a signature without its record
    does a sender's name more harm than none.
    """
    signer = mail_settings.signer(Settings.load(()))
    if signer is None:
        raise UserError(
            "DKIM is not set: DKIM_DOMAIN=us.example DKIM_SELECTOR=c1 DKIM_KEY_FILE=key.pem; "
            "`openssl genrsa -out key.pem 2048` makes a key"
        )
    if form is Format.json:
        print(as_json({"name": signer.record_name, "type": "TXT", "value": signer.record}))
    else:
        print(signer.zone_line)  # never wrapped: it is copied
