"""Quire: notes and lecture recordings for universities and companies."""
