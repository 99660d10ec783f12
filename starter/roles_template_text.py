"""A proposed roles template as the file that somebody reads, changes and approves."""

from textwrap import wrap

from caravan.personas.role_proposal import ProposedRole, RoleProposal

WIDTH = 100


def text_of(proposal: RoleProposal, slug: str, interest: str) -> str:
    """The document, with the reason for each role above it."""
    head = (
        f"Proposed for {interest} from the job titles of {proposal.people} people at {proposal.accounts} accounts; "
        f"{proposal.coverage:.0%} of them would have a role. The first role that fits a person is theirs."
    )
    lines = [*_comment(head), f"roles_template: {slug}", "roles:"]
    for role in proposal.roles:
        lines += [*_comment(role.why, indent="  "), *_card(role)]
    return "\n".join(lines) + "\n"


def _card(role: ProposedRole) -> list[str]:
    lines = [f"  - role: {role.role}", f"    weight: {role.weight}"]
    if role.required:
        lines.append("    required: true")
    if role.members_required > 1:
        lines.append(f"    members_required: {role.members_required}")
    if role.personas:
        lines.append(f"    when: {{person: {{persona: [{', '.join(role.personas)}]}}}}")
    elif role.titles:
        lines += ["    when:", "      person:", "        job_title:"]
        lines += [
            f"          - {_quoted(spelling)}" for one in role.titles for spelling in one.spellings
        ]
    return lines


def _quoted(text: str) -> str:
    """A double-quoted text of YAML, whatever stands in a title: JSON's escapes would not do beyond U+FFFF."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _comment(text: str, indent: str = "") -> list[str]:
    plain = "".join(one if one.isprintable() else " " for one in text)
    return [f"{indent}# {line}" for line in wrap(" ".join(plain.split()), WIDTH - len(indent))]
