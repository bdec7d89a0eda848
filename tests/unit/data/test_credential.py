"""A credential says what was earned; anybody can check it, and nobody can change it."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from openbadgeslib.ob3 import OB3VerificationError, OB3Verifier
from whenever import Date, Instant

from offramp.core.model import Member, Organization
from offramp.data.credential.credential import Award, credential_of
from offramp.data.credential.issuer import AddressUnfit, Issuer, published_files, thumbprint
from offramp.data.credential.reading import CredentialMissing, read_keys, tokens_in
from offramp.data.credential.token import CredentialForged, Signer, verify_credential
from offramp.data.proof.certificate import public_key_of
from offramp.data.proof.paper import PaperUnreadable
from offramp.data.proof.signing_key import PublicKeyInvalid, write_public_key

PRIVATE, OTHER = bytes(range(32)), bytes(range(1, 33))
PUBLIC, FORMER = public_key_of(PRIVATE), public_key_of(OTHER)
AT = Instant.from_utc(2024, 8, 31, 7)
ACME = Organization(id="acme", name="Acme", zone="UTC", locale="en", policy="p")
ANNA = Member(
    id="1",
    organization="acme",
    email="Anna@Example.com",
    name="Anna",
    roles=frozenset(),
    locale="en",
    zone="UTC",
)
AWARD = Award(
    title="First aid",
    holder="Anna Nowak",
    earned_on=Date(2024, 5, 3),
    number=1,
    narrative="Recorded by Trellis for Acme.",
    language="en",
)
HERE = Issuer(name="Trellis", address="https://trellis.example/credentials")
NOWHERE = Issuer(name="Trellis")
DEEP = b'{"a":' * 100_000


def stated(award=AWARD, *, issuer=HERE, private=PRIVATE, at=AT):
    profile = Signer(issuer, private_key=private).profile
    return credential_of(award, member=ANNA, organization=ACME, issuer=profile, at=at)


def signed(content=None, *, issuer=HERE, private=PRIVATE):
    content = content or stated(issuer=issuer, private=private)
    return Signer(issuer, private_key=private).sign(content)


def part(token, number):
    text = token.split(".")[number]
    return json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def with_payload(token, change):
    head, _, signature = token.split(".")
    payload = change(part(token, 1))
    return ".".join([head, encoded(payload), signature])


def encoded(content):
    return urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def oracle(key=PUBLIC):
    pem = Ed25519PublicKey.from_public_bytes(key)
    return OB3Verifier(pem.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize("issuer", [HERE, NOWHERE], ids=["did:web", "did:key"])
def test_an_independent_implementation_takes_it_and_not_when_it_was_altered_A3(issuer):
    token = signed(issuer=issuer)

    found = oracle().verify(token)

    assert (found.achievement.name, found.issuer.name) == ("First aid", "Trellis")
    with pytest.raises(OB3VerificationError):
        oracle().verify(with_payload(token, lambda said: said | {"name": "Brain surgery"}))
    with pytest.raises(OB3VerificationError):
        oracle(FORMER).verify(token)


def test_an_independent_implementation_finds_the_key_among_those_that_are_published():
    """After a rotation, what the key before has signed stands as well."""
    documents = published_files(HERE, [PUBLIC, FORMER])
    asked = []

    def download(url, **_):
        asked.append(url)
        return documents["did.json"]

    verifier = OB3Verifier.for_issuer_did("did:web:trellis.example:credentials", download)

    for private in (PRIVATE, OTHER):
        assert verifier.verify(signed(private=private)).issuer.name == "Trellis"
    assert set(asked) == {"https://trellis.example/credentials/did.json"}


def test_without_an_address_the_key_is_found_in_the_name_of_the_issuer():
    token = signed(issuer=NOWHERE)

    verifier = OB3Verifier.for_issuer_did(part(token, 1)["iss"])

    assert verifier.verify(token).issuer.name == "Trellis"


def test_it_is_a_token_with_the_claims_beside_the_members_of_the_credential():
    token, content = signed(), stated()

    head, payload = part(token, 0), part(token, 1)

    assert (head["alg"], head["typ"], head["jwk"]["crv"]) == ("EdDSA", "JWT", "Ed25519")
    assert head["kid"] == f"did:web:trellis.example:credentials#{thumbprint(PUBLIC)}"
    assert "d" not in head["jwk"]
    assert payload == content | {
        "iss": "did:web:trellis.example:credentials",
        "sub": content["credentialSubject"]["id"],
        "jti": content["id"],
        "nbf": AT.timestamp(),
    }


def test_it_refers_to_nothing_that_could_be_shut_down():
    text = json.dumps(stated())

    assert "credentialStatus" not in text
    assert text.count("https://") == 3  # two contexts, and where the vendor is found


def test_the_address_of_the_holder_is_only_recognized_by_who_knows_it():
    content = stated()

    name, email = content["credentialSubject"]["identifier"]

    assert name["identityHash"] == "Anna Nowak"
    known = sha256(("anna@example.com" + email["salt"]).encode()).hexdigest()
    assert email["identityHash"] == f"sha256${known}"
    assert "example.com" not in json.dumps(content)


def test_the_same_is_the_same_at_every_attempt_and_anything_else_has_another_id():
    others = [
        stated(replace(AWARD, **change))
        for change in ({"title": "Fire"}, {"holder": "Eve"}, {"number": 2}, {"earned_on": "May"})
    ]

    assert signed() == signed()
    ids = {content["id"] for content in (stated(), stated(at=AT.add(hours=1)), *others)}
    assert len(ids) == 6


def test_a_day_that_the_database_does_not_know_is_not_made_up():
    content = stated(replace(AWARD, earned_on="spring 2022"))

    assert "awardedDate" not in content
    assert stated()["awardedDate"] == "2024-05-03T00:00:00Z"


def test_what_a_trusted_key_has_signed_is_given_back():
    assert verify_credential(signed(), public_keys=[FORMER, PUBLIC]) == stated()


def swapped(token, number, text):
    parts = token.split(".")
    parts[number] = text
    return ".".join(parts)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: with_payload(token, lambda said: said | {"name": "Brain surgery"}),
        lambda token: swapped(token, 2, "A" * 86),
        lambda token: swapped(token, 0, encoded({"alg": "none", "typ": "JWT"})),
        lambda token: swapped(token, 0, encoded({"alg": "HS256", "typ": "JWT"})),
        lambda token: swapped(token, 0, "e30"),
        lambda token: token[:-20],
        lambda token: token + ".x",
        lambda token: "ey",
        lambda token: signed(private=OTHER),
        lambda token: signed(stated() | {"type": ["VerifiableCredential"]}),
        lambda token: "a.b.c",
    ],
)
def test_what_was_altered_does_not_stand(change):
    with pytest.raises(CredentialForged):
        verify_credential(change(signed()), public_keys=[PUBLIC])


@pytest.mark.parametrize("number", [*range(0, 1900, 137), -1])
def test_no_single_character_can_be_changed(number):
    token = signed()
    letters = list(token)
    letters[number] = chr(ord(letters[number]) ^ 1)

    with pytest.raises(CredentialForged):
        verify_credential("".join(letters), public_keys=[PUBLIC])


@pytest.mark.parametrize(
    "address",
    [
        "http://trellis.example",
        "https://",
        "trellis.example",
        "https://trellis.example/?a=1",
        "https://me:secret@trellis.example/",
        "https://trellis.example/" + "x" * 200,
    ],
)
def test_an_address_that_nobody_could_look_anything_up_at_is_refused(address):
    with pytest.raises(AddressUnfit):
        Issuer(name="Trellis", address=address)


@pytest.mark.parametrize(
    ("address", "did", "file"),
    [
        ("https://trellis.example", "did:web:trellis.example", ".well-known/did.json"),
        ("https://trellis.example:8443/a/b/", "did:web:trellis.example%3A8443:a:b", "did.json"),
    ],
)
def test_the_address_is_the_name_of_the_vendor(address, did, file):
    issuer = Issuer(name="Trellis", address=address)

    files = published_files(issuer, [PUBLIC])

    assert json.loads(files[file])["id"] == json.loads(files["issuer.json"])["id"] == did


@pytest.mark.parametrize("name", ["jwks.json", "did.json"])
def test_what_is_published_is_read_as_keys_and_holds_no_private_half(name):
    document = published_files(HERE, [PUBLIC, FORMER])[name]

    assert read_keys(document, file=name) == (PUBLIC, FORMER)
    assert b'"d"' not in document


def test_one_key_as_we_print_it_is_read_too():
    assert read_keys(write_public_key(PUBLIC), file="key") == (PUBLIC,)


@pytest.mark.parametrize(
    "content", [b"{}", b"[1]", b'{"keys": [{"crv": "P-256"}]}', b"\xff", b"7", DEEP]
)
def test_a_file_without_a_key_is_refused(content):
    with pytest.raises(PublicKeyInvalid):
        read_keys(content, file="keys")


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"hello", b"\xff\xfe", b'{"compactJwsString": 1}', DEEP]
)
def test_a_file_without_a_credential_is_refused(content):
    with pytest.raises(CredentialMissing):
        tokens_in(content, file="x")


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"%PDF-1.7\n" + b"x" * 500])
def test_a_damaged_pdf_is_told(content):
    with pytest.raises(PaperUnreadable):
        tokens_in(content, file="x")
