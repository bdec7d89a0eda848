"""`offramp certificate`: proofs of an erasure, checked without us and without a network.

Source: lesson L28; docs/data-engine.md.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from offramp.cli.output import AsJson, guarded, read_file, show_json, show_text, write_file
from offramp.data.proof.certificate import verify_certificate
from offramp.data.proof.signing_key import KEY_BYTES, PublicKeyInvalid, read_public_key
from offramp.documents.certificate_paper import print_certificate

_BASE64_CHARACTERS = len("=" * (-(-KEY_BYTES // 3) * 4))

app = typer.Typer(help="Check certificates of deletion.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(help="The certificate.")]
PublicKey = Annotated[
    str, typer.Option(metavar="KEY", help="The key that you trust: a file, or the key itself.")
]


@app.command("verify")
@guarded
def verify(file: File, public_key: PublicKey, as_json: AsJson = False) -> None:
    """Check that a certificate is exactly as it was signed."""
    content = verify_certificate(read_file(file), public_key=read_trusted_key(public_key))
    if as_json:
        show_json(content)
    else:
        show_text(f"{file}: signed with this key and unchanged", style="bold")
        for line in _lines(content):
            show_text(line)


@app.command("print")
@guarded
def print_document(
    file: File,
    public_key: PublicKey,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the PDF goes.")],
    as_json: AsJson = False,
) -> None:
    """Check a certificate and write it as a PDF with the signed file inside."""
    document = read_file(file)
    verify_certificate(document, public_key=read_trusted_key(public_key))
    write_file(out, print_certificate(document))
    if as_json:
        show_json({"file": str(out), "certificate": str(file)})
    else:
        show_text(f"{out}: the certificate on paper, with {file.name} attached")


def read_trusted_key(given: str) -> bytes:
    """Read a public key from its file, or from the words of the command itself.

    Raises:
        FileUnreadable: there is no such file.
        PublicKeyInvalid: it is no key.
    """
    if len(given) == _BASE64_CHARACTERS and not Path(given).exists():
        try:
            return read_public_key(given.encode(), file="what was given")
        except PublicKeyInvalid:
            pass  # then it is the name of a file, and of one that is missing
    return read_public_key(read_file(Path(given)), file=given)


def _lines(content: Mapping[str, Any]) -> list[str]:
    """Say what a certificate says, as far as it says it."""
    lines = [f"erased at {content.get('erased_at')}, issued at {content.get('issued_at')}"]
    tables = content.get("tables")
    if isinstance(tables, dict):
        lines.append(f"{sum(tables.values())} rows of {len(tables)} tables are erased")
    for kept in content.get("retained", ()):
        lines.append(f"{kept['rows']} rows of {kept['table']} are retained: {kept['basis']}")
    lines += [f"verified: {sentence}" for sentence in content.get("verified", ())]
    lines += [f"not verified: {sentence}" for sentence in content.get("not_verified", ())]
    return lines
