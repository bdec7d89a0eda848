"""What tests and the demo stand on: real servers on this machine, started and stopped by code.

Everything here is shipped, so that a vendor can test a policy the way we test the engine.
Nothing here is used by a running Offramp.
"""
