"""Measuring how fast a step writes to everybody of one organization, and what it holds meanwhile.

The suite `mail` lives here.
"""
