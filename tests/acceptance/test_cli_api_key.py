"""`offramp api-key`: a key is printed once, listed by its first letters, and revoked."""


def test_a_key_is_printed_once_listed_and_revoked(installation):
    made = installation.ask("api-key", "create", "sync", "--role", "viewer", "--days", "30")
    listed = installation.ask("api-key", "list")
    told = installation.say("api-key", "list")
    revoked = installation.ask("api-key", "revoke", "sync")
    again = installation.run("api-key", "revoke", "sync")

    (key,) = listed["api_keys"]
    assert made["key"].startswith(key["hint"])
    assert (key["name"], key["role"], key["used_on"], key["state"]) == (
        *("sync", "viewer"),
        *(None, "good"),
    )
    assert made["key"] not in told
    assert key["hint"] in told
    assert revoked["revoked_at"] is not None
    assert again.code == 4
