"""Our patient relationship work, and the outside CRMs that a clinic already has. One room per feature."""
