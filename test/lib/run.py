# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns test/run: builds, runs every test or those named, and counts."""

import concurrent.futures
import functools
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time

import lab

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("POSTERN_BUILD") or os.path.join(ROOT, "build")
LOGS = os.path.join(BUILD, "test-logs")
FIGURES = os.path.join(ROOT, "test", "durations")
CORES = len(os.sched_getaffinity(0))
USAGE = """usage: test/run [-j N] [--no-build] [--record] [--list] [NAME...]

NAME is a test or the beginning of some: unit/lists, fuzz, netns/main, netns. Without a name all
are run, at most N at once: four for each processor unless said. Beside how long each took stands
how much of that it had a processor; --record keeps both in test/durations, by which the next run
decides what runs beside what. Logs are kept in build/test-logs; of a test that was run once more,
that of the first run is NAME.first.log.
"""

# preset of CMakePresets.json: its folder here
BUILDS = {"release": BUILD, "sanitize": BUILD + "/sanitize", "warnings": BUILD + "/warnings"}
# what the namespace tests need of a build: they begin when this is there
PROGRAMS = "netns-programs"
SANITIZED_PROGRAMS = f"sanitize-{PROGRAMS}"
# Most tests wait for the network nearly all the time, so several run for each processor: as many
# as together want a processor and a half for each that there is.
WANTED = 1.5 * CORES
# .clang-format decides how C looks; what the tests keep as data is not read as C
FORMAT = """find daemon kernel-rules lib tools test -name '*.[ch]' ! -path 'test/data/*' |
xargs clang-format --dry-run -Werror"""
# seconds a whole test file may take; those of the package build it twice and fetch a Debian root
DEADLINE, PACKAGE_DEADLINE, BUILD_DEADLINE = 600, 1500, 900
# at most so many failures may be those of a busy machine
AGAIN_MAX = 4
# what a sanitizer or an assertion says, or a daemon that did not end well: never the machine's fault
BROKEN = re.compile(r"Sanitizer|runtime error|[Aa]ssertion .*failed|stack smashing|core dumped|"
                    r"^not ok - .*: the daemon ended")
# namespace tests that are run a second time with the sanitizers' build
SANITIZED = {"main", "verdicts", "relay-data", "failures", "odd-packets", "cli", "stops",
             "commands", "edit", "message-level", "hand-over", "message-kills",
             "message-manners", "message-servers", "message-smuggling", "message-whole",
             "scans-killed", "scans-milter", "tls-attack", "tls-clients"}


class Tally:
    def __init__(self):
        self.lock = threading.Lock()
        self.passed = self.failed = self.skipped = 0
        self.bad = []

    def add(self, test, output, status):
        """Counts the `ok` lines of an output; a program that ends badly without having said what
        failed is one failure."""
        failed = 0
        with self.lock:
            for line in output.splitlines():
                if line.startswith("not ok - "):
                    failed += 1
                    self.bad.append(f"{test}: {line[9:]}")
                elif line.startswith("ok - "):
                    if " # SKIP" in line:
                        self.skipped += 1
                    else:
                        self.passed += 1
            if status != 0 and not failed:
                failed = 1
                self.bad.append(f"{test}: ended with status {status}")
            self.failed += failed
        return failed


class Program(subprocess.Popen):
    """A program in a session of its own, and what it and all that it waited for took of the
    processors."""

    def __init__(self, argv, **how):
        super().__init__(argv, stdin=subprocess.DEVNULL, start_new_session=True, **how)
        # closed when nobody holds it any more: who ends all may meet one that was just reaped
        self.handle = open(os.pidfd_open(self.pid), "rb", 0)
        self.cpu = 0.0  # seconds, known when it was reaped

    def ended(self, seconds=None):
        """Waits for its end, so long at most; leaves it to be reaped."""
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        return bool(poll.poll(None if seconds is None else seconds * 1000))

    def tell(self, number):
        try:
            signal.pidfd_send_signal(self.handle.fileno(), number)
        except ProcessLookupError:
            pass  # it ended by itself

    def end(self, seconds=20):
        """Asks it to clean up and end, and then makes it."""
        self.tell(signal.SIGTERM)
        if not self.ended(seconds):
            os.killpg(self.pid, signal.SIGKILL)

    def reap(self):
        """Its status; by the one that started it, once."""
        _, status, used = os.wait4(self.pid, 0)
        self.cpu = used.ru_utime + used.ru_stime
        self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def one_line(test, output, status, seconds, cpu):
    oks = len(re.findall(r"^ok - ", output, re.M))
    bads = len(re.findall(r"^not ok - ", output, re.M)) or (1 if status else 0)
    print(f"{'ok    ' if not bads else 'NOT OK'} {test:<34} {oks:4} good {bads:3} bad"
          f" {seconds:7.1f} s {cpu:7.1f} cpu", flush=True)


class Runner:
    def __init__(self, jobs):
        self.jobs = jobs
        self.tally = Tally()
        self.live = set()
        self.lock = threading.Lock()
        self.stopped = False
        self.again = []      # (test, its output, its status): failed beside others
        self.twice = []      # (test's name, did it pass then?)
        self.took = {}       # name: (seconds, of these on a processor)

    def call(self, argv, log, deadline, env=None):
        """Runs a program in a session of its own; past its deadline it is asked to end, so that
        it can clean up, and then made to."""
        if not os.access(argv[0], os.X_OK) and "/" in argv[0]:
            return 127, f"{argv[0]} was not built\n", 0.0
        with open(log, "wb") as out:
            process = Program(argv, stdout=out, stderr=out, cwd=ROOT, env=env)
        with self.lock:
            self.live.add(process)
        late = not process.ended(deadline)
        if late:
            process.end()
        with self.lock:  # nobody signals what is reaped
            self.live.discard(process)
            status = process.reap()
        with open(log, errors="replace") as file:
            return (124 if late else status), file.read(), process.cpu

    def end(self):
        """Asks what runs to clean up and end, and starts nothing more."""
        self.stopped = True
        for process in list(self.live):
            process.tell(signal.SIGTERM)

    def stop(self):
        self.end()
        for process in list(self.live):
            process.end()

    def build(self, name, target="all", jobs=CORES):
        """One test: this configuration compiles without a warning. A target can be made before the
        rest."""
        if self.stopped:
            return False
        folder, preset = BUILDS[name], name
        if target != "all":
            name = target if name == "release" else f"{name}-{target}"
        began = time.monotonic()
        log = os.path.join(LOGS, f"build-{name}.log")
        # a build folder that is there keeps the generator it was made with; what can be built is
        script = ('folder=$1 && shift && cmake -B "$folder" "$@" && keep=-k && '
                  '{ [ ! -e "$folder/build.ninja" ] || keep=-k0; } && '
                  'cmake --build "$folder" -j "$JOBS" -t "$TARGET" -- $keep')
        status, output, cpu = self.call(
            ["sh", "-c", script, "sh", folder, "-S", ROOT, "--preset", preset], log,
            BUILD_DEADLINE,
            {"CMAKE_GENERATOR": "Ninja", **os.environ, "JOBS": str(jobs), "TARGET": target})
        line = f"{'ok' if status == 0 else 'not ok'} - build/{name}\n"
        self.tally.add("build", line, status)
        self.took["build/" + name] = time.monotonic() - began, cpu
        one_line("build/" + name, line, status, *self.took["build/" + name])
        if status:
            lines = [text for text in output.splitlines() if not re.match(r"\[\d+/\d+\]", text)]
            print("".join(f"    {text}\n" for text in lines[:40]), end="")
        return status == 0

    def test(self, test, alone=False):
        """Beside others a failure is not counted yet, unless it is one that no load explains."""
        if self.stopped:
            return
        name, argv, env, deadline = test
        began = time.monotonic()
        log = os.path.join(LOGS, name.replace("/", "-") + ".log")
        first = log.removesuffix(".log") + ".first.log"
        if alone and os.path.exists(log):  # the first failure is the one to be explained
            os.replace(log, first)
        elif os.path.exists(first):
            os.remove(first)
        status, output, cpu = self.call(argv, log, deadline, env)
        if name.startswith(("unit/", "fuzz/", "style/")):
            # one program is one test, whatever it prints
            output = f"{'ok' if status == 0 else 'not ok'} - {name}\n"
        if status == 124:
            output += f"not ok - {name}: longer than {deadline} s\n"
        lines = []
        if status and os.path.exists(log):
            with open(log, errors="replace") as file:
                lines = [line for line in file.read().splitlines() if line.strip()]
        if status and not alone and not any(BROKEN.search(line) for line in lines):
            with self.lock:
                self.again.append((test, output, status))
        else:
            self.tally.add(name, output, status)
            if alone:
                self.twice.append((name, not status))
        self.took[name] = time.monotonic() - began, cpu
        one_line(name, output, status, *self.took[name])
        if lines:
            print("".join(f"    {line}\n" for line in excerpt(lines)), end="", flush=True)

    def slowness(self):
        """How much more of a processor the first build took than when it was recorded."""
        name = f"build/{PROGRAMS}"
        was, now = read_figures().get(name), self.took.get(name)
        return max(1.0, now[1] / was[1]) if was and now else 1.0

    def run_all(self, work):
        """work: [(name, the names that must have ended before, function)]. The longest first, and
        beside it what fits: on a slower machine less."""
        figures, slowness = read_figures(), self.slowness()
        expected = {one[0]: expect(one[0], figures) for one in work}
        wanted = {name: 1.0 if name.startswith("build/")  # it never waits
                  else min(1.0, slowness * cpu / seconds)
                  for name, (seconds, cpu) in expected.items()}
        wait = sorted(work, key=lambda one: (not one[0].startswith("build/"),
                                             -expected[one[0]][0]))
        runs, open_names = {}, set(expected)
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            while wait or runs:
                for one in list(wait):
                    name, before, function = one
                    want = sum(part for _, part in runs.values()) + wanted[name]
                    if len(runs) < self.jobs and (not runs or want <= WANTED) \
                            and not open_names.intersection(before):
                        wait.remove(one)
                        runs[pool.submit(function)] = name, wanted[name]
                done, _ = concurrent.futures.wait(
                    runs, return_when=concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    open_names.discard(runs.pop(future)[0])
                    future.result()

    def report(self):
        """What all of it took, and the most expensive."""
        seconds, cpu = (sum(part) for part in zip(*self.took.values()))
        print(f"\none after the other {seconds:.0f} s, of these {cpu:.0f} s on a processor;"
              " most of it:")
        for what, key in (("s", 0), ("cpu", 1)):
            most = sorted(self.took.items(), key=lambda item: -item[1][key])[:8]
            print(f"    {what}: " + ", ".join(f"{name} {took[key]:.0f}" for name, took in most))

    def test_again(self):
        """What failed beside others, once more and alone: with more programs than cores a second may
        pass within a test's milliseconds. What fails alone has failed, and so has what is too much
        to be chance."""
        if len(self.again) > AGAIN_MAX:
            for test, output, status in self.again:
                self.tally.add(test[0], output, status)
            return
        for test, _, _ in self.again:
            print(f"once more, alone: {test[0]}", flush=True)
            self.test(test, alone=True)


def excerpt(lines):
    """What tells most of a failed test: the lines before its first `not ok`, of the daemon's log
    the last few."""
    shown = [i for i, line in enumerate(lines) if line.startswith("not ok")]
    end = shown[0] + 1 if shown else len(lines)
    log = [line for line in lines[:end] if line.startswith("#   log: ")]
    rest = [line for line in lines[:end] if not line.startswith("#   log: ")]
    return rest[-30:] + log[-8:] + lines[end:end + 4]


def read_figures():
    """{name: (seconds, of these on a processor)}, as they were recorded."""
    figures = {}
    if os.path.exists(FIGURES):
        with open(FIGURES) as file:
            for line in file:
                name, seconds, cpu = line.split()
                figures[name] = float(seconds), float(cpu)
    return figures


def record(took):
    """Keeps what ran just now in place of what was known of it; what there is no more goes."""
    there = {test[0] for test in find_tests()} | \
        {f"build/{name}" for name in [*BUILDS, PROGRAMS, SANITIZED_PROGRAMS]}
    figures = {name: figure for name, figure in {**read_figures(), **took}.items() if name in there}
    with open(FIGURES, "w") as file:
        for name, (seconds, cpu) in sorted(figures.items()):
            file.write(f"{name} {seconds:.1f} {cpu:.1f}\n")


def expect(name, figures):
    """(seconds, of these on a processor) of a test; what is not known is taken for middling."""
    kind, _, topic = name.partition("/")
    if name in figures:
        seconds, cpu = figures[name]
    elif kind == "sanitize" and "netns/" + topic in figures:
        seconds, cpu = figures["netns/" + topic]
        seconds, cpu = seconds + 2 * cpu, 3 * cpu
    elif kind == "netns" or kind == "sanitize":
        seconds, cpu = 30.0, 6.0
    else:
        seconds, cpu = 2.0, 2.0
    return max(seconds, 0.1), cpu


def find_tests():
    """Every test: (name, argv, environment, deadline)."""
    def environment(build):
        env = dict(os.environ)
        env.update(POSTERN_BUILD=build, POSTERN_MTA=os.path.join(BUILD, "mta"),
                   ASAN_OPTIONS="detect_leaks=1:abort_on_error=1", PYTHONDONTWRITEBYTECODE="1",
                   UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
        if build == BUILD:
            return env
        env["ASAN_OPTIONS"] = "detect_leaks=0:abort_on_error=1"
        return env

    tests = [("style/format", ["/bin/sh", "-c", FORMAT], None, DEADLINE)]
    for name in sorted(os.listdir(f"{ROOT}/test/style")):
        tests.append((f"style/{name}", [f"{ROOT}/test/style/{name}"], None, DEADLINE))
    sanitize = BUILDS["sanitize"]
    units = sorted(name[:-2] for name in os.listdir(f"{ROOT}/test/unit") if name.endswith(".c")) \
        if os.path.isdir(f"{ROOT}/test/unit") else []
    fuzzers = sorted(name[:-2] for name in os.listdir(f"{ROOT}/test/fuzz")
                     if name.endswith(".c") and name != "replay.c")
    plain = environment(BUILD)
    for name in units:
        tests.append((f"unit/{name}", [f"{sanitize}/test/unit-{name}"], plain, DEADLINE))
    for name in fuzzers:
        tests.append((f"fuzz/{name}", [f"{sanitize}/test/fuzz-{name}",
                                       f"{ROOT}/test/fuzz/corpus/{name}"], plain, DEADLINE))
    scenarios = sorted(name for name in os.listdir(f"{ROOT}/test/netns")
                       if os.access(f"{ROOT}/test/netns/{name}", os.X_OK)
                       and os.path.isfile(f"{ROOT}/test/netns/{name}"))
    for name in scenarios:
        tests.append((f"netns/{name}", [f"{ROOT}/test/netns/{name}"], plain,
                      PACKAGE_DEADLINE if name.startswith("package-") else DEADLINE))
    for name in scenarios:
        if name in SANITIZED:
            tests.append((f"sanitize/{name}", [f"{ROOT}/test/netns/{name}"],
                          environment(sanitize), DEADLINE))
    return tests


def needs_sanitizers(name):
    return name.startswith(("unit/", "fuzz/", "sanitize/"))


def build_of(name):
    """The builds without which it cannot begin."""
    if name.startswith("sanitize/"):
        return (f"build/{SANITIZED_PROGRAMS}",)
    return ("build/sanitize",) if needs_sanitizers(name) else ()


def main():
    words = sys.argv[1:]
    jobs, build, keep = 4 * CORES, True, False
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "-j" and words:
            jobs = int(words.pop(0))
        elif word == "--no-build":
            build = False
        elif word == "--record":
            keep = True
        elif word == "--list":
            print("\n".join(test[0] for test in find_tests()))
            return 0
        else:
            sys.stderr.write(USAGE)
            return 0 if word in ("-h", "--help") else 2
    os.makedirs(LOGS, exist_ok=True)
    lab.sweep()
    runner = Runner(jobs)

    def interrupted(signum, frame):
        # at once: the threads that wait for the tests hold the exception back
        runner.end()
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGINT, interrupted)
    began, tests = time.monotonic(), []
    try:
        good = True
        tests = [test for test in find_tests()
                 if not words or any(test[0].startswith(word) for word in words)]
        if not tests and "build" not in words:
            print(f"no such test: {' '.join(words)}", file=sys.stderr)
            return 2
        work = []
        if build:
            # what was built in spite of an error can still tell something
            if not runner.build("release", PROGRAMS):
                good = os.access(os.path.join(BUILD, "daemon", "posternd"), os.X_OK)
            sanitized = any(needs_sanitizers(test[0]) for test in tests)
            needed = list(BUILDS) if not words or "build" in words else \
                ["sanitize"] if sanitized else []
            # beside tests that wait for their own timers a build gets half of the machine
            beside = any(test[0].startswith("netns/") for test in tests)
            build_jobs = max(1, CORES // 2) if beside else CORES
            # nobody waits for warnings
            before = {"release": (), "warnings": ("build/sanitize",),
                      "sanitize": (f"build/{SANITIZED_PROGRAMS}",)}
            work = [(f"build/{name}", before[name],
                     functools.partial(runner.build, name, jobs=build_jobs)) for name in needed]
            if "sanitize" in needed:
                work.append((f"build/{SANITIZED_PROGRAMS}", (), functools.partial(
                    runner.build, "sanitize", PROGRAMS, jobs=build_jobs)))
        for test in tests:
            work.append((test[0], build_of(test[0]), functools.partial(runner.test, test)))
        if good:
            runner.run_all(work)
            runner.test_again()
    except KeyboardInterrupt:
        runner.stop()
        print("interrupted")
        runner.tally.failed += 1
    finally:
        lab.sweep()
    tally = runner.tally
    if keep and not tally.failed:
        record(runner.took)
    if runner.took:
        runner.report()
    if tally.bad:
        print("\nfailed:")
        for line in tally.bad:
            print("    " + line)
    if runner.twice:
        good = sum(passed for _, passed in runner.twice)
        print(f"\nfailed beside others, run once more alone: {len(runner.twice)} of {len(tests)}"
              f" tests, {good} passed then:")
        for name, passed in runner.twice:
            print(f"    {name}: {'passed' if passed else 'failed again'};"
                  f" the first log is {name.replace('/', '-')}.first.log")
    print(f"\n{time.monotonic() - began:.0f} s; logs in {LOGS}")
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped", flush=True)
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    os._exit(main())
