"""Tools whose results come to the model in the fence of data: what they read was typed by strangers too."""

from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.toolsets import ToolsetTool, WrapperToolset

from caravan.ai.fencing import fenced


class FencedTools(WrapperToolset[None]):
    """Whatever a tool returns is fenced, so no tool can forget it."""

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[None], tool: ToolsetTool[None]
    ) -> str:
        return fenced(await super().call_tool(name, tool_args, ctx, tool))
