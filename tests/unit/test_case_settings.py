"""A worker reads letters about cases itself where the settings name their mailbox."""

import pytest

from offramp.bootstrap import CaseAddressUnset, build
from offramp.config import SettingInvalid, load_settings
from offramp.testing.memory_store import MemoryStore

MAILBOX = {"case_imap_host": "imap.vendor.example", "case_imap_password": "open sesame"}


def context_of(tmp_path, **given):
    return build(load_settings(folder=tmp_path, **given), store=MemoryStore())


def test_letters_are_read_where_a_mailbox_is_named(tmp_path):
    told = context_of(tmp_path, **MAILBOX, case_address="help@vendor.example", case_every_minutes=2)

    assert told.letters is not None
    assert told.limits.letters_seconds == 120
    assert context_of(tmp_path, case_address="help@vendor.example").letters is None


def test_a_mailbox_without_the_address_that_people_write_to_is_refused(tmp_path):
    with pytest.raises(CaseAddressUnset):
        context_of(tmp_path, **MAILBOX)


@pytest.mark.parametrize("name", ["case_imap_folder", "case_imap_done"])
def test_a_folder_that_the_protocol_cannot_name_is_refused_without_its_name(name):
    with pytest.raises(SettingInvalid) as refused:
        load_settings(**{name: "Erledigt\n"})

    assert "Erledigt" not in str(refused.value)
