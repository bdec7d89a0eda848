"""A service over TLS: judged by its name, although the connection goes to an address."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from offramp.data.sources.exchange import ParticipantUnreachable
from offramp.testing.participant import TABLES, serve
from offramp.testing.source_world import OURS
from tests.integration.data.sources.http_world import http_world, new_participant


def certificate_for(name, file):
    """Write a key and a certificate that a name, and no address, stands in."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def ask(tmp_path):
    """Ask a service on this machine, whose certificate is for a name, what it still has."""

    def ask(name):
        file = certificate_for(name, tmp_path / "certificate.pem")
        theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        theirs.load_cert_chain(file)
        ours = ssl.create_default_context(cafile=file)
        participant = new_participant()
        with (
            serve(participant, tls=theirs) as address,
            httpx2.Client(verify=ours, trust_env=False, timeout=5) as client,
        ):
            world = http_world(tmp_path, participant, address)
            source = world.others["further"]
            source.close()
            world.others = {"further": replace(source, line=replace(source.line, client=client))}
            return world.elsewhere(OURS).count()

    return ask


def test_a_service_is_known_by_its_name(ask):
    assert ask("localhost") == {f"further.{table}": 3 for table in TABLES}


def test_a_service_of_another_name_is_told_nothing(ask):
    with pytest.raises(ParticipantUnreachable):
        ask("crm.example")
