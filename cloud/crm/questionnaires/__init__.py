"""Questionnaires: asked of a patient by link or on their page, answered once, and heard where an answer asks for it."""
