"""Something of the library, an event, a group and a question, planted by rows, for tests of all pages."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from cloud.crm.education.proposals import proposals
from cloud.db.connect import Connection, one


def planted_learning(
    admin: Connection, patient_id: UUID, accounts: Mapping[str, UUID], now: datetime
) -> dict[str, str]:
    """An article in force that the patient was given, a lecture that they come to, one that was, a group that they are
    in, and two questions: the ids that pages have in their addresses.
    """
    given = {
        "patient": patient_id,
        "nora": accounts["nora"],
        "ada": accounts["ada"],
        "asta": accounts["asta"],
        "now": now,
    }
    for proposal in list(proposals().values())[:3]:
        admin.execute(
            """INSERT INTO article (name, version, topic, condition, titles, bodies, sources, proposal, written_by,
                                    written_at, approved_by, approved_at, review_on)
               VALUES (%(name)s, 1, %(topic)s, %(condition)s, %(titles)s, %(bodies)s, %(sources)s, %(proposal)s,
                       %(nora)s, %(now)s, %(ada)s, %(now)s, '2027-11-21')""",
            {
                **given, "name": proposal.name, "topic": proposal.topic, "condition": proposal.condition,
                "titles": Jsonb(dict(proposal.titles)), "bodies": Jsonb(dict(proposal.bodies)),
                "sources": proposal.sources, "proposal": proposal.proposal,
            },
        )  # fmt: skip
    article = one(admin.execute("SELECT article_id FROM article WHERE name = 'foot_care'").fetchone())[0]
    admin.execute(
        "INSERT INTO article_given (patient_id, article_id, given_by, given_at) VALUES (%s, %s, %s, %s)",
        (patient_id, article, accounts["nora"], now - timedelta(hours=1)),
    )
    group = one(
        admin.execute(
            "INSERT INTO patient_group (name, about, made_by, made_at)"
            " VALUES ('Walkers', 'We walk.', %(nora)s, %(now)s) RETURNING group_id",
            given,
        ).fetchone()
    )[0]
    admin.execute(
        "INSERT INTO group_member (group_id, patient_id, state, shown_as, asked_by, asked_at, answered_by, answered_at)"
        " VALUES (%(group)s, %(patient)s, 'in', 'A.', %(nora)s, %(now)s, %(asta)s, %(now)s)",
        {**given, "group": group},
    )
    events = [_event(admin, given, now + timedelta(days=days)) for days in (4, -1)]
    question = [_question(admin, given, body) for body in ("May I eat grapes?", "How do I store strips?")][-1]
    return {"article": str(article), "event": str(events[0]), "group": str(group), "asked": str(question)}


def _event(admin: Connection, given: Mapping[str, object], starts_at: datetime) -> UUID:
    event: UUID = one(
        admin.execute(
            """INSERT INTO learning_event (kind, title, plan, language, place, link, starts_at, ends_at, capacity,
                                           audience, made_by, made_at, changed_at)
               VALUES ('lecture', 'Diabetes', '1, 2, 3', 'en', 'R. 4', 'https://video.example/4', %(starts)s,
                       %(starts)s + interval '1 hour', 20, 'all', %(nora)s, %(now)s, %(now)s) RETURNING event_id""",
            {**given, "starts": starts_at},
        ).fetchone()
    )[0]
    admin.execute(
        "INSERT INTO event_seat (event_id, patient_id, state, entered_by, entered_at, changed_by, changed_at)"
        " VALUES (%(event)s, %(patient)s, 'coming', %(asta)s, %(now)s, %(asta)s, %(now)s)",
        {**given, "event": event},
    )
    return event


def _question(admin: Connection, given: Mapping[str, object], body: str) -> UUID:
    question: UUID = one(
        admin.execute(
            """INSERT INTO patient_question (patient_id, body, asked_by, asked_at, about_symptoms, due_at, may_publish,
                                             may_publish_at)
               VALUES (%(patient)s, %(body)s, %(asta)s, %(now)s, false, %(now)s + interval '2 days', true, %(now)s)
               RETURNING question_id""",
            {**given, "body": body},
        ).fetchone()
    )[0]
    return question
