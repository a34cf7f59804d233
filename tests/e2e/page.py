"""The web UI in a browser, as a person uses and sees it."""

from contextlib import suppress

import pytest
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait


class Page:
    """The web UI, as a person uses and sees it."""

    def __init__(self, driver, server, folder):
        self.driver, self.server, self.folder = driver, server, folder

    def open(self, path):
        self.driver.get(self.server.url + path)

    def leave(self):
        """Look at nothing: a page that stays open asks the server and draws for as long as the browser is there."""
        self.driver.get("about:blank")

    def visible(self, xpath):
        """The first visible element at an XPath, or None."""
        # A page that draws itself anew replaces elements: one is visible if the browser says so in one go.
        return self.driver.execute_script(
            """
            const found = document.evaluate(arguments[0], document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE);
            return [...Array(found.snapshotLength).keys()].map(index => found.snapshotItem(index))
                .find(element => element.checkVisibility()) ?? null""",
            xpath,
        )

    def see(self, xpath):
        """The first visible element at an XPath, once there is one."""
        return self._wait_until(f"{xpath} is seen", lambda: self.visible(xpath))

    def _wait_until(self, what, happened):
        try:
            return self.server.wait_until(what, happened)
        except pytest.fail.Exception as failure:
            shot = self.folder / "page.png"
            self.driver.save_screenshot(shot)
            pytest.fail(f"{failure}\n--- what was seen instead: {shot}")

    def click(self, xpath, until):
        """Click, and again if nothing came of it: a page that is drawn anew swallows a click.

        Not soon, since what a click starts may take a while on a busy machine, and would be started twice.
        """
        self.see(xpath)

        def clicked():
            with suppress(StaleElementReferenceException, ElementClickInterceptedException):
                # What was clicked may be gone, and what comes of it take a while.
                if there := self.visible(xpath):
                    there.click()
            with suppress(TimeoutException):
                WebDriverWait(self.driver, 15).until(lambda _: self.visible(until))
                return True

        self._wait_until(f"{until} is seen after a click on {xpath}", clicked)

    def write(self, xpath, text):
        """Put a text in the place of all that an editor at an XPath holds, by its keys."""
        self.see(xpath).click()
        keys = ActionChains(self.driver)
        keys.key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(text).perform()

    @property
    def dialogs(self):
        """Layers that cover the page."""
        return [dialog.text for dialog in self.driver.find_elements(By.XPATH, "//*[@role='dialog']")]


def button(text):
    return f"//*[self::button or self::a][normalize-space()='{text}']"
