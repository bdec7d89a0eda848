"""What a step does: one module per action, each with ``preview``, ``perform`` and ``verify``.

The modules know nothing of one another; what two of them need lies beside this folder.
"""
