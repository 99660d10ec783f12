"""``caravan account delete|restore`` and ``caravan person delete|restore``: the flag of a record in the Platform."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from caravan.journeys.fields import Entity
from caravan.platform import deletion
from starter.errors import UserError
from starter.output import Format, FormatOption, as_json, cell, console, plainly
from starter.session import Session, SubscriptionOption, run_with

Key = Annotated[str, typer.Argument(help="Its id, as its source knows it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

#: what the prompt and the answer say; the help of the two commands says the same
FOLLOWS = {
    "account": "it leaves its journeys (`account-deleted`), lists and audiences within seconds, its buying groups are "
    "told no more, and nothing is sent for it",
    "person": "they leave lists, audiences and buying groups within seconds, and nothing is sent to them "
    "(`person-deleted`)",
}


def delete_account(
    account_id: Key,
    yes: Yes = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Flag an account as deleted in the Platform: it leaves its journeys, and nothing is sent for it.

    What follows: it leaves its journeys (`account-deleted`), lists and audiences within seconds, its buying groups are
    told no more, and nothing is sent for it.

    Nothing is removed, and what was sent stays told. An import that has it again, or `account restore`, brings it
    back: take it out of its source too, or give it `is_deleted` there. Of one that is one with others, all are deleted.
    """
    _ask_and_delete("account", account_id, yes, form, subscription)


def restore_account(
    account_id: Key, form: FormatOption = Format.table, subscription: SubscriptionOption = None
) -> None:
    """Take the flag off an account that was deleted: it may enter journeys again, by their rules."""
    _flag("account", account_id, False, form, subscription)


def delete_person(
    person_id: Key,
    yes: Yes = False,
    form: FormatOption = Format.table,
    subscription: SubscriptionOption = None,
) -> None:
    """Flag a person as deleted in the Platform: nothing is sent to them any more.

    What follows: they leave lists, audiences and buying groups within seconds, and nothing is sent to them
    (`person-deleted`).

    Their data stay, and an import that has them again, or `person restore`, brings them back. Of one that is one with
    others, all are deleted. To remove their data for good: `person erase`.
    """
    _ask_and_delete("person", person_id, yes, form, subscription)


def restore_person(
    person_id: Key, form: FormatOption = Format.table, subscription: SubscriptionOption = None
) -> None:
    """Take the flag off a person who was deleted; who was erased stays so."""
    _flag("person", person_id, False, form, subscription)


def say_deleted(deleted_at: datetime) -> None:
    """The red line of ``account show`` and ``person show``."""
    console.print(f"deleted in the Platform {cell(deleted_at)}", style="red")


def _ask_and_delete(
    entity: Entity, key: str, yes: bool, form: Format, subscription: str | None
) -> None:
    if not yes and not typer.confirm(
        f"Delete the {entity} {key}? {FOLLOWS[entity].capitalize()}", err=True
    ):
        raise UserError("nothing was deleted")
    _flag(entity, key, True, form, subscription)


def _flag(entity: Entity, key: str, deleted: bool, form: Format, subscription: str | None) -> None:
    async def body(session: Session) -> dict[str, Any]:
        platform = await session.platform()
        flag = deletion.delete if deleted else deletion.restore
        async with platform.acquire() as conn, conn.transaction():
            found = await deletion.find(conn, entity, key)
            if found is None:
                raise UserError(f"No {entity} {key} in the Platform; an import brings it in")
            changed = await flag(conn, entity, [found["id"]], datetime.now(UTC))
            now = await deletion.find(conn, entity, key)
        return {entity: key, "deleted_at": now["deleted_at"], "changed": changed > 0}

    told = run_with(subscription, body)
    if form is Format.json:
        print(as_json(told))
    elif deleted:
        before = "" if told["changed"] else " had been"
        plainly(
            f"{key}{before or ' is'} deleted" + (f": {FOLLOWS[entity]}" if told["changed"] else "")
        )
    else:
        plainly(f"{key} is there" + (" again" if told["changed"] else ", and was not deleted"))
