# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns how a scenario test runs its cases and says what came of them: one line `ok - NAME` or
`not ok - NAME` a case, which test/run counts."""

import inspect
import os
import signal
import sys
import time
import traceback

from lab import Lab

_cases = []


class Skip(Exception):
    """Raised by a case that cannot run here, with the reason."""


class Overdue(BaseException):
    """A case ran longer than its deadline. Not an Exception: no case may swallow it."""


def case(name, families=(4, 6), deadline=90):
    """Registers a case. A function with a parameter `family` runs once for each family."""
    def register(function):
        takes = "family" in inspect.signature(function).parameters
        for family in families if takes else (None,):
            words = f"{name}, IPv{family}" if takes else name
            _cases.append((words, function, family, deadline))
        return function
    return register


def registered():
    """The names of all cases."""
    return [name for name, *_ in _cases]


def equal(got, want, what="value"):
    if got != want:
        raise AssertionError(f"{what}: {got!r}, not {want!r}")


def holds(text, *words):
    for word in words:
        if word not in text:
            raise AssertionError(f"{word!r} is not in {text!r}")


def _overdue(signum, frame):
    raise Overdue("deadline passed")


def _ended(signum, frame):
    raise SystemExit(143)


def _run(context, name, function, family, deadline):
    began = time.monotonic()
    signal.alarm(deadline)
    try:
        if family:
            function(context, family=family)
        else:
            function(context)
        line = f"ok - {name}"
    except Skip as skip:
        line = f"ok - {name} # SKIP {skip}"
    except (Exception, Overdue) as error:
        signal.alarm(0)
        line = f"not ok - {name}"
        text = "".join(traceback.format_exception(error))
        print("".join(f"# {part}\n" for part in text.splitlines()), end="")
        tail = getattr(context, "log_tail", None)
        if tail:
            print("".join(f"#   log: {part}\n" for part in tail().splitlines()), end="")
    signal.alarm(0)
    print(f"{line}\n# {time.monotonic() - began:.2f} s", flush=True)
    return line.startswith("ok")


def main(setup, **lab_options):
    """Makes the hosts, calls setup(lab) for the context that cases get, and runs the cases whose
    names hold one of the words of the command line. Exits 1 if one failed."""
    signal.signal(signal.SIGALRM, _overdue)
    signal.signal(signal.SIGTERM, _ended)
    topic = os.path.basename(sys.argv[0])
    chosen = [case for case in _cases
              if len(sys.argv) < 2 or any(word in case[0] for word in sys.argv[1:])]
    good = True
    with Lab(**lab_options) as lab:
        try:
            signal.alarm(120)
            context = setup(lab)
            signal.alarm(0)
        except Skip as skip:
            print(f"ok - {topic} # SKIP {skip}", flush=True)
            return
        except (Exception, Overdue) as error:
            signal.alarm(0)
            print("".join(f"# {part}\n" for part in
                          "".join(traceback.format_exception(error)).splitlines()), end="")
            print(f"not ok - {topic}: setup", flush=True)
            sys.exit(1)
        for one in chosen:
            good &= _run(context, *one)
        finish = getattr(context, "finish", None)
        if finish:
            problem = finish()
            if problem:
                print("".join(f"# {part}\n" for part in problem.splitlines()), end="")
            print(f"{'not ok' if problem else 'ok'} - {topic}: the daemon ended clean", flush=True)
            good &= not problem
    sys.exit(0 if good else 1)
