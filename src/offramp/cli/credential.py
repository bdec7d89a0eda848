"""`offramp credential`: what people have earned, checked without us and without a network.

Source: mission A3; docs/decisions/023-credentials.md.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from offramp.bootstrap import issuer_of
from offramp.cli.opening import open_context
from offramp.cli.output import AsJson, guarded, read_file, show_json, show_text, write_file
from offramp.config import load_settings
from offramp.data.credential.issuer import published_files
from offramp.data.credential.reading import read_keys, tokens_in
from offramp.data.credential.token import verify_credential

app = typer.Typer(help="Check credentials, and let others check them.", no_args_is_help=True)


@app.command("publish")
@guarded
def publish(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")],
    as_json: AsJson = False,
) -> None:
    """Write the public keys as static files; serve them where `credentials_address` says."""
    context, issuer = open_context(), issuer_of(load_settings())
    files = published_files(issuer, context.keys.public_keys())
    for name, content in files.items():
        write_file(out / name, content, with_folder=True)
    if as_json:
        show_json({"address": issuer.address, "files": sorted(files)})
        return
    for name in sorted(files):
        show_text(f"{out / name}")
    if issuer.address is None:
        show_text("without the setting credentials_address the key itself is the issuer's name")
    else:
        show_text(f"serve this folder at {issuer.address}, for good")


@app.command("verify")
@guarded
def verify(
    file: Annotated[Path, typer.Argument(help="A credential, several of them, or a diploma.")],
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The keys that you trust; ours if it is left out."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that everything in a file is exactly as it was signed, and say what that is."""
    if keys is None:
        trusted = open_context().keys.public_keys()
    else:
        trusted = read_keys(read_file(keys), file=str(keys))
    tokens = tokens_in(read_file(file), file=str(file))
    credentials = [verify_credential(token, public_keys=trusted) for token in tokens]
    if as_json:
        show_json({"file": str(file), "credentials": credentials})
        return
    show_text(f"{file}: signed with this key and unchanged", style="bold")
    for credential in credentials:
        show_text(_sentence(credential))


def _sentence(credential: Mapping[str, Any]) -> str:
    """Say what a credential says; the page around it may say anything."""
    earned = str(credential.get("awardedDate", "a day that is not known"))[:10]
    subject = credential["credentialSubject"]
    names = [
        str(each["identityHash"])
        for each in subject.get("identifier", ())
        if each.get("identityType") == "name"
    ]
    who, issuer = " / ".join(names) or subject["id"], credential["issuer"]
    by = issuer.get("name") or issuer["id"]
    return f"{credential['name']}: earned by {who} on {earned}, issued by {by}"
