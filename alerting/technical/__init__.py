"""Technical alarm conditions (IEC 60601-1-8): what is wrong with gateways, devices and our own side.

Pure like all of ``alerting``: the stored state of the fleet in, conditions with their reasons out.
"""
