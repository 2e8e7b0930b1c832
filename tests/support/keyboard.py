"""A reader who has a keyboard and nothing else."""


class Keyboard:
    """Keys for whatever has the focus, in the page or in the frame that the driver looks into."""

    def __init__(self, driver):
        self.driver = driver

    def press(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def chord(self, held, key):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).key_down(held).send_keys(key).key_up(held).perform()

    def to(self, css, back=False, most=150):
        """Tab until what `css` names has the focus; it is an error where that never happens."""
        from selenium.webdriver.common.keys import Keys

        for _ in range(most):
            if self.driver.execute_script("return document.activeElement?.matches(arguments[0])", css):
                return
            if back:
                self.chord(Keys.SHIFT, Keys.TAB)
            else:
                self.press(Keys.TAB)
        raise AssertionError(f"no number of tabs leads to {css}")

    def write(self, text):
        """In place of what stands in the field that has the focus."""
        from selenium.webdriver.common.keys import Keys

        self.chord(Keys.CONTROL, "a")
        self.press(text)
