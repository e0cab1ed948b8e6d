"""The server as a process: it starts or says why not, reloads, and loses nothing when it stops."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import time
from typing import TYPE_CHECKING

import pytest
from kit_samples import ADDRESS, ORIGIN, copy_policies, edit
from ports import find_port
from server_process import SECONDS, list_records, make_body, run, serving

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def check_refusal(ended: subprocess.CompletedProcess[str], *texts: str) -> None:
    """One line that says what is wrong, code 2, and no trace of the program."""
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    for text in texts:
        assert text in ended.stderr


@pytest.fixture
def arguments(policies: Path, tmp_path: Path) -> list[object]:
    """A start that would work."""
    database = f"sqlite:///{tmp_path / 'slagboom.db'}"
    return ["serve", "--policies", policies, "--database", database, "--port", find_port()]


def test_a_wrong_policy_stops_the_start_with_its_place(
    policies: Path, arguments: list[object]
) -> None:
    edit(policies / "acme.yaml", "consent_lifetime_days: 182", "consent_lifetime_days: 999")

    check_refusal(run(*arguments), f"{policies / 'acme.yaml'}:36:24 consent_lifetime_days: ")


def test_a_folder_without_a_policy_stops_the_start(tmp_path: Path, arguments: list[object]) -> None:
    check_refusal(run(*arguments, "--policies", tmp_path / "nowhere"), "holds no policy")


def test_a_port_that_is_taken_stops_the_start(arguments: list[object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(*arguments, "--port", port)

    check_refusal(ended, f"127.0.0.1:{port}: cannot listen there: ", "in use", "--port")


def test_a_host_that_is_not_ours_stops_the_start(arguments: list[object]) -> None:
    check_refusal(run(*arguments, "--host", "192.0.2.1"), "192.0.2.1:", "cannot listen there")


def test_a_country_file_that_is_missing_stops_the_start(
    tmp_path: Path, arguments: list[object]
) -> None:
    file = tmp_path / "countries.mmdb"

    check_refusal(run(*arguments, "--geo-database", file), str(file), "country database")


def test_a_country_file_that_is_none_stops_the_start(
    tmp_path: Path, arguments: list[object]
) -> None:
    file = tmp_path / "countries.mmdb"
    file.write_text("no countries here", "utf-8")

    check_refusal(run(*arguments, "--geo-database", file), str(file), "not a country database")


@pytest.mark.parametrize("place", ["a-file/slagboom.db", "a-file/deeper/slagboom.db"])
def test_a_folder_that_cannot_be_written_stops_the_start(
    tmp_path: Path, arguments: list[object], place: str
) -> None:
    (tmp_path / "a-file").write_text("no folder", "utf-8")
    file = tmp_path / place

    check_refusal(run(*arguments, "--database", f"sqlite:///{file}"), str(file), "cannot make")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("slagboom.db", "is no database address"),
        ("sqlite://", "keeps nothing"),
        ("oracle://nobody/x", "no driver"),
    ],
)
def test_a_database_that_is_none_stops_the_start(
    arguments: list[object], url: str, text: str
) -> None:
    check_refusal(run(*arguments, "--database", url), text)


def test_a_file_that_is_no_database_stops_the_start(
    tmp_path: Path, arguments: list[object]
) -> None:
    file = tmp_path / "notes.db"
    file.write_text("no database, just some words " * 100, "utf-8")

    check_refusal(run(*arguments, "--database", f"sqlite:///{file}"), str(file), "cannot be used")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_key_that_anybody_can_read_stops_the_start(
    tmp_path: Path, arguments: list[object], workers: int
) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    key = folder / "hand-over.key"
    key.write_bytes(bytes(32))
    key.chmod(0o644)

    ended = run(*arguments, "--keys", folder, "--workers", workers)

    check_refusal(ended, str(key), "chmod 600")


def test_the_first_start_makes_the_key_beside_the_log_for_its_owner_alone(
    policies: Path, tmp_path: Path
) -> None:
    key = tmp_path / "slagboom-keys" / "hand-over.key"
    with serving(policies, tmp_path) as server:
        server.stop()
    made = key.read_bytes()
    with serving(policies, tmp_path) as server:
        server.stop()

    assert len(made) == 32
    assert key.read_bytes() == made
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert made.hex() not in server.said


def test_the_help_lists_the_commands_and_their_variables() -> None:
    commands = run("--help")
    options = run("serve", "--help")

    assert commands.returncode == options.returncode == 0
    for command in ("serve", "demo", "migrate", "log", "policy"):
        assert command in commands.stdout
    for name in ("POLICIES", "DATABASE", "HOST", "PORT", "GEO_DATABASE", "TRUSTED_PROXIES"):
        assert f"SLAGBOOM_{name}" in options.stdout


def test_the_demo_keeps_its_decisions_apart() -> None:
    defaults = {
        command: re.search(r"sqlite:\S+\.db", run(command, "--help").stdout)
        for command in ("serve", "demo")
    }

    assert defaults["serve"]
    assert defaults["demo"]
    assert defaults["serve"][0] == "sqlite:///var/slagboom.db"
    assert defaults["demo"][0] == "sqlite:///var/demo.db"


def test_an_option_may_come_from_the_environment(tmp_path: Path) -> None:
    ended = run("serve", SLAGBOOM_GEO_DATABASE=str(tmp_path / "countries.mmdb"))

    check_refusal(ended, str(tmp_path / "countries.mmdb"))


def test_a_server_serves_stores_and_says_nothing_of_its_visitors(
    policies: Path, tmp_path: Path
) -> None:
    with serving(policies, tmp_path) as server:
        body = make_body(server, 1)
        first = server.open("/s/acme/decisions", json.dumps(body).encode())
        second = server.open("/s/acme/decisions", json.dumps(body).encode())
        broken = server.open("/s/acme/decisions", b"{")
        missing = server.open("/nothing")
        code = server.stop()
        (record,) = list_records(server)

    assert (first[0], second[0], broken[0], missing[0]) == (201, 200, 400, 404)
    assert code == 0
    assert record["decision_id"] == body["decision_id"]
    assert ADDRESS not in server.said + json.dumps(record)
    assert "Mozilla" not in server.said + json.dumps(record)
    assert "Traceback" not in server.said


def test_a_wrong_reload_keeps_serving_and_says_why(policies: Path, tmp_path: Path) -> None:
    with serving(policies, tmp_path) as server:
        before = server.open("/s/acme/gate.js")
        edit(policies / "acme.yaml", "consent_lifetime_days: 182", "consent_lifetime_days: 999")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("consent_lifetime_days: ")
        after = server.open("/s/acme/gate.js")
        code = server.stop()

    assert before[0] == 200
    assert after == before
    assert code == 0
    assert "the earlier ones stay in force" in server.said
    assert f"{policies / 'acme.yaml'}:36:24 consent_lifetime_days: " in server.said
    assert "Traceback" not in server.said


def test_a_reload_takes_the_new_policies_without_a_pause(policies: Path, tmp_path: Path) -> None:
    with serving(policies, tmp_path) as server:
        _, before = server.open("/s/acme/gate.js")
        edit(policies / "acme.yaml", "accept: Aanvaarden", "accept: Toestaan")
        server.process.send_signal(signal.SIGHUP)
        while "policies reloaded" not in server.said:
            assert server.open("/health/live") == (200, b"ok\n")
        _, after = server.open("/s/acme/gate.js")

    assert b"Aanvaarden" in before
    assert b"Toestaan" in after
    assert b"Aanvaarden" not in after


def test_a_slow_reload_holds_up_no_visitor_and_the_next_one_waits_for_it(
    policies: Path, tmp_path: Path
) -> None:
    with serving(policies, tmp_path) as server:
        slow = policies / "slow.yaml"
        os.mkfifo(slow)
        server.process.send_signal(signal.SIGHUP)
        # Opens once the server has begun to read it, and has read acme.yaml before.
        with slow.open("w", encoding="utf-8") as pipe:
            alive = server.open("/health/live")
            slow.unlink()
            edit(policies / "acme.yaml", "accept: Aanvaarden", "accept: Toestaan")
            server.process.send_signal(signal.SIGHUP)
            _, during = server.open("/s/acme/gate.js")
            pipe.write("site: [")
        server.wait_for("policies reloaded")
        _, after = server.open("/s/acme/gate.js")

    assert alive == (200, b"ok\n")
    assert b"Aanvaarden" in during
    assert b"Toestaan" in after
    assert server.said.index("policies not reloaded") < server.said.index("policies reloaded")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_well_and_answers_what_had_begun(
    policies: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with serving(policies, tmp_path) as server:
        content = json.dumps(make_body(server, 1)).encode()
        head = (
            f"POST /s/acme/decisions HTTP/1.1\r\nHost: kit\r\nOrigin: {ORIGIN}\r\n"
            f"Content-Length: {len(content)}\r\nExpect: 100-continue\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as visitor:
            visitor.sendall(head.encode())
            assert visitor.recv(100).startswith(b"HTTP/1.1 100 ")
            server.process.send_signal(number)
            refused_by = time.monotonic() + SECONDS
            while time.monotonic() < refused_by:
                try:
                    socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS).close()
                except ConnectionError:
                    break
            visitor.sendall(content)
            answer = visitor.recv(1000)
        code = server.process.wait(SECONDS)
        records = list_records(server)

    assert answer.startswith(b"HTTP/1.1 201 ")
    assert code == 0
    assert len(records) == 1
    assert "Traceback" not in server.said
    assert "Aborted" not in server.said


def test_a_client_that_hangs_at_a_stop_is_cut_off_and_told_of_in_one_line(
    policies: Path, tmp_path: Path
) -> None:
    with serving(policies, tmp_path) as server:
        head = (
            f"POST /s/acme/decisions HTTP/1.1\r\nHost: kit\r\nOrigin: {ORIGIN}\r\n"
            "Content-Length: 900\r\nExpect: 100-continue\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS) as visitor:
            visitor.sendall(head.encode())
            assert visitor.recv(100).startswith(b"HTTP/1.1 100 ")
            visitor.sendall(b"{")
            before = server.said
            code = server.stop()

    said = server.said.removeprefix(before)
    assert code == 0
    assert len(said.splitlines()) == 1, said
    assert "Cancel 1 running task(s)" in said


def test_a_second_server_beside_the_first_leaves_it_alone(policies: Path, tmp_path: Path) -> None:
    other = copy_policies(tmp_path / "second")
    with serving(policies, tmp_path) as server:
        ended = run(
            "serve",
            *("--policies", other, "--port", server.port),
            *("--database", f"sqlite:///{tmp_path / 'second.db'}"),
        )
        alive = server.open("/health/live")

    check_refusal(ended, "cannot listen there")
    assert alive == (200, b"ok\n")
    assert not (tmp_path / "second.db").exists()
