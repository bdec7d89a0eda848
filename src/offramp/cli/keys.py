"""`offramp keys`: the vendor's keys, with which certificates and credentials are signed.

The first key is made by `offramp init`. No private half is ever printed.

Source: docs/cli.md; docs/decisions/023-credentials.md.
"""

from base64 import b64encode
from typing import Annotated

import typer

from offramp.cli.alone import confirm
from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, show_json, show_text
from offramp.data.credential.issuer import thumbprint
from offramp.data.proof.certificate import ALGORITHM

app = typer.Typer(help="Show what others need to check us, and change it.", no_args_is_help=True)


@app.command("public")
@guarded
def public(as_json: AsJson = False) -> None:
    """Print the public key that our certificates are checked with."""
    key, *_ = open_context().keys.public_keys()
    if as_json:
        show_json({"algorithm": ALGORITHM, "public_key": b64encode(key).decode()})
    else:
        show_text(b64encode(key).decode())


@app.command("list")
@guarded
def list_keys(as_json: AsJson = False) -> None:
    """List the key that signs and every one before it, by their public halves."""
    rows = [
        {"key": thumbprint(key), "public_key": b64encode(key).decode(), "signs": number == 0}
        for number, key in enumerate(open_context().keys.public_keys())
    ]
    if as_json:
        show_json({"algorithm": ALGORITHM, "keys": rows})
        return
    for row in rows:
        state = "signs" if row["signs"] else "signed once"
        show_text(f"{row['public_key']}  {state}  {row['key']}", style="bold" * bool(row["signs"]))


@app.command("rotate")
@guarded
def rotate(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign with a new key from now on; what older ones have signed stays valid."""
    context = open_context()
    if not yes:
        confirm("the private half of the key that signs today", word="rotate")
    context.keys.rotate_signing_key()
    new, *old = context.keys.public_keys()
    if as_json:
        show_json({"public_key": b64encode(new).decode(), "older_keys": len(old)})
        return
    show_text(f"{b64encode(new).decode()} signs from now on", style="bold")
    show_text("publish it: offramp credential publish --out DIR")
