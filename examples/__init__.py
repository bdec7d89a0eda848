"""Sample applications and published policies."""
