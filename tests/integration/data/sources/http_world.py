"""A world whose further source is a service, reached over a socket of this machine."""

from dataclasses import dataclass, replace

from offramp.data.sources.wire import read_secrets
from offramp.testing.participant import TABLES, Participant
from offramp.testing.source_world import BEGINNING, SourceWorld

SECRET = "whsec_" + "c2VjcmV0" * 5
OTHER_SECRET = "whsec_" + "b3RoZXJz" * 5


def new_participant():
    """A service that stands in time where the worlds begin."""
    return Participant(seal=read_secrets(SECRET), now=lambda: BEGINNING.to_stdlib())


@dataclass(kw_only=True)
class HttpWorld(SourceWorld):
    """Contacts and messages of each organization, at a service."""

    participant: Participant
    address: str

    def __post_init__(self):
        self.participant.now = lambda: self.clock.now().to_stdlib()
        super().__post_init__()

    def spec(self):
        covers = ["organization", "member"]
        return {"kind": "http", "url": self.address, "secret": "env:CRM_SECRET", "covers": covers}

    def fill(self, scope):
        key = int(scope.organization)
        self.participant.held[scope.organization] = {
            table: [
                {"id": key * 10 + n, "member": str(key + n), "text": f"Grüße {n}\u2028 of {key}"}
                for n in range(3)
            ]
            for table in TABLES
        }

    def held(self, scope):
        tables = self.participant.held[scope.organization]
        return {f"further.{name}": [repr(row) for row in rows] for name, rows in tables.items()}

    def write_late(self, scope):
        late = {"id": 999, "member": "1", "text": "late"}
        self.participant.held[scope.organization]["contacts"].append(late)

    def cut(self):
        source = self.others["further"]
        closed = replace(source.line, url=source.line.url.copy_with(port=9))
        self.others = {"further": replace(source, line=closed)}


def http_world(folder, participant, address):
    """Open a world over a service."""
    environment = {"CRM_SECRET": SECRET}
    return HttpWorld(
        folder=folder, participant=participant, address=address, environment=environment
    )
