"""Measuring how long an operator waits for each page of the console.

The suite `console` lives here.
"""
