"""What workflows fill is what a server is set up with and a worker looks for."""

from temporalio.api.enums.v1 import IndexedValueType

from caravan import search_attributes
from workflows import web_ui


def test_workflows_fill_the_attributes_that_servers_are_given() -> None:
    filled = {
        key.name: IndexedValueType.Name(key.indexed_value_type).split("_")[-1].capitalize()  # type: ignore[arg-type]
        for key in (web_ui.JOURNEY, web_ui.VERSION, web_ui.ACCOUNT, web_ui.NODE, web_ui.OUTCOME)
    }
    assert filled == search_attributes.KINDS
