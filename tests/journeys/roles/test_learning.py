"""Learning: a text is taken up, approved, given and opened; a lecture, a group; a question is asked and answered."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.cloud.crm.groups.planted import planted_learning
from tests.cloud.made import NOW
from tests.fix_centre import AT_A_DESK, IN_EACH_LANGUAGE, Centre

PHONE = (390, 844)
TABLES = (
    "article_given, event_evaluation, event_seat, learning_event, group_member, patient_group, patient_question,"
    " article"
)


@pytest.fixture
def bare(centre: Centre) -> Iterator[Centre]:
    """Nothing is in the library, nobody is invited and nothing was asked; afterwards all of it is there again."""
    admin = centre.ward.admin
    admin.execute(f"TRUNCATE {TABLES}")
    yield centre
    admin.execute(f"TRUNCATE {TABLES}")
    planted_learning(admin, centre.ward.patient_id, centre.console.accounts, NOW)


@IN_EACH_LANGUAGE
@AT_A_DESK
def test_a_proposal_becomes_an_article_that_a_patient_opens(
    bare: Centre, language: str, screen: tuple[int, int]
) -> None:
    with bare.walk("nora", language, screen) as nora:
        nora.go("/library")
        nora.send(nora.by("button", "Take it up as a draft"))
        expect(nora.page.locator("main")).to_contain_text(nora.said("from a proposal of the software"))
        draft = nora.page.url
    with bare.walk("ada", language, screen) as ada:
        ada.page.goto(draft)
        ada.send(ada.by("button", "Approve"))
        expect(ada.page.locator("main")).to_contain_text(ada.said("in force"))
        ada.is_unobjectionable()
        ada.picture("article")
    with bare.walk("nora", language, screen) as nora:
        nora.go("/cases/{own}")
        choice = nora.page.locator("#case-article")
        choice.select_option(index=1)
        nora.send(nora.by("button", "Give it to the patient"))
        expect(nora.page.locator("#to-read")).to_contain_text(nora.said("not opened yet"))
        nora.fits()
    with bare.walk("asta", language, PHONE) as asta:
        asta.go("/me")
        asta.follow(asta.page.locator("#to-read-heading ~ ul a"))
        expect(asta.page.locator("article.text h1")).to_be_visible()
        asta.is_unobjectionable()
        asta.go("/me/library")
        asta.picture("my-library")


def test_a_coordinator_announces_a_lecture_for_a_group_and_a_patient_comes(bare: Centre) -> None:
    with bare.walk("carl", "en", (1366, 768)) as carl:
        page = carl.page
        carl.go("/groups")
        carl.unfold("Make a group")
        page.fill("#group-name", "Walkers")
        carl.send(carl.by("button", "Make the group"))
        page.select_option("#ask-patient", label="Asta Example")
        carl.send(carl.by("button", "Ask to join"))
        carl.send(carl.by("button", "The patient agreed"))
        expect(page.locator("[data-member-id]")).to_contain_text("not shown to the others")
        carl.is_unobjectionable()
        carl.go("/events")
        carl.unfold("Announce one")
        page.fill("#event-title", "Eating with diabetes")
        page.fill("#event-starts_at", "2026-11-25T15:00")
        page.fill("#event-place", "Room 4")
        page.select_option("#event-audience", label="Group: Walkers")
        carl.send(carl.by("button", "Announce it"))
        carl.unfold("Invite or enrol patients")
        carl.send(carl.by("button", "Invite the whole group"))
        expect(page.locator("[data-seat-id]")).to_contain_text("invited")
    with bare.walk("asta", "en", PHONE) as asta:
        asta.go("/me")
        asta.follow(asta.by("link", "Lectures and groups", within=asta.page.locator(".self__ways")))
        asta.send(asta.by("button", "I will come"))
        expect(asta.page.locator("[data-event-id]")).to_contain_text("You have a place.")
        asta.is_unobjectionable()
        asta.page.locator("[data-group-id] input[name=shown_as]").fill("A. from the lake")
        asta.send(asta.by("button", "Save"))
        asta.send(asta.by("button", "Leave the group"))
        expect(asta.page.locator("[data-group-id]")).to_have_count(0)
    with bare.walk("carl", "en", (1366, 768)) as carl:
        carl.go("/events")
        carl.follow(carl.by("link", "Eating with diabetes"))
        expect(carl.page.locator("#places")).to_contain_text("1 of 20 places")
        carl.send(carl.by("button", "Cannot"))
        expect(carl.page.locator("#places")).to_contain_text("0 of 20 places")
        carl.send(carl.by("button", "Comes"))
        bare.ward.admin.execute(
            "UPDATE learning_event SET starts_at = %(now)s - interval '2 hours', ends_at = %(now)s - interval '1 hour'",
            {"now": NOW},
        )
        carl.page.reload()
        carl.send(carl.by("button", "Was there"))
        expect(carl.page.locator("#places")).to_contain_text("1 was there")
    with bare.walk("asta", "en", PHONE) as asta:
        asta.go("/me/events")
        for name in ("useful", "clear"):
            asta.page.locator(f"[name={name}]").last.check()
        asta.page.fill("textarea[name=said]", "More recipes, please.")
        asta.fits()
        asta.send(asta.by("button", "Send"))
        expect(asta.page.locator("main")).to_contain_text("You said how it was. Thank you.")
    with bare.walk("carl", "en", (1366, 768)) as carl:
        carl.go("/events")
        carl.follow(carl.by("link", "Eating with diabetes"))
        expect(carl.page.locator("main")).to_contain_text("More recipes, please.")


def test_a_patient_is_told_whom_to_call_before_a_question_is_sent_and_a_nurse_answers(bare: Centre) -> None:
    with bare.walk("asta", "en", PHONE) as asta:
        page = asta.page
        asta.go("/me/ask")
        page.fill("#ask-body", "I have chest pain. What should I eat?")
        asta.send(asta.by("button", "Send the question"))
        expect(page.locator("#call-first")).to_be_visible()
        expect(page.locator("#call-first a[href^='tel:']").first).to_be_visible()
        asta.is_unobjectionable()
        page.fill("#ask-body", "How do I store strips?")
        asta.send(asta.by("button", "Send it all the same"))
        expect(page.locator(".thread")).to_contain_text("How do I store strips?")
    with bare.walk("nora", "en", (1366, 768)) as nora:
        page = nora.page
        nora.go("/worklist")
        nora.follow(page.locator("#asked-waiting a"))
        nora.follow(nora.by("link", "Asta Example"))
        nora.send(nora.by("button", "I take it"))
        page.fill("#answer-answer", "In their closed tin, dry and cool.")
        nora.send(nora.by("button", "Send the answer"))
        nora.is_unobjectionable()
    with bare.walk("asta", "en", PHONE) as asta:
        asta.go("/me/ask")
        expect(asta.page.locator(".thread")).to_contain_text("In their closed tin")
        asta.fits()
