"""A4: whoever has no account any more has their messages sent again, by their address alone."""

import pytest
from fastapi.testclient import TestClient

from offramp.engine.courier import carry_once
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.acceptance.departure import KINDS, TRAINING, depart

FAREWELL = "2024-08-31"


@pytest.fixture(params=KINDS)
def departure(request, tmp_path):
    with depart(TRAINING, request.param, tmp_path, request) as departure:
        departure.run_until("2024-09-02T12:00:00Z")
        yield departure


def ask(departure, address):
    """Ask as a person does, and let a worker come by."""
    app = create_app(departure.context, access_keys=AccessKeys(), has_again_page=True)
    answer = TestClient(app).post("/again", data={"address": address})
    carry_once(departure.context)
    return answer


def files_of(message):
    return {
        part.get_filename(): part.get_payload(decode=True) for part in message.iter_attachments()
    }


def test_a_person_is_sent_what_they_earned_again_and_a_stranger_reads_the_same(departure):
    reader, first = next((to, mail) for on, to, mail in departure.mail if on == FAREWELL)
    before = len(departure.mail)

    known, unknown = (ask(departure, each) for each in (reader.upper(), "eve@stranger.example"))
    departure.run_until("2024-09-02T12:05:00Z")

    ((_, to, again),) = departure.mail[before:]
    assert (known.status_code, known.content) == (200, unknown.content)
    assert (to, files_of(again)) == (reader, files_of(first))
    assert again["Message-ID"] != first["Message-ID"]
    assert departure.store_tables()["request"] == []
