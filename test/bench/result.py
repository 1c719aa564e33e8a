# SPDX-License-Identifier: GPL-2.0-or-later
"""Owns the figures that the bench collected: their table as text, as JSON, and one plot each."""

import json
import os
import statistics
import subprocess

# what a proxy is compared with: the better of these, in the same round
RIVALS = ("haproxy", "nginx")


class Metric:
    """better: +1 more is better, -1 less is, 0 is told only. target: the wanted ratio; most: what
    Postern's value may be at most."""

    def __init__(self, name, better=0, target=None, digits=1, most=None):
        self.name, self.better, self.target, self.digits = name, better, target, digits
        self.most = most


class Target:
    """What one peer's value is to be at most, or at least, by another's of the same round, or by its
    own in another case; without either, in itself."""

    def __init__(self, metric, case, peer, rival, most=None, least=None, than=None):
        self.metric, self.case, self.peer, self.rival = metric, case, peer, rival
        self.most, self.least, self.than = most, least, than

    def line(self, figure):
        """None: it was not measured."""
        rival = self.rival or (self.peer if self.than else None)
        ratios = figure.beside(self.case, self.peer, rival, self.metric, self.than) if rival else \
            list(figure.values(self.case, self.peer, self.metric).values())
        if not ratios:
            return None
        digits = 2 if rival else 0
        median = statistics.median(ratios)
        wanted = f"at most {self.most:.{digits}f}" if self.least is None else \
            f"at least {self.least:.{digits}f}"
        held = median <= self.most if self.least is None else median >= self.least
        by = f" by {self.than or self.rival}" if rival else ""
        return (f"  {self.case}: {self.metric} of {self.peer}{by}: "
                f"{spread(ratios, digits)}, {wanted}: {'held' if held else 'missed'}")


class Figure:
    """One figure: for each case and peer the values of every round. `main` is what is plotted."""

    def __init__(self, number, title, metrics, targets=()):
        self.number, self.title = number, title
        self.metrics, self.targets = metrics, targets
        self.rows = []  # (case, peer, round, {metric name: value})

    def add(self, case, peer, round_, values):
        self.rows.append((case, peer, round_, values))

    def add_above(self, case, base, metric, name):
        """Adds to each other peer's values what of a metric is above the base's of its round."""
        least = self.values(case, base, metric)
        for row in self.rows:
            if row[0] == case and row[1] != base and row[2] in least:
                row[3][name] = row[3][metric] - least[row[2]]

    def cases(self):
        return list(dict.fromkeys(row[0] for row in self.rows))

    def peers(self):
        return list(dict.fromkeys(row[1] for row in self.rows))

    def values(self, case, peer, metric):
        """{round: value}"""
        return {row[2]: row[3][metric] for row in self.rows
                if row[0] == case and row[1] == peer and metric in row[3]}

    def ratios(self, case, peer, metric):
        """peer against the better rival of the same round, or those against whom it is measured."""
        rivals = [self.values(case, rival, metric.name) for rival in RIVALS if rival != peer]
        best = max if metric.better > 0 else min
        found = []
        for round_, value in self.values(case, peer, metric.name).items():
            others = [of[round_] for of in rivals if of.get(round_)]
            if others:
                found.append(value / best(others))
        return found

    def beside(self, case, peer, rival, metric, than=None):
        """peer's value by the rival's, a round each; than: by that in this case."""
        others = self.values(than or case, rival, metric)
        return [value / others[round_] for round_, value in self.values(case, peer, metric).items()
                if others.get(round_, 0) > 0]

    # -- text -----------------------------------------------------------------------------------

    def text(self):
        lines = [f"{self.number}. {self.title}", ""]
        head = f"  {'case':<34} {'peer':<10}"
        for metric in self.metrics:
            head += f" {metric.name:>25}"
            if metric.better and self._rivals():
                head += f" {'ratio to the better':>20}"
        lines.append(head.rstrip())
        for case in self.cases():
            for peer in self.peers():
                lines.append(self._line(case, peer))
        missed = self._judged()
        return "\n".join(lines + ([""] + missed if missed else [])) + "\n"

    def _rivals(self):
        return any(rival in self.peers() for rival in RIVALS)

    def _line(self, case, peer):
        line = f"  {case:<34} {peer:<10}"
        for metric in self.metrics:
            line += f" {spread(self.values(case, peer, metric.name).values(), metric.digits):>25}"
            if metric.better and self._rivals():
                ratios = self.ratios(case, peer, metric) if peer == "postern" else []
                line += f" {spread(ratios, 2):>20}"
        return line.rstrip()

    def _judged(self):
        """A line for each target: where it holds, by the median."""
        lines = [line for target in self.targets if (line := target.line(self))]
        for metric in self.metrics:
            if metric.most is not None:
                lines += self._bounded(metric)
            if metric.target is None:
                continue
            medians = {case: statistics.median(ratios) for case in self.cases()
                       if (ratios := self.ratios(case, "postern", metric))}
            good = [case for case, value in medians.items()
                    if (value - metric.target) * metric.better >= 0]
            word = "at least" if metric.better > 0 else "at most"
            if medians:
                lines.append(f"  target {metric.name}: {word} {metric.target:.2f} x the better; "
                             f"held in {len(good)} of {len(medians)} cases")
        return lines

    def _bounded(self, metric):
        medians = [statistics.median(values.values()) for case in self.cases()
                   if (values := self.values(case, "postern", metric.name))]
        good = [value for value in medians if value <= metric.most]
        return [f"  target {metric.name}: at most {metric.most}; "
                f"held in {len(good)} of {len(medians)} cases"] if medians else []

    # -- data -----------------------------------------------------------------------------------

    def data(self):
        return {"figure": self.number, "title": self.title,
                "metrics": [{"name": m.name, "better": m.better, "target": m.target, "most": m.most}
                            for m in self.metrics],
                "targets": [vars(target) for target in self.targets],
                "rows": [{"case": c, "peer": p, "round": r, "values": v}
                         for c, p, r, v in self.rows]}

    def plot(self, folder):
        """One SVG: bars of the medians of the first metric, from least to most as a line."""
        metric = self.metrics[0]
        peers = [peer for peer in self.peers()
                 if any(self.values(case, peer, metric.name) for case in self.cases())]
        path = os.path.join(folder, f"figure-{self.number}")
        with open(path + ".dat", "w") as file:
            for case in self.cases():
                cells = ['"' + case.replace('"', "") + '"']
                for peer in peers:
                    values = list(self.values(case, peer, metric.name).values())
                    cells += [f"{statistics.median(values)} {min(values)} {max(values)}"
                              if values else "NaN NaN NaN"]
                file.write(" ".join(cells) + "\n")
        bars = ", ".join(
            f"'{path}.dat' using {2 + 3 * i}:{3 + 3 * i}:{4 + 3 * i}:xtic(1) title '{peer}'"
            for i, peer in enumerate(peers))
        script = f"""
set terminal svg size {max(640, 120 * len(self.cases()))},480 dynamic background '#ffffff'
set output '{path}.svg'
set title "{self.number}. {self.title}"
set ylabel "{metric.name}"
set yrange [0:*]
set style data histograms
set style histogram errorbars gap 1 lw 1
set style fill solid 0.7
set xtics rotate by -25 font ",9"
set bmargin 7
set key top left
plot {bars}
"""
        subprocess.run(["gnuplot", "-"], input=script, text=True, check=True)
        os.unlink(path + ".dat")
        return path + ".svg"


def spread(values, digits):
    """median (least - most)"""
    values = list(values)
    if not values:
        return ""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return (f"{statistics.median(values):.{digits}f}"
            f" ({min(values):.{digits}f} - {max(values):.{digits}f})")


def write(folder, figures, lacks, about):
    """Writes table.txt, figures.json and the plots; returns the text."""
    os.makedirs(folder, exist_ok=True)
    text = "\n".join(figure.text() for figure in figures)
    text = about + "\n\n" + text + "\nWhat a peer does not do:\n" + "".join(
        f"  {peer:<10} {what or '-'}\n" for peer, what in lacks.items())
    with open(os.path.join(folder, "table.txt"), "w") as file:
        file.write(text)
    with open(os.path.join(folder, "figures.json"), "w") as file:
        json.dump({"about": about, "lacks": lacks,
                   "figures": [figure.data() for figure in figures]}, file, indent=1)
    for figure in figures:
        if figure.rows:
            figure.plot(folder)
    return text
