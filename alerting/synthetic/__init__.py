"""A synthetic year with known truth: patients whose measurements, misses, artefacts and injected crises follow the
published load.

What is held to: van Steenkiste 2025 (JMIR Med Inform 13:e66066; 174 users, 207 days each): 0.84 measurements per
patient-day, 57 % of them raise an alert, and 79 % of these need nobody. Their rules are not published in full; a
measurement with a reading at or above the home limit of 135/85 stands for "raises an alert" here, and "needs somebody"
is a measurement in an injected worsening or crisis. ``published_load`` computes the three figures from a population,
and a test holds them. Everything else (how often crises, silences, outages and artefacts occur) is this project's
assumption, written in ``assumptions``.

Seeded and pure: the caller brings numpy's Generator; patients come from its children, so that patient 7 is the same in
a population of 10 and of 1,000.
"""
