"""The vendor's brand in messages: its name, its logo, its color, its addresses.

The logo travels inside the message, as a part of its own that the HTML names by `cid:`. Most mail
programs do not show `data:` images (Gmail and Outlook among them), and nothing may be fetched.

Source: mission B10; RFC 2387 and 2392 (related parts, `cid:`); house rule: no remote assets.
"""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from offramp.adapters.message.color import readable_on, shaded_for
from offramp.core.errors import Invalid
from offramp.ports import InlineImage

COLOR = "#2458c5"
CARD_DARK = "#1b2027"  # what a message is written on in the dark; body.mjml has the same
LOGO_BYTES_MAX = 100_000  # it travels with every message
LOGO_ID = "logo@brand"
_MEDIA_TYPES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


class LogoInvalid(Invalid):
    """The logo {file} cannot be used: {problem}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """What the vendor's customers know it by.

    Attributes:
        color: six hexadecimal digits after a `#`.
        support: an address of the web or of mail, like the other links.
        renewal: where an administrator renews or reactivates: of the web or of mail as well.
        portal: where people who leave see and fetch what is theirs, if they can.
    """

    name: str = ""
    logo: InlineImage | None = None
    color: str = COLOR
    agreement: str | None = None
    information: str | None = None
    support: str | None = None
    renewal: str | None = None
    portal: str | None = None

    @property
    def on_color(self) -> str:
        """The color of words on the brand's color."""
        return readable_on(self.color)

    @property
    def dark_color(self) -> str:
        """The brand's color as it can be seen in the dark."""
        return shaded_for(self.color, background=CARD_DARK)

    @property
    def on_dark_color(self) -> str:
        """The color of words on that."""
        return readable_on(self.dark_color)

    @property
    def logo_address(self) -> str | None:
        """Where the HTML finds the logo."""
        return None if self.logo is None else f"cid:{self.logo.content_id}"

    @property
    def logo_data(self) -> str | None:
        """The logo as an address that holds all of it, for pages: they fetch nothing."""
        if self.logo is None:
            return None
        return f"data:{self.logo.media_type};base64,{b64encode(self.logo.content).decode()}"

    @property
    def support_mailbox(self) -> str | None:
        """The address of support where it is one of mail: answers go there."""
        return None if self.support is None or "://" in self.support else self.support

    @property
    def support_link(self) -> str | None:
        """The address of support as a link."""
        return _link_to(self.support)

    @property
    def renewal_link(self) -> str | None:
        """The address of renewals as a link."""
        return _link_to(self.renewal)


def _link_to(address: str | None) -> str | None:
    """Make a link of an address of the web or of mail."""
    return address if address is None or "://" in address else f"mailto:{address}"


def read_logo(file: Path) -> InlineImage:
    """Read the logo, of a kind that every mail program shows.

    Raises:
        LogoInvalid: there is no such file, or it is too large, or of another kind.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise LogoInvalid(file=str(file), problem=reason) from error
    if len(content) > LOGO_BYTES_MAX:
        problem = f"it has {len(content)} bytes, and every message carries it"
        raise LogoInvalid(file=str(file), problem=problem, hint=f"at most {LOGO_BYTES_MAX} bytes")
    kinds = (kind for start, kind in _MEDIA_TYPES.items() if content.startswith(start))
    media_type = next(kinds, None)
    if media_type is None:
        raise LogoInvalid(
            file=str(file),
            problem="it is neither PNG nor JPEG nor GIF",
            hint="many mail programs show neither SVG nor WebP",
        )
    return InlineImage(content_id=LOGO_ID, media_type=media_type, content=content)
