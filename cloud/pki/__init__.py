"""Certificates: the authority that signs them, for gateways, broker and enrolment service. No database, no clock."""
