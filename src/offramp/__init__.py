"""Offramp: a self-hosted subscription off-boarding engine."""
