"""A certificate claims what was found, and names what nobody looked at."""

import pytest

from offramp.data.datamap import DataMap
from offramp.data.erasure.erase import Retained
from offramp.data.erasure.tombstone import Tombstone
from offramp.data.handover.hand_over import HandedOver
from offramp.data.manifest import TableDigest
from offramp.data.proof.attestation import Conclusion, Erasure, attest, not_verified
from offramp.data.proof.verify import Verification
from offramp.data.scope import Scope

WHOLE = Scope(organization="7")
DATAMAP = DataMap.model_validate(
    {
        "offramp": 1,
        "sources": {"app": {"kind": "sql", "url": "env:APP", "root": "companies.id"}},
        "tables": {
            "app.companies": {},
            "app.invoices": {
                "erase": "keep",
                "columns": {"name": {"erase": "hash"}, "sum": {"erase": "keep"}},
            },
        },
    }
)
EXPORT = HandedOver(taken_at="Monday", compared_at="Tuesday", rows=4, sha256="d1")


def verification(*, shared_marks=0):
    return Verification(
        counts={"app.companies": 0},
        orphans={},
        retained={"app.invoices": 3},
        residue={},
        shared_marks=shared_marks,
        checked=("app.companies", "app.invoices"),
    )


def attested(*, scope=WHOLE, marks=("m1", "m2"), exports=(EXPORT,), kept=3, destroyed="Wednesday"):
    return attest(
        DATAMAP,
        scope,
        facts={"offramp": "0"},
        tombstone=Tombstone(
            subject="s",
            marks=marks,
            are_all_mails=True,
            tables={"app.companies": TableDigest(rows=1, sha256="d2")},
        ),
        exports=exports,
        erasure=Erasure(
            erased_at="Tuesday",
            tables={"app.companies": 1},
            retained=(Retained(table="app.invoices", rows=kept, basis="law", until="x + P1Y"),),
            verification=verification(),
        ),
        conclusion=Conclusion(issued_at="Thursday", key_destroyed_at=destroyed),
    )


def test_it_names_what_stands_for_a_person_in_rows_that_stay():
    assert attested()["pseudonymized"] == {"app.invoices": ["name"]}
    assert attested(kept=0)["pseudonymized"] == {}


def test_a_key_that_is_still_needed_is_not_called_destroyed():
    assert attested()["key_destroyed"] is True
    assert attested(destroyed=None)["key_destroyed"] is False
    assert attested(destroyed=None)["key_destroyed_at"] is None


def test_what_was_not_compared_is_not_called_handed_over():
    compared, not_compared = attested(), attested(exports=())

    assert compared["verified"][0].startswith("The export of Monday equaled the live rows")
    assert not any("export" in sentence for sentence in not_compared["verified"])
    assert not_compared["not_verified"][0].startswith("Whether everything had been handed over")


def test_what_was_not_searched_for_is_not_called_absent():
    searched, blind = attested(), attested(marks=())

    assert any(sentence.startswith("None of 2 identifiers") for sentence in searched["verified"])
    assert not any("identifiers" in sentence for sentence in blind["verified"])
    assert (
        "Whether identifiers of the subject occur in other rows: none were known."
        in (blind["not_verified"])
    )


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (WHOLE, "Rows that no foreign key ties to the subject"),
        (Scope(organization="7", product="notes"), "Tables that the data map does not assign"),
    ],
)
def test_backups_and_what_the_list_cannot_reach_are_always_named(scope, words):
    unseen = list(not_verified(scope, verification(shared_marks=1), marks=2))

    assert unseen[0].startswith("Identifiers that rows of others carry too (1 of 2)")
    assert unseen[1].startswith(words)
    assert "Backups, replicas and logs of the databases." in unseen
