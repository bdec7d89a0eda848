"""What touches the outside: one technology each, behind one protocol of ports.py each."""
