"""The command `fastact`."""
