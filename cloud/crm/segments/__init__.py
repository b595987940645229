"""Segments and risk strata: saved queries over the panel."""
