"""Who gateways are: one-time codes, certificates, their renewal and their revocation. A process of its own.

It alone holds the authority's key, and knows nothing of patients, devices or readings.
"""
