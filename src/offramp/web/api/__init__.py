"""What `offramp serve` answers over HTTP."""
