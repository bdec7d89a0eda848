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


STAYING = "beta"


def open_world(app, policy, *, leaving=("acme",), **options):
    """Fill the vendor's database and register acme and others, who leave, and beta, who stays."""
    app.fill(*leaving, STAYING)
    world = World(START, data=app.data, **options)
    publish(world.context, POLICIES[policy])
    ended = [pool for slug in leaving for pool in pools_of(slug)]
    register(
        world.context,
        organizations=[shop.organization(each, policy=policy) for each in (*leaving, STAYING)],
        pools=[*ended, shop.pool(STAYING, ends=None)],
        members=[*(each for slug in leaving for each in people_of(slug)), *shop.members(STAYING)],
    )
    return world


def pools_of(slug):
    """Give an organization two pools, one of which ends before the other."""
    earlier = shop.pool(slug, product="recordings", ends=Date(2024, 8, 20))
    return [shop.pool(slug), earlier]


def people_of(slug):
    """Give its people seats: three of them in both pools, the last one in one."""
    both = shop.members(slug, f"{slug}-notes", f"{slug}-recordings")
    return [*both[:3], *shop.members(slug, f"{slug}-recordings")[3:]]


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
