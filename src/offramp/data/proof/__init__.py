"""Seeing that nothing is left, and saying so in a way that anybody can check."""
