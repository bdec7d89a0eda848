"""Two organizations leave, from three weeks before the end until after their deletion.

Everything is real except the time: databases, mail over SMTP, the application over HTTP, files,
deletion, signatures. Each play runs a sample application, imports its roster as any vendor would,
moves a simulated clock from one due date to the next, and leaves its artefacts in a folder. The
report is written from those artefacts alone.

Source: docs/index.md; lesson L6.
"""
