"""Hashing and deleting: what goes, in which order, in which chunks, and inside which fence."""
