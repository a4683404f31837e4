"""The judge: the vendor's unmodified SDK in the other seat, driven by the tests."""
