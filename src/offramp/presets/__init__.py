"""The policies that come with Offramp, as the files that a vendor would write. Nothing else.

Source: mission A1-A12 and B1-B11; `offramp policy show NAME` prints the dates of one.
"""
