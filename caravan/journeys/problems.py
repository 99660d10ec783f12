"""What is wrong with a document: the shape that ``validate`` prints (language.md)."""

from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

Path = tuple[str | int, ...]
Severity = Literal["error", "warning"]


class Problem(BaseModel):
    """One problem, with the place a user can go to."""

    model_config = ConfigDict(frozen=True)

    file: str
    line: int
    document: str | None
    node: str | None
    code: str
    message: str
    severity: Severity = "error"


class Report(Protocol):
    """Takes note of a problem at a path of the document being read."""

    def __call__(
        self, code: str, path: Path, message: str, *, severity: Severity = "error"
    ) -> None: ...
