"""The developer command: what it passes on, and what it says when it cannot."""

import pytest

import dev


def test_every_command_is_explained_in_one_line():
    explanations = {name: command.__doc__ for name, command in dev.COMMANDS.items()}

    assert {name for name, text in explanations.items() if not text or "\n" in text} == set()


def test_commands_run_in_order_and_the_last_gets_what_follows(monkeypatch):
    calls = []
    for name in ("lint", "test"):
        monkeypatch.setitem(
            dev.COMMANDS, name, lambda *rest, name=name: calls.append((name, *rest)) or 0
        )
    monkeypatch.setattr(dev, "setup", lambda: calls.append(("setup",)))

    dev.main(["lint", "test", "-k", "lint"])

    assert calls == [("setup",), ("lint",), ("test", "-k", "lint")]


def test_the_worst_exit_code_wins(monkeypatch):
    monkeypatch.setitem(dev.COMMANDS, "lint", lambda: 1)
    monkeypatch.setitem(dev.COMMANDS, "types", lambda: 0)
    monkeypatch.setattr(dev, "setup", lambda: 0)

    assert dev.main(["lint", "types"]) == 1


def test_an_unknown_command_is_named_beside_the_known_ones():
    with pytest.raises(dev.Failure) as caught:
        dev.main(["deploy"])

    assert "deploy" in str(caught.value)
    assert all(name in str(caught.value) for name in dev.COMMANDS)


def test_the_rest_of_the_checks_ends_with_tests_and_fails_when_there_are_none(monkeypatch):
    ran = []
    codes = {"pytest": 5}  # what pytest gives when no test was selected
    monkeypatch.setattr(dev, "_bring", lambda package, *, program: None)
    monkeypatch.setattr(dev, "_run", lambda *call: ran.append(call[0]) or codes.get(call[0], 0))

    code = dev.check("--rest")

    assert code == 5
    assert ran[-1] == "pytest"
    assert set(ran) >= {"ruff", "lint-imports", "mypy"}


def test_a_locked_package_keeps_all_its_hashes(tmp_path, monkeypatch):
    lock = tmp_path / "all.txt"
    lock.write_text("a==1 \\\n    --hash=x\nuv==2 \\\n    --hash=y \\\n    --hash=z\nb==3\n")
    monkeypatch.setattr(dev, "LOCK", lock)

    assert dev._locked("uv") == "uv==2 \\\n    --hash=y \\\n    --hash=z\n"


@pytest.mark.parametrize(
    ("arguments", "seed", "rest"),
    [
        (("--seed", "17"), "17", ()),
        (("-x", "--seed", "17", "-v"), "17", ("-x", "-v")),
        (("-x",), None, ("-x",)),
        (("--seed",), None, ("--seed",)),
    ],
)
def test_a_seed_is_taken_out_of_what_is_passed_on(arguments, seed, rest):
    assert dev._take_option("--seed", arguments) == (seed, rest)


def test_the_simulation_is_told_everything_that_was_asked_for(monkeypatch):
    ran = []
    monkeypatch.setattr(dev, "_run", lambda *call, settings: ran.append((call[-1], settings)) or 0)

    dev.sim("--days", "400", "--seed", "17", "--organizations", "5", "-x")

    assert ran == [("-x", {"SEED": "17", "DAYS": "400", "ORGANIZATIONS": "5"})]


@pytest.mark.parametrize("changed", ["LOCK", "PROJECT", "PYTHON"])
def test_the_environment_is_made_again_when_what_it_is_made_from_changes(
    changed, tmp_path, monkeypatch
):
    before = dev._stamp()
    other = tmp_path / "other"
    other.write_text("different")
    monkeypatch.setattr(dev, changed, other)

    assert dev._stamp() != before
