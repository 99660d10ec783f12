"""The starter: ``caravan``. Registers the verbs, one file each, and turns errors into sentences."""

import io
import os
import sys

import typer

from starter import (
    account,
    accounts,
    apply,
    audience,
    audience_preview,
    audiences,
    bounces,
    buying_group,
    buying_groups,
    campaign,
    campaigns,
    consent,
    deleting,
    deliveries,
    delivery,
    demo,
    dkim,
    down,
    email,
    email_preview,
    email_test,
    event,
    event_key,
    gateway,
    halt,
    identity,
    import_data,
    init,
    journey,
    journey_plan,
    journey_test_send,
    journeys,
    life_cycle,
    limits,
    lists,
    mail,
    person,
    person_data,
    plan,
    prove,
    report,
    schema,
    services,
    simulate,
    status,
    subscription,
    subscription_pair,
    subscriptions,
    suppression,
    suppressions,
    sync,
    sync_restored,
    sync_status,
    sync_verify,
    test,
    up,
    upgrade,
    validate,
    watch,
    why,
)
from starter.errors import FAILED, is_embedded, sentence
from starter.output import say

app = typer.Typer(
    name="caravan",
    help="Account journeys with buying groups: durable, explainable, scriptable.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

STACK = "The stack"
WORKSPACE = "The workspace"
DATA = "Data and events"
SYNC = "Pairs and what flows between them"
LOOKING = "Looking"
STOPPING = "Stopping"
GROUPS = "Buying groups"
PERMISSION = "Who may be written to"
DELIVERY = "Delivery"
app.command("up", rich_help_panel=STACK)(up.up)
app.command("down", rich_help_panel=STACK)(down.down)
app.command("status", rich_help_panel=STACK)(status.status)
app.command("gateway", rich_help_panel=STACK)(gateway.gateway)
app.add_typer(dkim.app, name="dkim", rich_help_panel=STACK)
sync.app.command("status")(sync_status.status)
sync.app.command("verify")(sync_verify.verify)
sync.app.command("restored")(sync_restored.restored)
app.add_typer(sync.app, name="sync", rich_help_panel=SYNC)
app.command("upgrade", rich_help_panel=STACK)(upgrade.upgrade)
event.app.add_typer(event_key.app, name="key")
app.add_typer(event.app, name="event", rich_help_panel=DATA)
app.add_typer(event_key.events, name="events", hidden=True)
app.command("demo", rich_help_panel=STACK)(demo.demo)
app.command("init", rich_help_panel=WORKSPACE)(init.init)
app.command("validate", rich_help_panel=WORKSPACE)(validate.validate)
app.command("limits", rich_help_panel=STACK)(limits.limits)
app.command("schema", rich_help_panel=WORKSPACE)(schema.schema)
app.command("services", rich_help_panel=WORKSPACE)(services.services)
app.command("test", rich_help_panel=WORKSPACE)(test.run_tests)
app.command("simulate", rich_help_panel=WORKSPACE)(simulate.simulate)
app.command("watch", rich_help_panel=WORKSPACE)(watch.watch)
app.command("import", rich_help_panel=DATA)(import_data.import_data)
app.add_typer(identity.app, name="identity", rich_help_panel=DATA)
app.command("plan", rich_help_panel=WORKSPACE)(plan.plan)
app.command("apply", rich_help_panel=WORKSPACE)(apply.apply)
app.add_typer(email.app, name="email", rich_help_panel=WORKSPACE)
app.command("halt", rich_help_panel=STOPPING)(halt.halt)
app.command("resume-all", rich_help_panel=STOPPING)(halt.resume_all)
email.app.command("preview")(email_preview.preview_email)
email.app.command("test")(email_test.send_proof)
app.command("journeys", rich_help_panel=LOOKING)(journeys.journeys)
app.add_typer(journey.app, name="journey", rich_help_panel=LOOKING)
journey.app.command("plan")(journey_plan.plan)
journey.app.command("test-send")(journey_test_send.send_all_messages)
for verb in life_cycle.VERBS:
    journey.app.command(verb.__name__)(verb)
app.command("accounts", rich_help_panel=LOOKING)(accounts.accounts)
account.app.command("delete")(deleting.delete_account)
account.app.command("restore")(deleting.restore_account)
app.add_typer(account.app, name="account", rich_help_panel=LOOKING)
person.app.command("export")(person_data.export)
person.app.command("erase")(person_data.erase)
person.app.command("delete")(deleting.delete_person)
person.app.command("restore")(deleting.restore_person)
app.add_typer(person.app, name="person", rich_help_panel=LOOKING)
app.command("campaigns", rich_help_panel=LOOKING)(campaigns.campaigns)
app.add_typer(campaign.app, name="campaign", rich_help_panel=LOOKING)
app.command("buying-groups", rich_help_panel=GROUPS)(buying_groups.buying_groups)
app.add_typer(buying_group.app, name="buying-group", rich_help_panel=GROUPS)
app.add_typer(report.app, name="report", rich_help_panel=LOOKING)
app.add_typer(bounces.app, name="bounces", rich_help_panel=PERMISSION)
app.add_typer(consent.app, name="consent", rich_help_panel=PERMISSION)
app.command("suppressions", rich_help_panel=PERMISSION)(suppressions.suppressions)
app.add_typer(suppression.app, name="suppression", rich_help_panel=PERMISSION)
app.command("lists", rich_help_panel=LOOKING)(lists.lists)
app.command("audiences", rich_help_panel=LOOKING)(audiences.audiences)
audience.app.command("preview")(audience_preview.preview_audience)
app.add_typer(audience.app, name="audience", rich_help_panel=LOOKING)
app.command("mail", rich_help_panel=LOOKING)(mail.mail)
app.command("deliveries", rich_help_panel=DELIVERY)(deliveries.deliveries)
app.add_typer(delivery.app, name="delivery", rich_help_panel=DELIVERY)
app.command("prove", rich_help_panel=DELIVERY)(prove.prove)
app.command("why", rich_help_panel=DELIVERY)(why.why)
app.command("subscriptions", rich_help_panel=SYNC)(subscriptions.subscriptions)
for verb in subscription_pair.VERBS:
    subscription.app.command(verb.__name__)(verb)
app.add_typer(subscription.app, name="subscription", rich_help_panel=SYNC)


def main() -> None:
    """Run the CLI; a user's mistake ends in one sentence, never in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter shows a ?
    try:
        app(prog_name="caravan")
    except BrokenPipeError:
        _close_quietly()
        sys.exit(FAILED)
    except Exception as error:
        told = sentence(error, embedded=is_embedded())
        if told is None:
            raise
        say(f"caravan: {told[0]}")
        sys.exit(told[1])


def _close_quietly() -> None:
    """The reader has gone (``| head``): what is still buffered has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
