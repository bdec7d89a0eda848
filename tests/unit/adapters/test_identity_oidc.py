"""What a provider that speaks OpenID Connect has to say, and what of it is believed."""

import hmac
import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from whenever import Instant

from offramp.adapters.identity_oidc import (
    ANSWER_BYTES_MAX,
    KEYS_SECONDS,
    KNOWN_SECONDS,
    LEEWAY_SECONDS,
    REST_SECONDS,
    OidcClient,
    OidcProvider,
)
from offramp.ports import Challenge, Identity, IdentityUnavailable, IdentityUnproven

ISSUER = "https://accounts.vendor.example"
CLIENT, SECRET = "offramp", "the secret of the client"
BACK_TO = "https://offramp.vendor.example/console/sign-in/back"
NOW = Instant.from_utc(2024, 8, 1, 9)
CHALLENGE = Challenge(state="a state", nonce="a nonce", verifier="v" * 43)
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"})


def seconds(**shift):
    return NOW.add(**shift).timestamp()


class HandMade:
    """A provider of which everything can be said otherwise."""

    def __init__(self):
        self.metadata = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize?tenant=7",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "userinfo_endpoint": f"{ISSUER}/about",
        }
        self.keys = [KEY.as_dict(private=False)]
        self.claims = {
            "iss": ISSUER,
            "sub": "sub-1",
            "aud": CLIENT,
            "exp": seconds(minutes=5),
            "iat": seconds(),
            "nonce": CHALLENGE.nonce,
            "email": "sam@vendor.example",
            "email_verified": True,
        }
        self.algorithm, self.key = "RS256", KEY
        self.about = {}
        self.instead = {}  # the path -> what is answered there
        self.asked = []
        self.answer_as = None

    def token(self):
        header = {"alg": self.algorithm, "kid": "one"}
        return jwt.encode(header, self.claims, self.key, algorithms=[self.algorithm])

    def answer(self, request):
        path = request.url.path
        if self.answer_as is not None:
            return self.answer_as(request)
        self.asked.append(request)
        if path in self.instead:
            return self.instead[path]
        match path:
            case "/.well-known/openid-configuration":
                return httpx2.Response(200, json=self.metadata)
            case "/keys":
                return httpx2.Response(200, json={"keys": self.keys})
            case "/token":
                token = {"access_token": "opaque", "token_type": "Bearer", "id_token": self.token()}
                return httpx2.Response(200, json=token)
            case _:
                return httpx2.Response(200, json=self.about)

    def paths(self):
        return [request.url.path for request in self.asked]


@pytest.fixture
def made():
    return HandMade()


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def provider(made, clock):
    return open_provider(made, clock)


def open_provider(made, clock, **changed):
    told = {"issuer": ISSUER, "client_id": CLIENT, "client_secret": SECRET} | changed
    client = OidcClient(**told, back_to=BACK_TO, name="Vendor Accounts")
    return OidcProvider(
        client, elapsed=lambda: clock[0], transport=lambda: httpx2.MockTransport(made.answer)
    )


def identify(provider):
    return provider.identify("the code", CHALLENGE, now=NOW)


def test_a_browser_is_sent_where_the_provider_wants_it_with_what_has_to_come_back(provider):
    address = urlsplit(provider.address_for(CHALLENGE))

    asked = {name: value for name, (value,) in parse_qs(address.query).items()}
    digest = written(sha256(CHALLENGE.verifier.encode()).digest()).decode()
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{ISSUER}/authorize"
    assert asked == {
        "tenant": "7",
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": BACK_TO,
        "scope": "openid email",
        "state": CHALLENGE.state,
        "nonce": CHALLENGE.nonce,
        "code_challenge": digest,
        "code_challenge_method": "S256",
    }


def test_whoever_comes_back_is_known_by_what_the_provider_has_signed(provider, made):
    found = identify(provider)

    assert found == Identity(issuer=ISSUER, subject="sub-1", address="sam@vendor.example")
    (asked,) = [request for request in made.asked if request.url.path == "/token"]
    assert parse_qs(asked.content.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["the code"],
        "redirect_uri": [BACK_TO],
        "code_verifier": [CHALLENGE.verifier],
    }
    assert asked.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("methods", "secret", "shown"),
    [
        (["client_secret_post"], SECRET, {"client_id": [CLIENT], "client_secret": [SECRET]}),
        (["none"], "", {"client_id": [CLIENT]}),
    ],
)
def test_the_secret_is_shown_in_the_way_that_the_provider_takes(
    made, clock, methods, secret, shown
):
    made.metadata["token_endpoint_auth_methods_supported"] = methods

    identify(open_provider(made, clock, client_secret=secret))

    (asked,) = [request for request in made.asked if request.url.path == "/token"]
    body = parse_qs(asked.content.decode())
    assert "authorization" not in asked.headers
    assert {name: body[name] for name in ("client_id", "client_secret") if name in body} == shown


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"iss": f"{ISSUER}/"},
        {"aud": "another client"},
        {"aud": [CLIENT, "another client"]},
        {"aud": ["another client"], "azp": CLIENT},
        {"azp": "another client"},
        {"nonce": "of another way"},
        {"nonce": None},
        {"exp": seconds(seconds=-LEEWAY_SECONDS)},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": seconds(seconds=LEEWAY_SECONDS + 1)},
        {"iat": None},
        {"nbf": seconds(minutes=2)},
        {"sub": None},
        {"sub": ""},
        {"sub": "s" * 256},
        {"sub": 17},
        {"at_hash": "of another token"},
    ],
    ids=str,
)
def test_what_is_not_about_this_visit_proves_nothing(provider, made, changed):
    told = made.claims | changed
    made.claims = {name: value for name, value in told.items() if value is not None}

    with pytest.raises(IdentityUnproven):
        identify(provider)


def test_clocks_may_differ_by_a_little(provider, made):
    made.claims |= {"exp": seconds(seconds=1 - LEEWAY_SECONDS)}

    assert identify(provider).subject == "sub-1"


def written(part):
    return urlsafe_b64encode(part).rstrip(b"=")


def unsigned(claims):
    parts = ({"alg": "none"}, claims)
    return (b".".join(written(json.dumps(part).encode()) for part in parts) + b".").decode()


def by_public_key(claims):
    """Sign with what everybody knows, as if it were a secret."""
    parts = ({"alg": "HS256", "kid": "one"}, claims)
    text = b".".join(written(json.dumps(part).encode()) for part in parts)
    seal = hmac.digest(KEY.as_pem(private=False), text, "sha256")
    return f"{text.decode()}.{written(seal).decode()}"


def by_client_secret(claims):
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET.ljust(64)))


def by_another_key(claims):
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, OTHER_KEY)


def by_its_own_key(claims):
    """Bring the key along with what it has signed."""
    own = OTHER_KEY.as_dict(private=False)
    return jwt.encode({"alg": "RS256", "jwk": {"kty": "RSA", "n": own["n"][:9]}}, claims, OTHER_KEY)


@pytest.mark.parametrize(
    "sign",
    [
        *(unsigned, by_public_key, by_client_secret, by_another_key, by_its_own_key),
        lambda claims: "not a token",
        lambda claims: "",
        lambda claims: "a.b.c",
    ],
)
def test_what_the_provider_has_not_signed_proves_nothing(provider, made, sign):
    token = {"access_token": "a", "token_type": "Bearer", "id_token": sign(made.claims)}
    made.instead["/token"] = httpx2.Response(200, json=token)

    with pytest.raises(IdentityUnproven):
        identify(provider)


def test_a_key_of_another_kind_is_as_good_and_keys_nobody_understands_are_passed_over(
    provider, made
):
    key = ECKey.generate_key("P-256", {"kid": "one"})
    made.algorithm, made.key = "ES256", key
    made.keys = [{"kty": "new"}, "x", {"kty": "oct", "k": "AA"}, key.as_dict(private=False)]

    assert identify(provider).subject == "sub-1"


@pytest.mark.parametrize(
    "changed",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email_verified": 1},
        {"email": ["sam@vendor.example"]},
    ],
    ids=str,
)
def test_an_address_that_the_provider_does_not_vouch_for_is_none(provider, made, changed):
    made.claims |= changed

    assert identify(provider).address is None


def test_a_provider_that_keeps_addresses_elsewhere_is_asked_for_them(provider, made):
    address = {"email": made.claims.pop("email"), "email_verified": True}
    made.about = {"sub": "sub-1", **address}

    assert identify(provider).address == "sam@vendor.example"
    assert made.asked[-1].headers["authorization"] == "Bearer opaque"


def test_what_is_said_of_somebody_else_is_not_taken(provider, made):
    address = {"email": made.claims.pop("email"), "email_verified": True}
    made.about = {"sub": "sub-2", **address}

    assert identify(provider).address is None


def test_who_the_provider_is_and_its_keys_are_asked_once_an_hour(provider, made, clock):
    for passed in (0, KNOWN_SECONDS - 1, 1):
        clock[0] += passed
        identify(provider)

    assert made.paths().count("/keys") == 2
    assert made.paths().count("/.well-known/openid-configuration") == 2


@pytest.mark.parametrize(("passed", "is_good"), [(KEYS_SECONDS, True), (KEYS_SECONDS - 1, False)])
def test_a_new_key_is_taken_over_without_waiting_and_not_asked_for_at_each_try(
    provider, made, clock, passed, is_good
):
    identify(provider)
    made.keys, made.key = [OTHER_KEY.as_dict(private=False)], OTHER_KEY
    clock[0] += passed

    if is_good:
        assert identify(provider).subject == "sub-1"
    else:
        with pytest.raises(IdentityUnproven):
            identify(provider)
    assert made.paths().count("/keys") == 1 + is_good


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", "https://evil.example"),
        ("issuer", None),
        ("token_endpoint", "http://accounts.vendor.example/token"),
        ("authorization_endpoint", "javascript:alert(1)"),
        ("jwks_uri", "file:///etc/passwd"),
        ("userinfo_endpoint", "http://169.254.169.254/latest"),
        ("authorization_endpoint", 7),
    ],
)
def test_a_provider_that_says_strange_things_of_itself_is_not_asked(provider, made, name, value):
    made.metadata[name] = value

    with pytest.raises(IdentityUnavailable):
        provider.address_for(CHALLENGE)

    assert made.paths() == ["/.well-known/openid-configuration"]


class Endless(httpx2.SyncByteStream):
    def __iter__(self):
        while True:
            yield b"x" * (ANSWER_BYTES_MAX // 2)


def fall(request):
    raise httpx2.ConnectError("sam@vendor.example refuses")


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(500),
        httpx2.Response(302, headers={"location": "https://evil.example"}),
        httpx2.Response(200, content=b"<html>"),
        httpx2.Response(200, json=[]),
        httpx2.Response(200, stream=Endless()),
        httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=Endless()),
    ],
    ids=["error", "redirect", "page", "list", "endless", "packed"],
)
def test_a_provider_that_does_not_answer_as_it_should_lets_nobody_in(provider, made, path, answer):
    made.instead[path] = answer

    with pytest.raises((IdentityUnavailable, IdentityUnproven)) as refused:
        identify(provider)

    assert "evil" not in " ".join(request.url.host for request in made.asked)
    assert SECRET not in f"{refused.value} {refused.value.__cause__}"


@pytest.mark.parametrize(
    ("error", "raised"),
    [("invalid_grant", IdentityUnproven), ("invalid_client", IdentityUnavailable)],
)
def test_a_bad_code_is_told_from_a_client_that_is_not_known(provider, made, error, raised):
    told = {"error": error, "error_description": "sam@vendor.example"}
    made.instead["/token"] = httpx2.Response(400, json=told)

    with pytest.raises(raised) as refused:
        identify(provider)

    assert "sam" not in str(refused.value)


def test_a_provider_that_cannot_be_reached_is_told_without_a_word_of_its_own_and_left_alone(
    made, provider, clock
):
    made.answer_as = fall
    with pytest.raises(IdentityUnavailable, match="ConnectError") as refused:
        provider.address_for(CHALLENGE)
    made.answer_as = None
    with pytest.raises(IdentityUnavailable, match="just now"):
        provider.address_for(CHALLENGE)

    clock[0] += REST_SECONDS

    assert provider.address_for(CHALLENGE).startswith(ISSUER)
    assert "sam" not in str(refused.value)


def test_no_secret_is_shown_by_what_holds_it(provider):
    client = OidcClient(
        issuer=ISSUER, client_id=CLIENT, client_secret=SECRET, back_to=BACK_TO, name="x"
    )

    assert SECRET not in repr(client) + repr(provider)
    assert CHALLENGE.verifier not in repr(CHALLENGE)
