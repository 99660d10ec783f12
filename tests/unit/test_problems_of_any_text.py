"""Whatever a workspace says, validation answers with problems and never raises."""

import copy
import itertools
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from caravan.delivery.compose import compile_body
from caravan.journeys.compiler import compile_campaign, compile_journey
from caravan.journeys.workspace import load_workspace
from tests.documents import WIDE, read_once
from tests.unit.test_workspace import MAIL

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "grid-analytics"
FILES = sorted(
    path.relative_to(EXAMPLE).as_posix()
    for path in EXAMPLE.rglob("*")
    if path.suffix in (".yaml", ".mjml", ".html")
)
YAML_FILES = [file for file in FILES if file.endswith(".yaml")]

#: what the example does not use
EVERY = """
journey: every
audience: customers
zone: account
schedule: {start: 2026-04-01, end: 2026-12-31T00:00:00Z, grace: 1 day}
admit: {already_qualified: false, per_day: 500}
reentry: {after: 30 days, from: end, limit: 3, requires: requalified}
tokens: {webinar: 12 May, meeting_link: "https://grid.example/meet"}
deduplicate_email: true
exits:
  - {label: deal, goal: true, when: {opportunity: {is_closed: false}}, do: [{send_email: {template: reminder}}], next: rest}
  - {when: {account: {contract_end: {in_future: 5 days}}}}
start: fork
nodes:
  fork:
    variants: accounts
    method: quota
    paths: [{label: A, share: 50, next: offer}, {label: B, share: 30, end: b}, {share: 20}]
    max_visits: {count: 3, next: rest}
  offer:
    variants: people
    paths: [{label: A, share: 50, do: [{send_email: {template: reminder}}]}, {share: 50}]
    zone: account
    next: hear
  hear:
    listen:
      - event: {type: contract_signed, where: {worth: {at_least: 10}}, times: 2, next: rest}
      - opportunity_changed: {field: stage, from: open, to: [won, lost]}
    timeout: {until: 2026-06-01, ends_on: {weekdays: [mon], at: "09:00", zone: account}, next: rest}
    next: thank
  thank:
    do: [{send_email: {template: reminder, who: {heard: [hear]}}}]
    next: fork
  rest:
    wait: {until: {account: contract_end, plus: -30 days, at: "09:00", zone: account}, ends_on: office-morning, zone: UTC}
    max_visits: {count: 2, end: tired}
    end: rested
"""
TEXTS = {file: (EXAMPLE / file).read_text(encoding="utf-8") for file in YAML_FILES}
TEXTS["every.yaml"] = EVERY

ODD: list[Any] = [
    None, True, False, 0, -1, 10**80, 0.5, -1e308, "", " ", "x" * 5000, "nope", "now", "3 dayz",
    "999999999 months", "9999-12-31T23:59:59+00:00", "0001-01-01", "\u202eright", "\U0001f9ed", "a\tb",
    "{{", "{% for x in y %}", "{{ person }}", [], {}, [None], [[]], {"": None}, {"is": []}, {"not": {}},
    {"all": [{"any": [{"not": {"account": {"name": {"between": [1]}}}}]}]}, {"did": {"event": []}},
    {"next": "fork"}, {"wait": "1 day"}, ["mon", 3], {"for": "1 day", "until": "now"}, "0420", "e1", "1_000",
]  # fmt: skip


#: pieces of text that documents are broken with
JUNK = [
    "&a ", "*a ", "<<: *a", "!!int ", "- ", "? ", ": ", "[", "]", "{", "}", "|\n", ">\n", "'", '"', "\t", "---\n",
    "...\n", "%YAML 1.1\n", "#", "\u202e", "\ufeff", "\u2028", "\x85", "\U0001f9ed", "null", "0x1f", "1e400", "9" * 400,
    "[" * 60, "{a: " * 60, "  " * 60 + "k:\n", "{{ my.x }}", "{% if", "\x00", "\ud800",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example, whose files are read once however often it is validated with one of them changed."""
    read_once(monkeypatch)
    here = tmp_path / "grid"
    shutil.copytree(EXAMPLE, here, ignore=shutil.ignore_patterns("data", "*.jsonl"))
    (here / "every.yaml").write_text(EVERY, encoding="utf-8")
    return here


def check(folder: Path) -> None:
    """Validate; what has no errors compiles."""
    workspace = load_workspace(folder, AT)
    for problem in workspace.problems:
        assert problem.line >= 1
        assert problem.message
    if not workspace.errors:
        for slug in workspace.journeys:
            compile_journey(workspace, slug)
        for slug in workspace.campaigns:
            compile_campaign(workspace, slug)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a document, itself included."""
    found = [path]
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, part in inner:
        found += places(part, (*path, key))
    return found


def mutate(data: Any, draw: Any) -> Any:
    """One random change: drop, replace, rename, add or swap."""
    inner = places(data)[1:]
    if not inner:
        return data
    *parents, last = draw(st.sampled_from(inner))
    holder = data
    for key in parents:
        holder = holder[key]
    kind = draw(st.sampled_from(["drop", "replace", "rename", "add", "graft"]))
    if kind == "drop":
        del holder[last]
    elif kind == "rename" and isinstance(holder, dict):
        holder[draw(st.sampled_from(["next", "end", "do", "split", "variants", "exits", "zone", "wait", "x", "1", "Ø", "on"]))] = holder.pop(last)  # fmt: skip
    elif kind == "add" and isinstance(holder[last], dict):
        holder[last][draw(st.text(max_size=5))] = copy.deepcopy(draw(st.sampled_from(ODD)))
    elif kind == "graft":
        place: Any = data
        for key in draw(st.sampled_from(places(data))):
            place = place[key]
        holder[last] = copy.deepcopy(place)
    else:
        holder[last] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return data


def scramble(text: str, draw: Any) -> str:
    """One random change of the bare text: a piece of junk put in, or put in place of something."""
    place = draw(st.integers(0, len(text)))
    cut = draw(st.sampled_from([0, 0, 1, 7, 60]))
    return text[:place] + draw(st.sampled_from(JUNK)) + text[place + cut :]


def written(documents: list[Any]) -> str:
    yaml = YAML(typ="safe")
    yaml.representer.ignore_aliases = lambda _: True
    yaml.representer.sort_base_mapping_type_on_output = (
        False  # a document's first key names its kind
    )
    out = StringIO()
    yaml.dump_all(documents, out)
    return out.getvalue()


HOSTILE = {
    "alias bomb": "a: &a [x, x]\n" + "".join(f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)),
    "itself": "journey: &a [*a]\n",
    "merge": "journey: j\n<<: {a: 1}\n",
    "brackets": "journey: " + "[" * 50_000,
    "levels": "".join(" " * number + "k:\n" for number in range(600)),
    "dashes": "- " * 5000,
    "tag": "journey: !!python/object/apply:os.system [id]\n",
    "escape": 'journey: "\\UFFFFFFFF"\n',
    "half a character": 'journey: "\\uD800"\n',
    "NUL": 'journey: "\\0"\n',
    "digits": "journey: " + "9" * 100_000,
    "no words as keys": "[a]: x\n? {b: c}\n: y\n",
    "node that is a list": "journey: j\nstart: [a]\naudience: {a: b}\nnodes: {a: {wait: 1 day, next: []}}\n",
    "ring of audiences": "".join(f"---\naudience: a{n}\nwhen: {{audience: a{(n + 1) % 1200}}}\n" for n in range(1200)),
}  # fmt: skip


def test_what_the_example_does_not_use_is_valid(folder: Path) -> None:
    assert load_workspace(folder, AT).problems == ()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_a_problem_and_soon_told(folder: Path, text: str) -> None:
    (folder / "hostile.yaml").write_text(text, encoding="utf-8")
    began = time.monotonic()
    assert {problem.file for problem in load_workspace(folder, AT).errors} == {"hostile.yaml"}
    assert time.monotonic() - began < 30


#: each document in a file of its own, for those that stay as they are are read once
WIDE_TEXTS = WIDE.split("---\n")
WIDE_READ = [YAML(typ="safe").load(text) for text in WIDE_TEXTS]
#: a long document is changed as often as its length has it
BY_LENGTH = [number for number, text in enumerate(WIDE_TEXTS) for _ in range(len(text) // 100 + 1)]
TEXTS_READ = {file: list(YAML(typ="safe").load_all(text)) for file, text in TEXTS.items()}
#: documents of this size are told within so much of a processor's time
SIZE, SECONDS = 16 * 1024, 0.2


@pytest.fixture
def wide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small workspace that has a bit of everything."""
    read_once(monkeypatch)
    (tmp_path / "hi.html").write_text(MAIL, encoding="utf-8")
    for number, text in enumerate(WIDE_TEXTS):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    assert load_workspace(tmp_path, AT).problems == ()
    return tmp_path


def check_mutated(wide: Path, data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(BY_LENGTH))
    text, file = WIDE_TEXTS[number], wide / f"{number}.yaml"
    changed = data.draw(st.booleans())
    if changed:
        documents = [copy.deepcopy(WIDE_READ[number])]
        for _ in range(data.draw(st.integers(1, 4))):
            documents = mutate(documents, data.draw)
        text = written(documents)
    for _ in range(data.draw(st.integers(0 if changed else 1, 2))):
        text = scramble(text, data.draw)
    try:
        _check_in_time(wide, file, text, WIDE_TEXTS[number])
    finally:
        file.write_text(WIDE_TEXTS[number], encoding="utf-8")


def _check_in_time(wide: Path, file: Path, text: str, usual: str) -> None:
    # asked again where it was slow: the collector of garbage may have come between
    if any(_took(wide, file, text) < SECONDS for _ in range(3)) or len(text) > SIZE:
        return
    # a processor that others wear out is slow with everything: then, for its size, no slower than with the
    # text as it was
    took = min(_took(wide, file, text) for _ in range(3))
    larger = max(1.0, len(text) / len(usual))
    assert took < 2 * larger * min(_took(wide, file, usual) for _ in range(3))


#: ends each text differently, so that it is read each time
RUNS = itertools.count()


def _took(wide: Path, file: Path, text: str) -> float:
    """Of the processor's time."""
    file.write_bytes(f"{text}\n# {next(RUNS)}".encode("utf-8", "surrogatepass"))
    began = time.thread_time()
    check(wide)
    return time.thread_time() - began


def mutated(count: int) -> Callable[[Any], Any]:
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.mark.timeout(600)
@mutated(1000)
@given(st.data())
def test_mutated_documents_end_in_problems_or_in_a_valid_journey(
    wide: Path, data: st.DataObject
) -> None:
    check_mutated(wide, data)


@pytest.mark.long
@pytest.mark.timeout(3600)
@mutated(10_000)
@given(st.data())
def test_ten_thousand_mutated_documents(wide: Path, data: st.DataObject) -> None:
    check_mutated(wide, data)


#: what templates are broken with: openings without an end, most of all
TORN = [
    "{{", "}}", "{%", "%}", "{{-", "{% raw %}", "{% doc %}", "{% comment %}", "{% endcomment %}", "{% if x %}", "{% endif %}",
    "{% liquid ", "{% render 'x' %}", "{{ person.first_name | capitalise }}", "{% assign n = now %}", "{{ n.foo }}", "<a ", "<a",
    "<a\n", '<a x="', "<a '", "<", ">", "</", "</p>", "<br/", "<!--", "-->", "<![", "<!DOCTYPE", "<?", "<style>", "</style>", "<style",
    "<style>a{b:c}", "<title>", "<script>", "<mj-style inline=\"inline\">", "<mj-section>", "</mj-body>", "&", "href=\"", " ", "\x00",
    "\ud800", "\u202e", '"', "'", "((", "[", "---\n",
]  # fmt: skip
MAILS = {
    "hi.html": MAIL,
    "mj.mjml": "---\nemail: mj\nsubject: Hello\n---\n<mjml><mj-head><mj-style>p{color:red}</mj-style></mj-head><mj-body>"
    "<mj-section><mj-column><mj-text>Hello {{ account.name }}</mj-text></mj-column></mj-section></mj-body></mjml>\n",
}


def torn(text: str, draw: Any) -> str:
    """A template with a piece of it repeated, often as often as fits, or put in, or put in place of something."""
    piece = draw(st.sampled_from(TORN))
    times = draw(st.sampled_from([1, 1, 2, 40, (SIZE - len(text)) // len(piece)]))
    place = draw(st.integers(0, len(text)))
    cut = draw(st.sampled_from([0, 0, 1, 7, 60]))
    return (text[:place] + piece * max(times, 1) + text[place + cut :])[:SIZE]


def check_torn(wide: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(MAILS)))
    text, file = MAILS[name], wide / name
    for _ in range(data.draw(st.integers(1, 3))):
        text = torn(text, data.draw)
    try:
        _check_in_time(wide, file, text, MAILS[name])
        slug = name.partition(".")[0]
        templates = load_workspace(wide, AT).templates
        if slug in templates:
            compile_body(templates[slug])
    finally:
        file.write_text(MAILS["hi.html"], encoding="utf-8") if name == "hi.html" else file.unlink()


@pytest.mark.timeout(600)
@mutated(40)
@given(st.data())
def test_torn_templates_end_in_problems_or_in_a_valid_mail(wide: Path, data: st.DataObject) -> None:
    check_torn(wide, data)


@pytest.mark.long
@pytest.mark.timeout(3600)
@mutated(5_000)
@given(st.data())
def test_five_thousand_torn_templates(wide: Path, data: st.DataObject) -> None:
    check_torn(wide, data)


@pytest.mark.parametrize("name", sorted(MAILS))
def test_template_full_of_one_thing_is_told_in_time(wide: Path, name: str) -> None:
    text = MAILS[name]
    for piece in TORN:
        _check_in_time(wide, wide / name, text + piece * ((SIZE - len(text)) // len(piece)), text)


@pytest.mark.parametrize("opening", ["{{", "{%", "{{-", "{% render", "{{ name"])
def test_opening_with_nothing_but_blanks_behind_it_is_told_in_time(
    wide: Path, opening: str
) -> None:
    text = MAILS["hi.html"]
    for end in ("", "}}", "%}"):
        blanks = " " * (SIZE - len(text) - len(opening) - len(end))
        _check_in_time(wide, wide / "hi.html", text + opening + blanks + end, text)
    (wide / "hi.html").write_text(text, encoding="utf-8")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_change_of_the_example_makes_validation_raise(folder: Path, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(sorted(TEXTS)))
    text = TEXTS[file]
    documents = copy.deepcopy(TEXTS_READ[file])
    try:
        for _ in range(data.draw(st.integers(1, 4))):
            documents = mutate(documents, data.draw)
        (folder / file).write_text(written(documents), encoding="utf-8")
        check(folder)
    finally:
        (folder / file).write_text(text, encoding="utf-8")
