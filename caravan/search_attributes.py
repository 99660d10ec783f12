"""The search attributes of an account's workflow: their names and kinds, as Temporal must know them.

A server that does not have them refuses to start journeys, so they are named here for whoever sets
one up, whoever looks whether they are there, and whoever fills them.
"""

JOURNEY = "Journey"
VERSION = "JourneyVersion"
ACCOUNT = "Account"
NODE = "Node"
OUTCOME = "Outcome"

KINDS = {
    JOURNEY: "Keyword",
    VERSION: "Int",
    ACCOUNT: "Keyword",
    NODE: "Keyword",
    OUTCOME: "Keyword",
}
