"""What belongs to an organization, and how it is handed over, hashed, deleted, proven gone.

Useful on its own; knows nothing of policies. Read it in the order of one deletion: `datamap` (what
the vendor declares), `catalog` (what is really there), `check` (do they agree), `scope` and
`territory` (whose rows, and which), `handover` (all of it as one document), `erasure` (in which
order, in which chunks), `proof` (nothing is left, and who says so), `retention` (what stays, what
comes late), `restoration` (the way back). `inference` proposes a map for an unknown database;
`dialects` say what each kind of database says differently, `sources` reach them.
"""
