"""Proposing the roles of a buying group from the job titles there are: pure, and by embeddings alone.

Where the workspace has personas, a role asks for personas, so that titles still to come are caught too: a persona plays the
role that most of its examples are like. Else each title is compared with what titles of a role are like, and a role asks
for the titles themselves. Nothing here is decided: the proposal says what each role would catch, what is unclear, and by
which counts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median_low

from caravan.personas.embedding import Vector
from caravan.personas.matching import Likeness, Match, match
from caravan.personas.role_likenesses import CHAMPION, NO_ROLE, ROLES, RoleLikeness
from caravan.personas.titles import folded

#: a key role is required where at least this share of the accounts has somebody for it: no group is complete without
REQUIRED_AT = 0.5
#: people that a proposal requires of a role at most
MOST_REQUIRED = 3
#: titles that a role may name, where it cannot ask for a persona
MOST_NAMED = 200


@dataclass(frozen=True)
class HeldTitle:
    """A title that people at the accounts bear, and what it is like: a persona, or a role."""

    title: str
    people: Mapping[int, int]  # how many at each account, by its number
    match: Match
    spellings: tuple[str, ...]  # as it is written, but for its case

    @property
    def count(self) -> int:
        return sum(self.people.values())


@dataclass(frozen=True)
class Caught:
    """A title as a role catches it."""

    title: str
    people: int
    score: float
    example: str  # what it is nearest to
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unclear:
    """A title that is about as near to another role, or like nothing."""

    title: str
    people: int
    role: str | None
    like: str | None  # the persona or the role it is nearest to
    score: float
    next: str | None
    next_score: float | None


@dataclass(frozen=True)
class ProposedRole:
    """A role card, what it would catch, and why it stands there."""

    role: str
    weight: str
    required: bool = False
    members_required: int = 1
    personas: tuple[str, ...] = ()
    titles: tuple[Caught, ...] = ()
    people: int = 0
    accounts: int = 0
    why: str = ""


@dataclass(frozen=True)
class RoleProposal:
    """The roles that somebody plays, and how many of the people they would catch."""

    roles: tuple[ProposedRole, ...]
    people: int
    accounts: int
    untitled: int  # people without a title
    unclear: tuple[Unclear, ...]
    left_out: tuple[Caught, ...]  # titles of nobody who buys: students, retired
    not_looked_at: int = 0  # people whose titles are too seldom to be read
    by_persona: bool = field(default=False)

    @property
    def covered(self) -> int:
        return sum(role.people for role in self.roles)

    @property
    def coverage(self) -> float:
        """The share of the people at the accounts who would have a role."""
        return self.covered / self.people if self.people else 0.0


def propose(
    titles: Sequence[HeldTitle],
    role_of: Mapping[str, str],
    *,
    untitled: int,
    not_looked_at: int,
    accounts: int,
    by_persona: bool,
) -> RoleProposal:
    """Propose roles.

    Args:
        titles: of people at the accounts in question.
        role_of: what plays which role; what is left out plays none.
        untitled: people there who have no title.
        not_looked_at: people there whose titles are not among these.
        accounts: how many accounts there are.
        by_persona: whether roles ask for personas.
    """
    of_role: dict[str | None, list[HeldTitle]] = {}
    for title in sorted(titles, key=lambda one: (-one.count, one.title)):
        of_role.setdefault(role_of.get(title.match.persona or ""), []).append(title)
    found = tuple(
        _proposed(likeness, of_role[likeness.role], accounts, by_persona=by_persona)
        for likeness in ROLES
        if likeness.role in of_role
    )
    return RoleProposal(
        roles=(*found, _champion()) if found else (),
        people=sum(one.count for one in titles) + untitled + not_looked_at,
        accounts=accounts,
        untitled=untitled,
        not_looked_at=not_looked_at,
        unclear=tuple(
            _unclear(title, role_of)
            for title in sorted(titles, key=lambda one: (-one.count, one.title))
            if _is_unclear(title.match, role_of)
        ),
        left_out=tuple(_caught(one) for one in of_role.get(None, ()) if one.match.persona),
        by_persona=by_persona,
    )


def texts() -> list[str]:
    """What the roles are like: to be read once."""
    return [folded(text) for one in (*ROLES, NO_ROLE) for text in one.titles]


def likenesses(vectors: Mapping[str, Vector]) -> list[Likeness]:
    """The roles, and what plays none, as titles are compared with them."""
    return [
        Likeness(one.role, {text: vectors[folded(text)] for text in one.titles})
        for one in (*ROLES, NO_ROLE)
    ]


def roles_of_roles() -> dict[str, str]:
    """Where titles are compared with the roles themselves."""
    return {one.role: one.role for one in ROLES}


def roles_of_personas(
    personas: Sequence[Likeness], vectors: Mapping[str, Vector]
) -> dict[str, str]:
    """The role that most examples of each persona are like."""
    found = {}
    for persona in personas:
        matches = match(likenesses(vectors), list(persona.examples.values()))
        role, _ = Counter(one.persona for one in matches).most_common(1)[0]
        if role:
            found[persona.persona] = role
    return found


def _proposed(
    likeness: RoleLikeness, titles: Sequence[HeldTitle], accounts: int, *, by_persona: bool
) -> ProposedRole:
    mine = titles if by_persona else titles[:MOST_NAMED]
    at: Counter[int] = Counter()
    for title in mine:
        at.update(title.people)
    caught = tuple(map(_caught, mine))
    required = likeness.is_key and accounts > 0 and len(at) / accounts >= REQUIRED_AT
    members = min(MOST_REQUIRED, median_low(sorted(at.values()))) if required else 1
    personas = {str(title.match.persona) for title in mine} if by_persona else set()
    return ProposedRole(
        role=likeness.role,
        weight=likeness.weight,
        required=required,
        members_required=members,
        personas=tuple(sorted(personas)),
        titles=caught,
        people=sum(at.values()),
        accounts=len(at),
        why=_why(likeness, caught, at, accounts, required=required, members=members),
    )


def _why(
    likeness: RoleLikeness,
    caught: Sequence[Caught],
    at: Counter[int],
    accounts: int,
    *,
    required: bool,
    members: int,
) -> str:
    """The counts that speak for a role, and the examples its titles are nearest to."""
    most = ", ".join(
        f"{one.title} ({one.people}; nearest to {one.example}, {one.score:.2f})"
        for one in caught[:3]
    )
    said = f"They {likeness.says}: {people_in_words(sum(at.values()))} at {len(at)} of {accounts} accounts, most of them {most}."
    if required:
        usual = f"{members} as a rule" if members > 1 else "one at least"
        return (
            f"{said} Required, for {len(at) / accounts:.0%} of the accounts have somebody, {usual}."
        )
    if likeness.is_key:
        return (
            f"{said} Not required, for only {len(at) / accounts:.0%} of the accounts have somebody."
        )
    return said


def _champion() -> ProposedRole:
    return ProposedRole(
        CHAMPION.role,
        CHAMPION.weight,
        why="No title makes a champion: filled by hand and by journeys, for example of who asks for a meeting.",
    )


def people_in_words(count: int) -> str:
    """``1 person``, ``2 people``."""
    return "1 person" if count == 1 else f"{count} people"


def _caught(title: HeldTitle) -> Caught:
    first = title.match.alternatives[0]
    return Caught(title.title, title.count, title.match.score, first.example, title.spellings)


def _is_unclear(one: Match, role_of: Mapping[str, str]) -> bool:
    """Like nothing, or about as near to what plays another role."""
    if one.persona is None or not one.unclear:
        return one.persona is None
    second = one.alternatives[1].persona
    return role_of.get(one.persona) != role_of.get(second)


def _unclear(title: HeldTitle, role_of: Mapping[str, str]) -> Unclear:
    first, second = [*title.match.alternatives, None, None][:2]
    return Unclear(
        title.title,
        title.count,
        role_of.get(title.match.persona or ""),
        first.persona if first else None,
        title.match.score,
        second.persona if second else None,
        second.score if second else None,
    )
