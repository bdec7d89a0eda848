"""Every setting, its name, its default, its meaning. Read once, from file and environment.

A setting ``mail_host`` is ``mail_host = "…"`` in ``offramp.toml`` and ``OFFRAMP_MAIL_HOST`` in the
environment, which wins. Secrets belong into the environment.

Source: docs/settings.md is tested against this file.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from offramp.adapters.message.brand import COLOR
from offramp.core.errors import Invalid
from offramp.data.erasure.fence import CHUNK_ROWS_MAX, CONNECTIONS

LogFormat = Literal["text", "json"]
IMAP_FOLDER = r"^[ -~]+$"  # letters of other alphabets have a spelling of their own there
WEB_ADDRESS = r"^https?://\S+$"
# Whoever has the address of a link has the data, so only this machine may do without encryption.
PUBLIC_ADDRESS = (
    r"^(https://[^\s?#@]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?(/[^\s?#]*)?)$"
)
WEB_OR_MAIL_ADDRESS = r"^(https?://\S+|[^@\s]+@[^@\s]+)$"
MAILBOX = r"^[^@\s+]+@[^@\s]+$"
CONFIG_FILE = "offramp.toml"
CONFIG_FILE_VARIABLE = "OFFRAMP_CONFIG"


class SettingInvalid(Invalid):
    """The setting {path} is wrong: {problem}."""


class Settings(BaseSettings):
    """The settings of one installation."""

    model_config = SettingsConfigDict(env_prefix="OFFRAMP_", extra="forbid", frozen=True)

    folder: Path = Field(
        default=Path("offramp-data"), description="Where keys, exports and proofs are kept."
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="The store: a URL of SQLite or PostgreSQL; offramp.sqlite in the folder.",
    )
    datamap: Path | None = Field(
        default=None, description="The data map of the vendor's application."
    )
    private_addresses: bool = Field(
        default=False,
        description="Whether a service or an endpoint may be in a private network.",
    )
    webhooks: Path | None = Field(
        default=None, description="The endpoints that are told of events."
    )
    templates: Path | None = Field(
        default=None, description="A folder with the vendor's own message templates."
    )
    brand_name: str = Field(default="", description="The name under which your customers know you.")
    brand_logo: Path | None = Field(
        default=None, description="A picture for the head of messages: PNG, JPEG or GIF."
    )
    brand_color: str = Field(
        default=COLOR,
        pattern="^#[0-9a-fA-F]{6}$",
        description="The color of what stands out in messages.",
    )
    brand_support: str | None = Field(
        default=None,
        pattern=WEB_OR_MAIL_ADDRESS,
        description="Where messages send whoever needs help: an address of the web or of mail.",
    )
    brand_agreement: str | None = Field(
        default=None,
        pattern=WEB_ADDRESS,
        description="The service agreement, for messages; where empty, the link of the policy.",
    )
    brand_information: str | None = Field(
        default=None,
        pattern=WEB_ADDRESS,
        description="Further information on leaving; where empty, the link of the policy.",
    )
    brand_renewal: str | None = Field(
        default=None,
        pattern=WEB_OR_MAIL_ADDRESS,
        description="Where the portal sends administrators who renew: of the web or of mail.",
    )
    credentials_address: str | None = Field(
        default=None,
        description="Where you serve what `offramp credential publish` writes: https://….",
    )
    public_address: str | None = Field(
        default=None,
        pattern=PUBLIC_ADDRESS,
        description="Where people reach `offramp serve`: https://…; links in mails lead there.",
    )
    attachment_bytes_max: int = Field(
        default=10_000_000,
        ge=1,
        description="Of a larger file a link is sent, where there is a public address.",
    )
    link_days: int = Field(
        default=30, ge=1, le=3650, description="How long such a link lives, from its mail on."
    )
    case_address: str | None = Field(
        default=None,
        pattern=MAILBOX,
        description="Where people write what went wrong; it has to take NAME+anything@ as well.",
    )
    case_imap_host: str | None = Field(
        default=None, description="The server of its mailbox, where it is to be read by IMAP."
    )
    case_imap_port: int = Field(default=993, ge=1, le=65535, description="Its port.")
    case_imap_security: Literal["starttls", "tls", "none"] = Field(
        default="tls", description="How the connection to it is kept private."
    )
    case_imap_username: str = Field(default="", description="Who signs in there.")
    case_imap_password: SecretStr = Field(default=SecretStr(""), description="And with what.")
    case_imap_folder: str = Field(
        default="INBOX", pattern=IMAP_FOLDER, description="The folder in which letters arrive."
    )
    case_imap_done: str = Field(
        default="",
        pattern=f"{IMAP_FOLDER}|^$",
        description="The folder for letters that were taken in; where empty they are deleted.",
    )
    case_every_minutes: int = Field(
        default=5, ge=1, description="How often a worker looks into that mailbox."
    )
    case_hours: int = Field(
        default=24, ge=1, le=8760, description="Within how many hours a case is to be answered."
    )
    oidc_issuer: str | None = Field(
        default=None,
        pattern=PUBLIC_ADDRESS,
        description="Who says by OpenID Connect who your operators are: https://….",
    )
    oidc_client_id: str = Field(default="", description="What Offramp is called there.")
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""), description="And what it shows there; none of a public client."
    )
    oidc_name: str = Field(
        default="your company's account", description="What the button calls it: Sign in with …."
    )
    oidc_only: bool = Field(
        default=False, description="Whether operators sign in there alone, without passwords."
    )
    again_page: bool = Field(
        default=False,
        description="Whether people without an account can ask for their messages at `/again`.",
    )
    portal: bool = Field(
        default=False,
        description="Whether people sign in at `/portal` by mail; needs the public address.",
    )
    fonts: Path | None = Field(
        default=None, description="A folder with more fonts, for the letters of diplomas."
    )
    mail_host: str = Field(default="localhost", description="The mail server.")
    mail_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    mail_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection to it is kept private."
    )
    mail_username: str | None = Field(default=None, description="Who signs in there.")
    mail_password: SecretStr = Field(default=SecretStr(""), description="And with what.")
    mail_from: str = Field(
        default="offboarding@localhost", description="The address that notices come from."
    )
    mail_returns_to: str | None = Field(
        default=None,
        description="The mailbox for what comes back; it has to take NAME+anything@ as well.",
    )
    mail_connections: int = Field(
        default=4, ge=1, le=50, description="So many mails each process hands over at once."
    )
    returns_imap_host: str | None = Field(
        default=None, description="The server of that mailbox, where it is to be read by IMAP."
    )
    returns_imap_port: int = Field(default=993, ge=1, le=65535, description="Its port.")
    returns_imap_security: Literal["starttls", "tls", "none"] = Field(
        default="tls", description="How the connection to it is kept private."
    )
    returns_imap_username: str = Field(default="", description="Who signs in there.")
    returns_imap_password: SecretStr = Field(default=SecretStr(""), description="And with what.")
    returns_imap_folder: str = Field(
        default="INBOX", pattern=IMAP_FOLDER, description="The folder in which reports arrive."
    )
    returns_imap_done: str = Field(
        default="",
        pattern=f"{IMAP_FOLDER}|^$",
        description="The folder for reports that were noted; where empty they are deleted.",
    )
    returns_every_minutes: int = Field(
        default=5, ge=1, description="How often a worker looks into that mailbox."
    )
    returns_keys: SecretStr = Field(
        default=SecretStr(""),
        description="What a mail server that hands reports to `offramp serve` has to show.",
    )
    returns_sendgrid_keys: str = Field(
        default="", description="The verification keys of SendGrid's event webhooks."
    )
    returns_amazon_topics: str = Field(
        default="", description="The ARNs of the topics to which Amazon SES sends what came back."
    )
    mail_per_minute: int | None = Field(
        default=None, ge=1, description="No process hands over more mails in a minute."
    )
    mail_per_minute_to_domain: int | None = Field(
        default=None, ge=1, description="Nor more of them to any one receiving domain."
    )
    mail_from_name: str = Field(
        default="", description="The name beside it; where empty, the name of the brand."
    )
    chunk_rows_max: int = Field(
        default=CHUNK_ROWS_MAX,
        ge=1,
        description="No destructive transaction takes more rows.",
    )
    connections: int = Field(
        default=CONNECTIONS,
        ge=1,
        description="So many chunks delete at once in PostgreSQL; 1 where others need every core.",
    )
    bulk_organizations_max: int = Field(
        default=100,
        ge=0,
        description="More organizations deleted within a day have to be armed by two people.",
    )
    acts_alone_max: int = Field(
        default=25,
        ge=0,
        description="Of more organizations changed at once, a second person approves.",
    )
    late_watch_days: int = Field(
        default=14, ge=0, description="So long after a deletion, late rows are looked for daily."
    )
    attempts_max: int = Field(
        default=12, ge=1, description="How often a step is tried before it is abandoned."
    )
    lease_seconds: int = Field(
        default=600, ge=1, description="After how long the claim of a silent run is taken over."
    )
    worker_lease_seconds: int = Field(
        default=20, ge=2, description="After how long that of a silent worker is taken over."
    )
    worker_steps: int = Field(
        default=16, ge=1, description="So many off-boardings each worker carries out at once."
    )
    listen: str | None = Field(
        default=None,
        description="Where a worker tells of its metrics and health: PORT or HOST:PORT.",
    )
    serve_at: str = Field(
        default="127.0.0.1:8080", description="Where `offramp serve` listens: PORT or HOST:PORT."
    )
    access_keys: SecretStr = Field(
        default=SecretStr(""),
        description="What programs that ask it have to show; several stand apart by blanks.",
    )
    stripe_secrets: SecretStr = Field(
        default=SecretStr(""),
        description="The signing secrets of our address at Stripe; several stand apart by blanks.",
    )
    stripe_unpaid_days: int | None = Field(
        default=None,
        ge=0,
        le=3650,
        description="So many days after the last paid one a pool ends; where empty it stays.",
    )
    requests_per_minute: int = Field(
        default=6000, ge=1, description="How often one key may ask one server below `/v1/`."
    )
    log: LogFormat = Field(
        default="text", description="How a worker tells what happens: text or json."
    )

    @property
    def store_url(self) -> str:
        """The store's URL, with its default worked out."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.folder / 'offramp.sqlite'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let arguments win over the environment, and the environment over the file."""
        file = Path(os.environ.get(CONFIG_FILE_VARIABLE, CONFIG_FILE))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)


def load_settings(**given: object) -> Settings:
    """Read the settings from arguments, environment and file, in this order.

    Raises:
        SettingInvalid: one of them is not what it should be; its value is not shown.
    """
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        known = ", ".join(sorted(Settings.model_fields))
        hint = f"settings are: {known}" if first["type"] == "extra_forbidden" else None
        raise SettingInvalid(path=name, problem=first["msg"], hint=hint) from error
    except ValueError as error:  # a TOML file that is none
        raise SettingInvalid(path=CONFIG_FILE, problem="it is not TOML") from error
