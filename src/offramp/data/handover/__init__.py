"""Handing over: everything that a scope covers, as one document, and the proof that it was all."""
