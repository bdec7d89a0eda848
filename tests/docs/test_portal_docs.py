"""docs/portal.md shows every picture, and says the limits as they are."""

from pathlib import Path

import pytest

from offramp.engine.cases import OWN_WAITING_MAX
from offramp.engine.own_copy import REST_MINUTES
from offramp.engine.portal_entry import IDLE_MINUTES, LINK_MINUTES, LINKS_MAX, SESSION_HOURS
from tests.docs.portal_pictures import FOLDER, PICTURES

PAGE = (Path(__file__).parents[2] / "docs" / "portal.md").read_text("utf-8")


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_of_the_portal_is_there_and_shown(name):
    assert (FOLDER / f"{name}.png").is_file()
    assert f"](images/{name}.png)" in PAGE


def test_the_limits_are_those_of_the_portal():
    assert f"works once and for {LINK_MINUTES} minutes" in PAGE
    assert f"after {IDLE_MINUTES} minutes in which nothing was asked" in PAGE
    assert (SESSION_HOURS, LINKS_MAX, OWN_WAITING_MAX, REST_MINUTES) == (8, 5, 5, 60)
    assert "after eight hours in any case" in PAGE
    assert "sent five links within an hour at most" in PAGE
    assert "Five cases of one person wait at most" in PAGE
    assert "its mail can be sent again after an hour" in PAGE
