"""Outside CRMs, one file each, above the port; ``offered`` names them all."""
