"""The verbs of ``caravan``, by what they are about; each loads its module when it is given, and no other.

A command is quick to start only where it imports what it needs: all verbs together need the whole of Caravan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class Verb:
    """One verb, or a group of them."""

    name: str
    source: str  # module:name of its function, or of the Typer of a group
    help: str  # in a sentence, as it says itself
    beside: Mapping[str, str] = field(default_factory=dict)  # commands and groups from elsewhere
    is_hidden: bool = False

    def load(self) -> Any:
        """The command itself."""
        whole = _named(self.source)
        if isinstance(whole, typer.Typer):
            for name, source in self.beside.items():
                part = _named(source)
                if isinstance(part, typer.Typer):
                    whole.add_typer(part, name=name)
                else:
                    whole.command(name)(part)
            command: Any = typer.main.get_group(whole)
        else:
            alone = typer.Typer(rich_markup_mode="markdown", add_completion=False)
            alone.command(self.name)(whole)
            command = typer.main.get_command(alone)
        command.name = self.name
        return command


def _named(source: str) -> Any:
    module, _, name = source.partition(":")
    return getattr(import_module(f"starter.{module}"), name)


#: by the panel of the help that they stand in
VERBS: dict[str, tuple[Verb, ...]] = {
    "The stack": (
        Verb("up", "up:up", "Start Postgres, Temporal with its Web UI, mail capture, the gateway and a worker under .caravan/."),
        Verb("down", "down:down", "Stop the embedded stack and its worker. Data under .caravan/ stays; `caravan up` goes on."),
        Verb("status", "status:status", "Show the stack's parts, the workers on each queue and, per subscription, accounts and the sync's lag."),
        Verb("gateway", "gateway:gateway", "Serve the gateway: answers of services, links and opt-outs of mail, events, bounces and replies to texts."),
        Verb("upgrade", "upgrade:upgrade", "Check that running workflows replay with this code, before you start workers with it."),
        Verb("demo", "demo:demo", "Run the example for real: embedded stack, import, publish, live progress, events, results."),
        Verb("limits", "limits:limits", "List the limits that are settings: what holds here, the default, and the variable that sets it."),
        Verb("dkim", "dkim:app", "DKIM: the signature under which mail leaves."),
    ),
    "The workspace": (
        Verb("init", "init:init", "Write a small commented workspace that validates, tests green and simulates."),
        Verb("validate", "validate:validate", "Check a workspace: all problems at once. Exits 2 if any is an error."),
        Verb("schema", "schema:schema", "Print the JSON Schema (2020-12) of the documents of a workspace."),
        Verb("services", "services:services", "Ask each service of a workspace for its definition and status, and compare its calls with them."),
        Verb("test", "test:run_tests", "Run the `tests:` documents of a workspace, each in virtual time on stores of its own."),
        Verb("simulate", "simulate:simulate", "Walk a journey in virtual time, with the workspace's data and the code that runs in production."),
        Verb("watch", "watch:watch", "Validate, test and draw a workspace, again whenever a file in it is saved. Ctrl-C ends it."),
        Verb("plan", "plan:plan", "Tell what `caravan apply DIR` would change, and change nothing."),
        Verb("apply", "apply:apply", "Store a workspace and publish its new and changed journeys."),
        Verb(
            "email", "email:app", "E-mail templates: how they look, proofs, and their copy in versions that run.",
            {"preview": "email_preview:preview_email", "test": "email_test:send_proof"},
        ),
    ),
    "Data and events": (
        Verb("import", "import_data:import_data", "Import data files: accounts.csv, people.csv, relations.csv, opportunities.csv, events.jsonl."),
        Verb(
            "event", "event:app", "Events: say what people and accounts did; keys for systems that do.",
            {"key": "event_key:app"},
        ),
        Verb("events", "event_key:events", "Events that other systems send in.", is_hidden=True),
        Verb("identity", "identity:app", "Which records of which sources are one, why, and taken apart again."),
    ),
    "Looking": (
        Verb("journeys", "journeys:journeys", "List journeys: versions, states, accounts inside and how many completed."),
        Verb(
            "journey", "journey:app", "A journey: its counters and picture, and the commands of its life.",
            {
                "plan": "journey_plan:plan",
                "test-send": "journey_test_send:send_all_messages",
                **{
                    name: f"life_cycle:{name}"
                    for name in ("publish", "rollback", "pause", "resume", "close", "abort", "delete", "duplicate")
                },
            },
        ),
        Verb("accounts", "accounts:accounts", "List a journey's accounts: position, next wake-up, or how they left."),
        Verb(
            "account", "account:app", "Show, delete or restore an account.",
            {"delete": "deleting:delete_account", "restore": "deleting:restore_account"},
        ),
        Verb(
            "person", "person:app", "Show, export, delete, restore or erase a person.",
            {
                "export": "person_data:export",
                "erase": "person_data:erase",
                "delete": "deleting:delete_person",
                "restore": "deleting:restore_person",
            },
        ),
        Verb("campaigns", "campaigns:campaigns", "List campaigns. Those a journey was converted to are hidden unless --journey names it."),
        Verb("campaign", "campaign:app", "Campaigns: request one for people, or list them."),
        Verb("lists", "lists:lists", "List account lists and people lists."),
        Verb("audiences", "audiences:audiences", "List audiences: how many members, how fresh that is, and what uses them."),
        Verb(
            "audience", "audience:app", "An audience in detail, and what one would have that is not applied yet.",
            {"preview": "audience_preview:preview_audience"},
        ),
        Verb("mail", "mail:mail", "List messages, texts and sales alerts too: to whom, from which journey and node, what became of each and why."),
        Verb("report", "report:app", "Report on journeys, e-mails and buying groups."),
    ),
    "Buying groups": (
        Verb("buying-groups", "buying_groups:buying_groups", "List buying groups. A group is listed if it meets every filter."),
        Verb("buying-group", "buying_group:app", "A buying group: who is in it, how far it is, why, and changes by hand; the jobs that make groups."),
    ),
    "Delivery": (
        Verb("deliveries", "deliveries:deliveries", "List messages that were neither accepted nor left out, the longest untouched first."),
        Verb("delivery", "delivery:app", "Settle a message in doubt."),
        Verb("prove", "prove:prove", "Compare the ledger with the mail and texts that were taken and with workflow histories; exit 1 where they differ."),
        Verb("why", "why:why", "Tell why somebody got a message: journey, version, node, path, and the values that decided each path."),
    ),
    "Who may be written to": (
        Verb("consent", "consent:app", "What people have said about being written to."),
        Verb("suppressions", "suppressions:suppressions", "List what is suppressed, why and since when; a domain covers those beneath it."),
        Verb("suppression", "suppression:app", "The suppression list: what nothing is sent to. `caravan suppressions` lists it."),
        Verb("bounces", "bounces:app", "Bounces and complaints: taken in from files or a mailbox, and what came so far."),
    ),
    "Models": (
        Verb(
            "ai", "ai:app", "What models are asked for: which one, what it has cost, and one on this machine to try.",
            {
                "email": "ai_email:email",
                "refine": "ai_refine:refine_email",
                "journey": "ai_journey:journey",
                "roles": "ai_roles:roles",
                "titles": "ai_titles:titles",
                "status": "ai_status:status",
                "local": "ai_local:local",
            },
        ),
        Verb("ask", "ask:ask", "Answer a question about accounts, journeys and messages, with the records that say so."),
    ),
    "Stopping": (
        Verb("halt", "halt:halt", "Stop all sending at once: no mail, no call, no text message leaves from when this returns."),
        Verb("resume-all", "halt:resume_all", "Let everything leave again after `caravan halt`, and say how many accounts go on."),
    ),
    "Pairs and what flows between them": (
        Verb("subscriptions", "subscriptions:subscriptions", "List the pairs, and what belongs to none; one subscription has one sandbox and the reverse."),
        Verb(
            "subscription", "subscription:app", "Subscriptions: create one, pair it with a sandbox, or list them.",
            {
                "pair": "subscription_pair:pair",
                "unpair": "subscription_pair:unpair",
            },
        ),
        Verb(
            "sync", "sync:app", "What flows between the engage store and the Platform store.",
            {
                "status": "sync_status:status",
                "verify": "sync_verify:verify",
                "restored": "sync_restored:restored",
            },
        ),
    ),
}  # fmt: skip


class Verbs(TyperGroup):
    """The verbs as one group: its help knows their names alone, and loads the one that is given."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._verbs = {verb.name: verb for verbs in VERBS.values() for verb in verbs}
        for panel, verbs in VERBS.items():
            for verb in verbs:
                self.add_command(
                    TyperCommand(
                        name=verb.name,
                        help=verb.help,
                        hidden=verb.is_hidden,
                        rich_help_panel=panel,
                        rich_markup_mode="markdown",
                    )
                )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As a group does, but with the command itself in place of its name."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in self._verbs:
            command = self._verbs[name].load()
        return name, command, rest
