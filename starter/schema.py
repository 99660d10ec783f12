"""``caravan schema``: the JSON Schema of the documents, for editors."""

import json

from caravan.journeys.schema import json_schema


def schema() -> None:
    """Print the JSON Schema (2020-12) of the documents of a workspace.

    `caravan schema > caravan.schema.json`, and as the first line of a file
    `# yaml-language-server: $schema=caravan.schema.json`: an editor then completes and checks.
    """
    print(json.dumps(json_schema(), indent=1))
