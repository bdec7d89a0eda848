"""Carrying it out: short, imperative, and deciding nothing. The core decides, adapters obey."""
