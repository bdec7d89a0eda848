"""Measuring: Offramp beside SQL that was written by hand for one schema, in one run.

Everything that is timed lives here, and nothing that a customer runs. Each suite prints a table of
ratios and leaves ``bench-out/<suite>.json``; ``python3 dev.py bench data`` runs the one there is.
"""
