"""Measuring how fast it is said who may do what, and how large what has to be known for it is.

The suite `access` lives here.
"""
