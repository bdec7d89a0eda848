"""A dated timeline for people and programs: rows of a table, JSON, iCalendar, SVG.

Everything that turns a timeline into text lives here; every form states the dates that the core
worked out and none works out a date of its own.

Source: mission A7.
"""
