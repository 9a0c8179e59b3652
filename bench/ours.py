# SPDX-License-Identifier: GPL-3.0-or-later
"""The program sskit as the scripts of this folder measure it, on the recipes beside them."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = {"dkf": "dkf.yaml", "ddssm": "ddssm.yaml", "ddssm_wide": "ddssm_wide.yaml",
         "ddssm_csdi": "ddssm_csdi.yaml", "paper_dkf": "paper_dkf.yaml", "paper_ddssm": "paper_ddssm.yaml"}


def fail(message):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


class Ours:
    """The program sskit, on `threads` threads."""

    def __init__(self, sskit, threads, folder):
        self.sskit, self.threads, self.folder, self.runs = sskit, str(threads), folder, 0
        self.environment = dict(os.environ)
        build = os.path.dirname(sskit)
        stage, program = os.path.join(build, "plugins-stage"), os.path.join(build, ".libs", "sskit")
        if os.path.isdir(stage):  # not installed: the plugins of its build folder
            self.environment.update(SSKIT_PLUGIN_DIR="", SSKIT_PLUGIN_PATH=stage)
        if os.path.isfile(program):  # `sskit` there is a shell script of libtool's, which takes its time
            self.sskit = program
            self.environment.update(LD_LIBRARY_PATH=os.path.dirname(program))

    def resolve(self, recipe, to):
        with open(to, "w") as file:
            run([self.sskit, "explain", recipe, "--json"], self.environment, file)

    def times(self, recipe, steps, forecasts):
        command = [self.sskit, "bench", recipe, "--times", "--json", "--threads", self.threads,
                   "--steps", str(max(steps, 2)), "--forecasts", str(forecasts)]
        return json.loads(run(command, self.environment)[0])

    def train_step(self, recipe, n):
        return self.times(recipe, n, 0)["step_seconds"]

    def forecast(self, recipe, n):
        return self.times(recipe, 2, n)["forecast_seconds"]

    def train(self, recipe, steps):
        """-> wall seconds to the first finished step, and peak bytes of the whole training."""
        self.runs += 1
        out = os.path.join(self.folder, f"run{self.runs}")
        result = run([self.sskit, "train", recipe, f"training.steps={steps}", "-o", out,
                      "--threads", self.threads], self.environment)
        shutil.rmtree(out)
        return result[1:]


def run(command, environment, stdout=None):
    """-> what it printed, wall seconds until it told of a first step (None: it did not), peak resident bytes. Both
    programs tell of it on their standard error as soon as it is finished."""
    with tempfile.TemporaryFile("w+") as printed:
        since, first, told = time.perf_counter(), None, []
        process = subprocess.Popen(command, env=environment, stdout=stdout or printed,
                                   stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if first is None and line.startswith("step 1"):
                first = time.perf_counter() - since
            told.append(line)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            fail(f"'{' '.join(command)}' ended with status {process.returncode}\n{''.join(told)}")
        printed.seek(0)
        return printed.read(), first, usage.ru_maxrss * 1024


def find_sskit(given):
    for place in [given] if given else [os.environ.get("SSKIT"), os.getcwd(), shutil.which("sskit")]:
        if place and os.path.isdir(place):
            place = os.path.join(place, "sskit")
        if place and os.path.isfile(place) and os.access(place, os.X_OK):
            return os.path.abspath(place)
    fail("there is no program sskit: run this from a build folder, or name one with --sskit")


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}
