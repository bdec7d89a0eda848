"""Measuring how fast access is decided in an application, and how large its snapshot is.

The suite `access` lives here.
"""
