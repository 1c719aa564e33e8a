# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns a real browser, Debian's Chromium without a window, in one of the hosts: told what to do as
somebody at a keyboard would, and asked what a screen reader would say (Chromium's own tree of that),
both by its debugging pipe. No script of a test runs in a page."""

import base64
import contextlib
import json
import os
import select
import shutil
import time

PROGRAM = "chromium-headless-shell"
KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), "Space": (32, " ")}
# a page that is as wide as its window, on a telephone and on a desk
NARROW, WIDE = (360, 740), (1280, 900)


def have():
    return shutil.which(PROGRAM) is not None


class Browser:
    """resolve: where the names of the test lead, as this browser's DNS."""

    def __init__(self, host, resolve, trust=None):
        self.lab = host.lab
        self.number = 0
        self.buffer = b""
        self.events = []
        to_read, self.to = os.pipe()
        self.back, back_write = os.pipe()
        self.folder = self.lab.path(f"browser-{host.name}-{time.monotonic_ns()}")
        rules = ",".join(f"MAP {name} {'[%s]' % to if ':' in to else to}" for name, to in resolve.items())
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update",
                     "--disable-extensions", "--hide-scrollbars", "--force-renderer-accessibility",
                     f"--user-data-dir={self.folder}", f"--host-resolver-rules={rules}",
                     "--remote-debugging-pipe"]
        if trust:
            arguments.append(f"--ignore-certificate-errors-spki-list={trust}")
        with open(self.lab.path("browser.log"), "a") as log:
            self.process = host.popen(
                "bash", "-c", 'exec "$@" 3<&%d 4>&%d' % (to_read, back_write), "bash", PROGRAM, *arguments,
                pass_fds=(to_read, back_write), stdout=log, stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": self.folder, "LANG": "C.UTF-8"})
        os.close(to_read)
        os.close(back_write)

    def close(self):
        with contextlib.suppress(OSError, AssertionError):
            self.ask("Browser.close")
        for fd in (self.to, self.back):
            with contextlib.suppress(OSError):
                os.close(fd)
        with contextlib.suppress(Exception):
            self.process.wait(10)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    # -- the pipe: objects in JSON, each with a NUL behind it -----------------------------------

    def _read(self, deadline):
        while b"\0" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.back], [], [], left)[0]:
                raise AssertionError("the browser says nothing")
            some = os.read(self.back, 1 << 20)
            if not some:
                raise AssertionError("the browser is gone")
            self.buffer += some
        one, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(one)

    def ask(self, method, session=None, seconds=40, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if session:
            request["sessionId"] = session
        data = json.dumps(request).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        deadline = time.monotonic() + seconds
        while True:
            said = self._read(deadline)
            if said.get("id") != self.number:
                self.events.append(said)
                continue
            if "error" in said:
                raise AssertionError(f"{method}: {said['error']}")
            return said["result"]

    def wait_event(self, method, session, seconds=40):
        """The first that was not waited for yet."""
        deadline = time.monotonic() + seconds
        while True:
            for event in self.events:
                if event.get("method") == method and event.get("sessionId") == session:
                    self.events.remove(event)
                    return event["params"]
            self.events.append(self._read(deadline))

    def page(self, size=WIDE, script=True, dark=False):
        return Page(self, size, script, dark)


class Page:
    def __init__(self, browser, size, script, dark):
        self.browser = browser
        self.target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.ask(
            "Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "DOM", "Accessibility", "Log"):
            self.ask(domain + ".enable")
        self.ask("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1],
                 deviceScaleFactor=1, mobile=size[0] < 600)
        self.ask("Emulation.setScriptExecutionDisabled", value=not script)
        if dark:
            self.ask("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": "dark"}])
        self.size = size
        self.status = self.headers = None

    def ask(self, method, **parameters):
        return self.browser.ask(method, self.session, **parameters)

    # -- pages ----------------------------------------------------------------------------------

    def _loaded(self):
        self.browser.wait_event("Page.loadEventFired", self.session)
        for event in self.browser.events:
            if event.get("method") == "Network.responseReceived" and \
                    event.get("sessionId") == self.session and event["params"]["type"] == "Document":
                self.status = event["params"]["response"]["status"]
                self.headers = {name.lower(): value for name, value in
                                event["params"]["response"]["headers"].items()}

    def go(self, url):
        """Returns the status; the error's name where there was no answer."""
        self._forget()
        failed = self.ask("Page.navigate", url=url).get("errorText")
        if failed:
            return failed
        self._loaded()
        return self.status

    def reload(self):
        self._forget()
        self.ask("Page.reload")
        self._loaded()
        return self.status

    def _forget(self):
        self.browser.events = [event for event in self.browser.events
                               if event.get("method") not in ("Page.loadEventFired",
                                                              "Network.responseReceived")]

    def complaints(self):
        """What the browser had to say of the pages until now: what its rules kept from happening."""
        self.ask("Page.getNavigationHistory")  # what was on its way is here
        said = [event["params"]["entry"]["text"] for event in self.browser.events
                if event.get("method") == "Log.entryAdded" and event.get("sessionId") == self.session]
        # the status of a page is seen elsewhere
        return [text for text in said if not text.startswith("Failed to load resource")]

    def asked_for(self):
        """Every URL that any page wanted."""
        return [event["params"]["request"]["url"] for event in self.browser.events
                if event.get("method") == "Network.requestWillBeSent" and
                event.get("sessionId") == self.session]

    def url(self):
        history = self.ask("Page.getNavigationHistory")
        return history["entries"][history["currentIndex"]]["url"]

    def html(self):
        root = self.ask("DOM.getDocument", depth=0)["root"]["nodeId"]
        return self.ask("DOM.getOuterHTML", nodeId=root)["outerHTML"]

    # -- as it is read aloud ----------------------------------------------------------------------

    def nodes(self):
        """(role, name, properties) of all that is read, in its order."""
        tree = self.ask("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", ""),
                 {entry["name"]: entry["value"].get("value") for entry in node.get("properties", [])})
                for node in tree if not node.get("ignored") and "role" in node]

    def text(self):
        return " ".join(name for role, name, _ in self.nodes() if role == "StaticText")

    def named(self, role):
        return [name for has, name, _ in self.nodes() if has == role]

    def focused(self):
        for role, name, properties in self.nodes():
            if properties.get("focused") and role != "RootWebArea":
                return role, name
        return None, None

    # -- the keyboard -----------------------------------------------------------------------------

    def press(self, key, shift=False):
        code, text = KEYS[key]
        name = " " if key == "Space" else key
        common = {"key": name, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def tab_to(self, name, most=20):
        """By the Tab key alone."""
        for _ in range(most):
            self.press("Tab")
            if self.focused()[1] == name:
                return
        raise AssertionError(f"the Tab key does not lead to {name!r}: {self.nodes()}")

    def type(self, name, text):
        self.tab_to(name)
        self.ask("Input.insertText", text=text)

    def push(self, name):
        """A button or link, and the page that it leads to. Returns its status."""
        self.tab_to(name)
        self._forget()
        self.press("Enter")
        self._loaded()
        return self.status

    # -- as it is seen ------------------------------------------------------------------------------

    def width(self):
        """Of what is on the page; more than the window's, and it has to be pushed about."""
        return self.ask("Page.getLayoutMetrics")["cssContentSize"]["width"]

    def picture(self, file):
        whole = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        data = self.ask("Page.captureScreenshot", captureBeyondViewport=True,
                        clip={"x": 0, "y": 0, "width": self.size[0],
                              "height": max(whole["height"], 1), "scale": 1})["data"]
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as out:
            out.write(base64.b64decode(data))
