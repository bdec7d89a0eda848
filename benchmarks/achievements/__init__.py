"""Measuring what a farewell carries: credentials and diplomas, for everybody of one organization.

The suite `achievements` lives here.
"""
