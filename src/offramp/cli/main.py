"""All commands under one name. A group of commands joins by one line here.

Source: CONTRIBUTING.md (the command line translates).
"""

import typer

from offramp.cli import (
    arming,
    banner,
    brake,
    calendar,
    certificate,
    credential,
    demo,
    erase,
    export,
    keys,
    ledger,
    lifecycle,
    mail,
    message,
    policy,
    publication,
    replay,
    restore,
    retained,
    roster,
    run,
    serve,
    setup,
    status,
    verify,
    webhook,
    why,
    worker,
)
from offramp.cli import map as data_map

app = typer.Typer(
    name="offramp",
    help="Carry a leaving customer from the end of the license to proven zero.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(policy.app, name="policy")
policy.app.command("publish")(publication.publish_policy)
app.add_typer(data_map.app, name="map")
app.add_typer(message.app, name="message")
app.add_typer(banner.app, name="banner")
app.command("demo")(demo.demo)
app.command("init")(setup.initialize)
app.command("import")(roster.import_files)
app.command("status")(status.status)
app.command("timeline")(status.timeline)
app.command("calendar")(calendar.calendar)
app.command("why")(why.why)
app.command("run")(run.run)
app.command("worker")(worker.worker)
app.command("serve")(serve.serve)
app.command("renew")(lifecycle.renew)
app.command("extend")(lifecycle.extend)
app.command("reactivate")(lifecycle.reactivate)
app.command("hold")(brake.hold)
app.command("release")(brake.release)
app.command("unlock")(lifecycle.unlock)
app.command("access")(lifecycle.access)
app.command("retry")(lifecycle.retry)
app.command("pause")(brake.pause)
app.command("resume")(brake.resume)
app.command("cap")(brake.cap)
app.command("exempt")(brake.exempt)
app.command("arm")(arming.arm)
app.command("approve")(arming.approve)
app.add_typer(lifecycle.members, name="member")
app.add_typer(mail.app, name="mail")
app.command("export")(export.export)
app.command("erase")(erase.erase)
app.command("verify")(verify.verify)
app.command("replay")(replay.replay)
app.command("restore")(restore.restore)
app.command("retained")(retained.retained)
app.command("keep-until")(retained.keep)
app.add_typer(webhook.app, name="webhook")
app.add_typer(ledger.ledger, name="ledger")
app.add_typer(certificate.app, name="certificate")
app.add_typer(credential.app, name="credential")
app.add_typer(keys.app, name="keys")
