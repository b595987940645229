"""A Bitrix24 portal, imitated on loopback with its limits and its faults: what an incoming webhook may ask of it."""
