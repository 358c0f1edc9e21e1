"""The shapes that the fluid kernel works on: a Frame that does not change, a Flow that does. Masses are users.

    cell = (group, issue bin, stage)      stage: attempts made so far, or for those who reload a stratum of the interval

    out[k, cell]     sent in step k, in time, and not known to be answered: times out when its limit is over
    point, slope     masses that send again in a step to come; a uniform wait is a rate that begins and ends
    base[k], part[k] what was taken in at step k, and the share of it that still waits for a slot (FIFO)
    log              what got a slot lately, so that a crash can take its answers back

Prompts are told apart by the bin of time in which they were issued, with one deadline: its middle and the patience.
"""

from typing import NamedTuple

from mockbot.simulate.fast.layout import Floats, Ints

BINS = 400  # of the histogram of latencies, each 3 % wide, from LEAST seconds up
LEAST, WIDE = 0.02, 0.03
POINTS = 40  # of the service law, of equal weight, for the histogram


class Frame(NamedTuple):
    """What holds for a whole run; g counts groups, l service laws, j stages, p phases, s steps of service."""

    dt: float
    slo: int  # steps
    first: Ints  # [g] its first cell
    bins: Ints  # [g] issue bins in the ring
    stages: Ints  # [g]
    endless: Ints  # [g] 1: the last stage goes on for ever
    width: Floats  # [g] seconds of an issue bin
    limit: Ints  # [g, j] steps that an attempt may take
    ramp: Floats  # [p, g, 4] begin and end of the phase, arrivals per second at its begin and end
    closed: Ints  # [g]
    law: Ints  # [c] the law from this change on
    chance: Floats  # [l, s] that an answer takes s steps
    within: Floats  # [l, s] that it takes s steps at most
    opening: Ints  # [l] steps to the first token
    quantile: Ints  # [l, POINTS] steps


class Flow(NamedTuple):
    """What changes; rings are indexed modulo their length, histories by step, second or bin."""

    i: Ints
    f: Floats
    took: Floats  # [ring, cell] taken in by the provider, the client still there
    out: Floats  # [ring, cell]
    late: Floats  # [ring, cell] of `out`: has a first token and will not be complete in time
    failing: Floats  # [fault or source, cell] what fails in this step
    point: Floats  # [ring, cell]
    turn: Floats  # [ring, cell] changes of `slope`
    slope: Floats  # [cell]
    waits: Floats  # [cell] has nothing more to try, and waits for its deadline
    base: Floats  # [step]
    part: Floats  # [step]
    lawful: Ints  # [step]
    freed: Floats  # [ring]
    told: Floats  # [ring, g] answers that reach their clients
    leaves: Floats  # [ring] clients that hang up on work that goes on
    log: Floats  # [ring, 3] step of the begin, step of the sending, share
    limits: Floats  # [s] scratch
    share: Floats  # [e] of the requests that fault e hits now
    done: Floats  # [e] how far it is, 0..1
    think: Floats  # [g]
    away: Floats  # [g]
    asking: Floats  # [g]
    leaving: Floats  # [g]
    open_bin: Ints  # [g] the oldest issue bin that is not over
    crowd: Floats  # [second, g, CROWD]
    seen: Floats  # [second, COUNTS]
    work: Floats  # [second, 2]
    felt: Floats  # [second, e]
    cohort: Floats  # [g, bin, COHORT]
    latency: Floats  # [p, g, BINS]
    settled: Floats  # [second, g] of those that were issued in the disturbance
    good_done: Floats  # [second, g]


# Flow.i
STEP, CHANGE, ALIVE, OPEN, HEAD, LOGGED, DOWN, PHASE, AFFECTED_FROM, AFFECTED_TO, NUMBERS = range(11)
# rows of `failing` after those of the faults
NO_ROOM, SHED_OFF, DEAD, NO_WIRE, SOURCES = range(5)
# Flow.f
WAITING, RUNNING, LIVE, SLOTS, WARM_FROM, WARM_TO, WANTED, AMOUNTS = range(8)
# Flow.cohort
ISSUED, ANSWERED, GOOD, GAVE_UP, SENT, COHORT = range(6)
