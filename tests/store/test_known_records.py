"""Accounts and people that a command names: found, or told why they may not be here."""

import pytest

from starter.errors import UserError
from starter.session import known_account, known_person
from tests.world import World


async def test_account_and_person_are_found_by_what_they_are_known_by(world: World) -> None:
    await world.engage.execute(
        """insert into accounts (id, external_id, attributes) values (1, 'a', '{"name": "A"}')"""
    )
    await world.engage.execute(
        """insert into people (id, external_id, attributes) values (2, 'p', '{"email": "p@a.example"}')"""
    )
    assert (await known_account(world.engage, "a"))["id"] == 1
    for key in ("p", "P@A.example"):
        assert (await known_person(world.engage, key))["id"] == 2


async def test_who_is_not_there_is_told_with_how_they_come_in(world: World) -> None:
    with pytest.raises(
        UserError, match=r"^No account x .* of a buying-group job; those without a name stay"
    ):
        await known_account(world.engage, "x")
    with pytest.raises(UserError, match=r"^No person x .* e-mail address stay in the Platform$"):
        await known_person(world.engage, "x")
    with pytest.raises(UserError, match=r"stay in the Platform; nothing was changed$"):
        await known_person(world.engage, "x", remark="nothing was changed")
