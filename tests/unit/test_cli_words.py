"""What commands say in words: what a deletion does."""

import inspect
from collections.abc import Callable

import pytest

from starter.deleting import FOLLOWS, delete_account, delete_person


@pytest.mark.parametrize(
    ("entity", "verb"), [("account", delete_account), ("person", delete_person)]
)
def test_help_of_a_deletion_says_what_its_prompt_says(
    entity: str, verb: Callable[..., None]
) -> None:
    assert FOLLOWS[entity] in " ".join(str(inspect.getdoc(verb)).split())
