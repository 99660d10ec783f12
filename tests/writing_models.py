"""A workspace for texts that models write, and what good and bad models write for it."""

from pathlib import Path
from typing import Any

from tests.world import World

MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>{text}</mj-text>"
    '<mj-text>{{{{ postal_address }}}} <a href="{{{{ unsubscribe_link }}}}">Unsubscribe</a></mj-text>'
    "</mj-column></mj-section></mj-body></mjml>"
)
GOOD = "Hello {{ person.first_name | default: 'there' }}, a word on outages at {{ account.name | default: 'your company' }}."

JOURNEY = """journey: {slug}
audience: everyone
schedule: {{end: 30 days}}
tokens: {{webinar: Monday}}
start: hello
nodes:
  hello:
    do: [{{send_email: {{template: {template}}}}}]
    end: done
"""


def body(text: str = GOOD) -> str:
    return MJML.format(text=text)


def mail(text: str = GOOD, subject: str = "A word on outages", **further: Any) -> dict[str, Any]:
    return {
        "subject": subject,
        "preheader": "Two minutes to read",
        "body": body(text),
        **further,
    }


def variants(*mails: dict[str, Any]) -> dict[str, Any]:
    return {"variants": list(mails)}


def proposal(slug: str = "outage", **changes: Any) -> dict[str, Any]:
    """A journey of two paths with an e-mail of its own."""
    documents = f"""journey: {slug}
name: Outage
audience: {slug}-accounts
schedule: {{start: now, end: 60 days, grace: 1 day}}
start: size
nodes:
  size:
    split: accounts
    paths: [{{label: Large, when: {{account: {{employees: {{at_least: 500}}}}}}, next: by_title}}]
    otherwise: rest
  by_title:
    split: people
    paths:
      - {{label: Chiefs, when: {{person: {{job_title: {{contains: Chief}}}}}}, do: [{{send_email: {{template: {slug}-chiefs}}}}]}}
    next: rest
  rest:
    wait: 3 days
    end: rested
"""
    audience = f"audience: {slug}-accounts\nof: accounts\nwhen: {{account: {{industry: Energy}}}}\n"
    return {
        "journey": slug,
        "documents": [
            {"file": f"journeys/{slug}.yaml", "text": documents},
            {"file": f"audiences/{slug}.yaml", "text": audience},
        ],
        "emails": [{"slug": f"{slug}-chiefs", **mail()}],
        "summary": "Chiefs of large energy companies get one mail.",
    } | changes


def small_workspace(world: World, *, name: str = "Us") -> Path:
    """A workspace with a journey that sends `hi`, and data."""
    world.write(
        "ws.yaml",
        f"workspace: ws\nsubscription: {{munchkin: {world.munchkin}, sandbox: {world.sandbox}}}\n"
        f"sender: {{name: '{name}', email: us@us.example}}\npostal_address: 1 Street\ndata: data/\n"
        "fields: {person: {seniority: string}}\n"
        "---\naudience: everyone\nof: accounts\nwhen: {}\n",
    )
    world.write("j.yaml", JOURNEY.format(slug="j", template="hi"))
    world.write(
        "emails/hi.mjml",
        f"---\nemail: hi\n# ours\nsubject: Hi\ntrack_opens: false\n---\n{body('Hi {{ my.webinar }}, old words.')}\n",
    )
    world.write(
        "data/accounts.csv",
        "account_id,name,industry,employees\na,Alpha,Energy,800\nb,Beta,Energy,20\nc,Gamma,Retail,900\n",
    )
    world.write(
        "data/people.csv",
        "person_id,email,first_name,job_title,unsubscribed,account_id\n"
        "p,p@a.example,Pia Secretname,Chief Officer,,a\nq,q@a.example,Quo,Clerk,,a\nr,r@a.example,Rho,Chief Nobody,true,a\n",
    )
    return world.folder
