"""`offramp billing`: what was assigned is listed, and only a pool that is there is paid for."""

from tests.acceptance.installation import LEAVING


def test_a_subscription_is_assigned_to_a_pool_that_is_there(installation):
    (pool, *_) = installation.ask("pool", "seats", LEAVING)["pools"]
    at = ("--organization", LEAVING, "--pool")
    missing = installation.run("billing", "assign", "sub_1", *at, "nothing")
    before = installation.say("billing", "list")
    installation.say("billing", "assign", "sub_1", *at, pool["pool"])
    (listed,) = installation.ask("billing", "list")["subscriptions"]

    assert missing.code == 4
    assert "no billing system has said anything" in before
    assert (listed["subscription"], listed["pool"], listed["problem"]) == (
        *("sub_1", pool["pool"]),
        None,
    )
