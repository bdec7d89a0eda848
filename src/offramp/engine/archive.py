"""Where the documents of an off-boarding lie in the vault, and how their proofs are read back.

Exports hold the customer's data and go with it; proofs (tombstone, erasure, certificate) hold
counts and keyed digests only, and stay.
"""

import json
from typing import TypeVar

from pydantic import BaseModel

from offramp.data.manifest import Manifest
from offramp.ports import Vault

_Proof = TypeVar("_Proof", bound=BaseModel)


def exports_prefix(offboarding: str) -> str:
    """Name the folder of an off-boarding's exports."""
    return f"exports/{offboarding}/"


def document_name(offboarding: str, step: str) -> str:
    """Name the document of an export step."""
    return f"{exports_prefix(offboarding)}{step}.json"


def manifest_name(offboarding: str, step: str) -> str:
    """Name the manifest that lies beside a document and is written after it."""
    return f"{exports_prefix(offboarding)}{step}.manifest.json"


def own_copy_name(copy: str) -> str:
    """Name the document that a member asked for."""
    return f"own/{copy}/data.json"


def proof_name(offboarding: str, proof: str) -> str:
    """Name a proof: ``tombstone``, ``erasure`` or ``certificate``."""
    return f"proofs/{offboarding}/{proof}.json"


def read_manifest(vault: Vault, offboarding: str, step: str) -> Manifest | None:
    """Read the manifest of an export; none while the document is not whole."""
    return read_proof(vault, manifest_name(offboarding, step), Manifest)


def read_proof(vault: Vault, name: str, model: type[_Proof]) -> _Proof | None:
    """Read a proof back as the value that was written; none when there is none."""
    if vault.size(name) is None:
        return None
    with vault.read(name) as source:
        return model.model_validate_json(source.read())


def write_proof(vault: Vault, name: str, proof: BaseModel) -> None:
    """Keep a proof; it exists whole or not at all."""
    with vault.write(name) as sink:
        sink.write(json.dumps(proof.model_dump(mode="json"), sort_keys=True).encode())
