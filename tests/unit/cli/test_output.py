"""What goes wrong is told once, in one form, without a person's data."""

import json
import signal

import pytest
import typer

from offramp.cli.output import guarded, show_error, show_table
from offramp.core.errors import Missing, Refused


class DoorShut(Refused):
    """The door {door} is shut."""


@guarded
def fail(*, error, as_json=False):
    raise error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DoorShut(door="north"), 3),
        (Missing(), 4),
        (KeyError("anna@example.com"), 70),
        (typer.Exit(9), 9),
    ],
)
def test_an_error_ends_a_command_with_the_code_of_its_root(error, code):
    with pytest.raises(typer.Exit) as caught:
        fail(error=error)

    assert caught.value.exit_code == code


def test_the_message_of_a_strangers_error_is_not_repeated(capsys):
    with pytest.raises(typer.Exit):
        fail(error=KeyError("anna@example.com"))

    told = capsys.readouterr().err
    assert "Something unexpected went wrong: KeyError in test_output.py, line" in told
    assert "anna" not in told


def test_an_error_is_one_json_document_when_json_was_asked_for(capsys):
    with pytest.raises(typer.Exit):
        fail(error=DoorShut(door="north", expected="an open door", hint="knock"), as_json=True)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err) == {
        "error": {
            "code": "DoorShut",
            "message": "The door north is shut.",
            "expected": "an open door",
            "hint": "knock",
        }
    }


def test_what_was_typed_is_never_read_as_markup(capsys):
    show_error(DoorShut(door="[red]north[/]"), as_json=False)
    show_table(("door",), [("[bold]south[/]",)])

    captured = capsys.readouterr()
    assert "The door [red]north[/] is shut." in captured.err
    assert "[bold]south[/]" in captured.out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_whoever_stops_a_command_is_told_to_run_it_again(number, code, capsys):
    before = signal.getsignal(number)

    @guarded
    def stopped(*, as_json):
        signal.raise_signal(number)

    with pytest.raises(typer.Exit) as caught:
        stopped(as_json=True)

    error = json.loads(capsys.readouterr().err)["error"]
    assert (caught.value.exit_code, error["code"]) == (code, "Interrupted")
    assert "run it again" in error["hint"]
    assert signal.getsignal(number) is before
