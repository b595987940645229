"""The far sides of the channels, imitated on loopback with their faults: a mail server, and gateways by HTTP."""
