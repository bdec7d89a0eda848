"""A program of the vendor that shows an access key, with the role of an operator or another."""

from fastapi.testclient import TestClient

from offramp.core.operator import OperatorRole
from offramp.engine.api_keys import create_key
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app

KEY = "k" * 32


def client_of(context, *roles, **options):
    """Give a program with a key of the settings, or one for each role with a key of its own."""
    app = create_app(context, access_keys=AccessKeys.parse(KEY), **options)
    keys = [
        create_key(context, f"{role.value}-{number}", role=role).secret
        for number, role in enumerate(roles)
    ]
    made = [TestClient(app, headers={"Authorization": f"Bearer {key}"}) for key in keys or [KEY]]
    return made if roles else made[0]


ADMIN, APPROVER = OperatorRole.ADMIN, OperatorRole.APPROVER
