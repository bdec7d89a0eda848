"""What belongs to an organization, and how it is handed over, hashed, deleted, proven gone.

Useful on its own; knows nothing of policies. Read it in the order of one deletion: `datamap`
(what the vendor declares), `catalog` (what is really there), `check` (do they agree), `scope`
(whose rows), `reach` and `order` (which rows, in which order), `statements` (said as SQL),
`export`, `erase`, `verify`, `certificate`.
"""
