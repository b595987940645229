"""A small machine with Bluetooth, for one that has none: Debian's 6.12 kernel in QEMU, on this machine's own files.

Its root is this machine's root, read-only, under a layer in memory: the same Python, the same clone, the same paths.
Its Bluetooth adapter is whatever a program inside puts behind /dev/vhci.
"""
