"""What titles the roles of a buying group are like (product.md §3.3), to propose a template by; nobody is bound by it.

A champion is no title: who speaks for us shows by what they do, so that role is left to people and journeys.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class RoleLikeness:
    """A role with its usual weight, the titles that play it, and what it is in words."""

    role: str
    weight: str
    is_key: bool  # a group without is hardly one: required where most accounts have somebody
    says: str
    titles: tuple[str, ...]


#: in the order in which a template asks: the first that fits a person is theirs
ROLES = (
    RoleLikeness(
        "executive-steering-committee",
        "important",
        False,
        "run the company and have to stand behind it",
        (
            "CEO", "Chief Operating Officer", "President", "Owner", "Founder", "Chair of the board", "VD",
            "Koncernchef", "Geschäftsführer", "Vorstandsmitglied", "Président-directeur général", "Director general",
        ),
    ),
    RoleLikeness(
        "decision-maker",
        "vital",
        True,
        "answer for a budget or a function and can say yes",
        (
            "CFO", "CTO", "Vice President", "SVP Sales", "Director of Operations", "Head of Procurement", "IT Director",
            "Ekonomidirektör", "Inköpsdirektör", "Bereichsleiter", "Vizepräsident Vertrieb", "Directeur des achats",
            "Directrice financière", "Director de compras", "Vicepresidente de operaciones",
        ),
    ),
    RoleLikeness(
        "influencer",
        "normal",
        False,
        "lead the work or advise those who decide",
        (
            "Manager", "Project Manager", "Team Lead", "Product Manager", "Solution Architect", "Management Consultant",
            "Projektledare", "Gruppchef", "Konsult", "Abteilungsleiter", "Teamleiter", "Unternehmensberater",
            "Responsable logistique", "Chef de projet", "Jefe de ventas", "Gerente de proyecto", "Consultor",
        ),
    ),
    RoleLikeness(
        "practitioner",
        "normal",
        True,
        "would work with it every day",
        (
            "Engineer", "Software Developer", "Technician", "Business Analyst", "Buyer", "Specialist", "Accountant",
            "Administrative Assistant", "Sales Representative", "Ingenjör", "Tekniker", "Systemutvecklare", "Handläggare",
            "Ingenieur", "Sachbearbeiter", "Entwickler", "Ingénieur", "Technicien", "Comptable", "Ingeniero", "Técnico",
            "Analista",
        ),
    ),
)  # fmt: skip

#: whoever is like these plays no role
NO_ROLE = RoleLikeness(
    "",
    "trivial",
    False,
    "",
    ("Student", "Intern", "Retired", "Unemployed", "Studerande", "Rentner", "Étudiant", "Jubilado"),
)

CHAMPION = RoleLikeness("champion", "important", False, "speak for us inside", ())
