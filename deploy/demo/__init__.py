"""The demonstration: the whole road on this machine, with simulated devices and made-up people."""
