"""A proposed roles template as a file: whatever stands in a job title, the workspace reads it as it was written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caravan.journeys.source import read_documents
from caravan.personas.role_proposal import Caught, ProposedRole, RoleProposal
from starter.roles_template_text import text_of

#: all that a store can hold: neither NUL nor half characters
SPELLINGS = st.lists(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
    min_size=1,
    max_size=5,
)


def read_back(spellings: list[str]) -> object:
    """What the workspace's reader finds in a proposal that names these."""
    caught = tuple(Caught(one, 1, 0.9, "Engineer", (one,)) for one in spellings)
    why = f"They would work with it every day, most of them {', '.join(spellings)}."
    role = ProposedRole("practitioner", "normal", titles=caught, people=1, accounts=1, why=why)
    proposal = RoleProposal((role,), people=1, accounts=1, untitled=0, unclear=(), left_out=())
    [document], faults = read_documents(text_of(proposal, "grid-roles", "grid"))
    assert faults == []
    return document.data["roles"][0]["when"]["person"]["job_title"]


@pytest.mark.parametrize(
    "title",
    [
        "🚀 Software Engineer\u00a0Lead",
        "Rocket\U000e0001 \U0001f468\u200d\U0001f680",
        'the "boss" of C:\\',
        "two\u2028lines\x85\x1b\ufeff",
        "yes",
        "~",
    ],
)
def test_title_beyond_ascii_that_does_not_print_is_read_as_it_was_written(title: str) -> None:
    assert read_back([title]) == [title]


@given(SPELLINGS)
def test_any_titles_are_read_as_they_were_written(spellings: list[str]) -> None:
    assert read_back(spellings) == spellings
