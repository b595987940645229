"""The technical queue: what is wrong with gateways, devices and our own processes, and who looks after it."""
