"""What the simulated vendors do, and how the worlds they leave behind are compared."""

import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from whenever import Date, Instant

from offramp.core.ledger import verify_chain
from offramp.data.proof.certificate import verify_certificate
from offramp.documents.policy import find_policy
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.testing.world import World
from tests.simulation import shop

POLICIES = {name: find_policy(name) for name in ("license-pool", "edit-only-grace")}
START = Instant.from_utc(2024, 8, 1)
LONG_AFTER = {
    "license-pool": Instant.from_utc(2025, 1, 1),
    "edit-only-grace": Instant.from_utc(2026, 6, 1),
}


def open_world(app, policy, **options):
    """Fill the vendor's database and register acme, which leaves, and beta, which stays."""
    app.fill("acme", "beta")
    world = World(START, data=app.data, **options)
    publish(world.context, POLICIES[policy])
    register(
        world.context,
        organizations=[shop.organization(each, policy=policy) for each in ("acme", "beta")],
        pools=[
            shop.pool("acme"),
            shop.pool("acme", product="recordings", ends=Date(2024, 8, 20)),
            shop.pool("beta", ends=None),
        ],
        members=[
            *shop.members("acme", "acme-notes", "acme-recordings")[:3],
            *shop.members("acme", "acme-recordings")[3:],
            *shop.members("beta"),
        ],
    )
    return world


def rest_of(world, app):
    """Give all that has come of a world but for the minutes at which it came."""
    with world.store.transaction() as transaction:
        rows = transaction.offboardings()
        steps = [step for row in rows for step in transaction.steps(row.id)]
        entries = transaction.ledger()
        head = transaction.ledger_head()
    verify_chain(entries, key=world.keys.ledger_key(), heads=[head])
    return {
        "off-boardings": {(row.id, row.episode, row.status) for row in rows},
        "steps": {(step.offboarding, step.key, step.status, step.due_at) for step in steps},
        "outcomes": {step.key: step.receipt and step.receipt.outcome for step in steps},
        "ledger": {(entry.event.kind, entry.event.step) for entry in entries},
        "mail": {
            (sent.message.id, sent.message.to, sent.message.subject) for sent in world.mail.sent
        },
        "certificates": certificates(world),
        "files": sorted(world.vault.files),
        "key": world.keys.has_key("acme"),
        "acme": app.dump("acme"),
        "beta": app.dump("beta"),
        "invoices": app.invoices(),
    }


def certificates(world):
    """Read what the certificates say was deleted and found afterwards; their seals must hold."""
    private = Ed25519PrivateKey.from_private_bytes(world.keys.signing_key())
    public = private.public_key().public_bytes_raw()
    found = {}
    for name, content in world.vault.files.items():
        if name.endswith("certificate.json"):
            said = verify_certificate(content, public_key=public)
            found[name] = json.dumps(
                [said["tables"], said["verification"], said["tombstone"]], sort_keys=True
            )
    return found
