"""The benchmark suite around its measurements: what is chosen, judged and printed."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import __main__ as suite
from benchmarks.data import accounts_file, people_file
from benchmarks.figures import Figure, Target, percentile, significant
from benchmarks.machine import machine, versions
from benchmarks.processes import resident_megabytes
from caravan.settings import read_environment
from caravan.stack.embedded import stay_embedded

FIGURES = [
    Figure("journey_to_floor", 0.61, Target("at least", 0.5), "of the floor", {"rounds": [1, 2]}),
    Figure("worker_rss_mb", 301.0, Target("at most", 300), "MiB"),
    Figure("informative", 7.0),
]


def test_percentile_is_a_measured_value() -> None:
    assert percentile(list(range(1, 201)), 0.99) == 198
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([5.0], 0.99) == 5.0


def test_significant_digits_are_kept_at_any_size() -> None:
    assert [significant(value) for value in (0.123456, 12.3456, 12345.6)] == [0.123, 12.3, 12300]


def test_verdict_follows_the_bound() -> None:
    assert [figure.verdict for figure in FIGURES] == ["ok", "missed", ""]
    assert Target("at least", 0.5).met_by(0.5)
    assert Target("at most", 300).met_by(300)


def test_chosen_all_sections_but_the_long_ones_when_none_is_named() -> None:
    short, long = suite.chosen([]), suite.chosen([], long=True)
    assert short + long == list(suite.SECTIONS)
    assert [list(section.figures) for section in long] == [["audience_to_sql"]]
    assert suite.chosen(["audience_to_sql"]) == long


def test_chosen_section_once_when_two_of_its_figures_are_named() -> None:
    [section] = suite.chosen(["events_per_account", "journey_to_floor"])
    assert set(section.figures) == {"events_per_account", "journey_to_floor"}


def test_chosen_unknown_figure_names_those_there_are() -> None:
    with pytest.raises(LookupError, match=r"no figure sync; there are .*sync_to_raw"):
        suite.chosen(["sync"])


def test_json_has_every_figure_in_one_line() -> None:
    line = suite.as_json(FIGURES, {"journey_to_floor": 31.5})
    assert "\n" not in line
    body = json.loads(line)
    assert body["journey_to_floor"] == 0.61
    assert body["informative"] == 7.0
    assert body["targets"]["worker_rss_mb"] == {"target": "at most 300", "met": False}
    assert "informative" not in body["targets"]
    assert body["details"]["journey_to_floor"] == {"rounds": [1, 2]}


def test_table_says_what_was_missed() -> None:
    out = io.StringIO()
    suite.show(Console(file=out, width=120), FIGURES, {})
    rows = {line.split()[1]: line for line in out.getvalue().splitlines() if line.startswith("│")}
    assert "ok" in rows["journey_to_floor"]
    assert "missed" in rows["worker_rss_mb"]


def test_machine_and_versions_are_known() -> None:
    assert all({**machine(), **versions()}.values())


def test_help_lists_every_figure() -> None:
    text = suite.parser().format_help()
    assert all(name in text for section in suite.SECTIONS for name in section.figures)


def test_resident_memory_counts_children() -> None:
    alone = resident_megabytes(os.getpid())
    with subprocess.Popen(
        [sys.executable, "-c", "x = bytearray(40 << 20); print(1, flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert resident_megabytes(os.getpid()) - alone > 38
        child.communicate(b"\n")


def test_resident_memory_of_an_ended_process_is_none() -> None:
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    assert resident_megabytes(int(child.stdout)) == 0


def test_made_up_people_belong_to_made_up_accounts(tmp_path: Path) -> None:
    accounts = accounts_file(tmp_path, range(1, 4)).read_text().splitlines()
    people = people_file(tmp_path, range(1, 4)).read_text().splitlines()
    assert len(accounts) == 4
    assert len(people) == 16
    known = {line.split(",")[0] for line in accounts[1:]}
    assert {line.rsplit(",", 1)[1] for line in people[1:]} == known


def test_nothing_leads_to_servers_that_settings_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    servers = (
        "PLATFORM_DSN", "ENGAGE_DSN", "SMTP_URL", "TEMPORAL_ADDRESS",
        "TEMPORAL_NAMESPACE", "TEMPORAL_TLS", "TEMPORAL_API_KEY",
    )  # fmt: skip
    named = [f"{name}{suffix}" for name in servers for suffix in ("", "_FILE")]
    for name in named:
        monkeypatch.setenv(name, "true")  # the one value that all of them take
    monkeypatch.setenv("CARAVAN_HOME", "/elsewhere")
    monkeypatch.setenv("POOL_SIZE", "7")
    assert sorted(stay_embedded(tmp_path)) == sorted(named)
    environment = read_environment()
    assert environment.caravan_home == tmp_path
    assert environment.temporal_namespace == "default"
    assert not environment.temporal_tls
    assert not [name for name in os.environ if name.startswith("TEMPORAL_")]
    assert environment.pool_size == 7
