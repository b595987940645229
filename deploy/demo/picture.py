"""Pictures of the running console, for the README."""

from pathlib import Path

from playwright.async_api import async_playwright

# What a browser needs to run headless as root, and to speak to nobody but us.
CHROMIUM = "/usr/bin/chromium-headless-shell"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


async def take_pictures(console: str, login: str, password: str, case_id: str, folder: Path) -> None:
    """Sign in and photograph the worklist, once a case is on it, and the page of this case."""
    folder.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1366, "height": 420})
        await page.goto(f"{console}/login")
        await page.fill('input[name="login"]', login)
        await page.fill('input[name="password"]', password)
        await page.press('input[name="password"]', "Enter")
        await page.wait_for_selector("[data-case-id]")
        await page.wait_for_selector('#live-state[data-state="live"]')
        await page.screenshot(path=folder / "worklist.png")
        await page.set_viewport_size({"width": 1366, "height": 900})
        await page.goto(f"{console}/cases/{case_id}")
        await page.wait_for_selector('#live-state[data-state="live"]')
        await page.screenshot(path=folder / "case.png")
        await browser.close()
