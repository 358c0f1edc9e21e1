"""The shapes that the kernel works on: a World that does not change, a State that does, and 40 bytes for each user.

    User    t        8  when its timer rings           nxt, prv  4+4  neighbours in its bucket of the timing wheel
            t0       8  when its prompt began          seq       4    number of its attempt, to know an orphaned answer
            att      4  attempts of this prompt        tokens    4    length of the answer to this prompt
            flags    4  state, what it waits for, and its group in the upper bits

A user has at most one timer: the end of a pause, of an attempt's time, or of its patience. Answers in the making are in
slots, with a wheel of their own; requests without a slot are in a ring. So every event costs the same, however many
users there are (Varghese & Lauck, SOSP 1987); entries of one bucket are sorted when it comes up, so that the order is
exact.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]
Bools = NDArray[np.bool_]
Rows = NDArray[np.void]

USER: Final = np.dtype(
    [
        ("t", "f8"), ("t0", "f8"), ("nxt", "i4"), ("prv", "i4"),
        ("seq", "u4"), ("att", "u4"), ("tokens", "u4"), ("flags", "u4"),
    ]
)  # fmt: skip
# One of these for each slot, each place in the queue, each key that refreshes or has a limit, each recorded user.
SLOT: Final = np.dtype([("end", "f8"), ("nxt", "i4"), ("user", "i4"), ("seq", "u4")], align=True)
PLACE: Final = np.dtype([("work", "f8"), ("first", "f8"), ("hits", "u8"), ("user", "i4"), ("seq", "u4")], align=True)
KEY: Final = np.dtype([("sent", "f8"), ("level", "f8"), ("level_at", "f8")])
LOG: Final = np.dtype([("start", "f8"), ("first", "f8"), ("end", "f8"), ("name", "i8"), ("prompts", "i8")])
# What is recorded; `kind` 0 is an attempt, 1 a prompt.
RECORD: Final = np.dtype(
    [
        ("kind", "i4"), ("code", "i4"), ("group", "i4"), ("user", "i4"), ("name", "i8"), ("prompt", "i8"), ("n", "i8"),
        ("start", "f8"), ("end", "f8"), ("first", "f8"), ("gap", "f8"), ("tokens", "i8"), ("retry_after", "f8"),
    ]
)  # fmt: skip
GROUP_ROW: Final = np.dtype(
    [
        ("start", "i8"), ("think", "f8"), ("patience", "f8"), ("timeout", "f8"), ("attempts", "i8"),
        ("every", "f8"),  # between two refreshes; -1: a retry loop
        ("base", "f8"), ("cap", "f8"), ("low", "f8"), ("plus", "f8"), ("floor", "f8"),
        ("obeys", "i8"), ("at_most", "f8"), ("beyond", "i8"), ("zero", "i8"), ("after_plus", "f8"), ("spread", "f8"),
        ("comes_back", "f8"),  # -1: thinks as usual
        ("limit", "f8"),  # requests per second and key; 0: none
        ("streams", "i8"),
    ]
)  # fmt: skip
PROVIDER_ROW: Final = np.dtype(
    [
        ("first_token", "f8"), ("per_token", "f8"), ("median", "f8"), ("sigma", "f8"), ("mean", "f8"),
        ("base_slots", "i8"), ("queue", "i8"), ("leaves_queue", "i8"), ("retry_after", "f8"),
        ("queue_full", "i8"), ("over_limit", "i8"), ("shed", "i8"),  # kinds of failure
        ("end_of_load", "f8"),
        ("step", "f8"),  # seconds of a bucket, a power of two: no moment is rounded into another bucket
    ]
)  # fmt: skip
FAULT_ROW: Final = np.dtype(
    [
        ("kind", "i8"), ("failure", "i8"), ("begin", "f8"), ("end", "f8"), ("share_first", "f8"), ("share_last", "f8"),
        ("keys", "f8"), ("retry_after", "f8"), ("factor_first", "f8"), ("factor_last", "f8"), ("added_first", "f8"),
        ("added_last", "f8"), ("warm_up", "f8"),
    ]
)  # fmt: skip

# states, the lower three bits of `flags`
ABSENT, THINKING, PAUSING, GIVING_UP, QUEUED, RUNNING = 0, 1, 2, 3, 4, 5
STATE = 7
SLOW, LEAVING, VISITOR = 8, 16, 32  # its first token comes before its time is over; goes when settled; came once
RECORDED = 64  # its attempts and prompts are recorded
GROUP = 7  # the bits above are the group

# `prv` of those that are in no bucket
BUFFERED, IDLE = -2, -3

# kinds of failure that need no row of their own
TIMEOUT, TOO_SLOW, RESET, REFUSED, UNFINISHED, OK = 0, 1, 2, 3, 4, 5

# settled, the `code` of a prompt's record
ANSWERED, GAVE_UP, LEFT_OPEN = 0, 1, 2

# rows of faults
FAIL, SHED, SLOWER, FEWER, CRASH, DOWN = 0, 1, 2, 3, 4, 5
UNTIL_END = -2.0  # Retry-After of maintenance
NO_RETRY_AFTER = -1.0


class World(NamedTuple):
    """One provider and its groups; g counts groups, e faults, k kinds of failure, c changes."""

    provider: Rows  # one PROVIDER_ROW
    group: Rows  # [g] GROUP_ROW
    fault: Rows  # [e] FAULT_ROW, in the order in which a request meets them
    retried: Bools  # [g, k]
    hits: Bools  # [e, g]
    admit: Floats  # [e, g, 2]; -1: not named
    moment: Floats  # [c]
    active: NDArray[np.uint64]  # [c] bits of the faults that hold from then on
    users: Ints  # [c, g]


class State(NamedTuple):
    """Everything that changes, in arrays, so that a run can stop between two buckets and go on."""

    user: Rows
    order: Shorts  # of each closed group: first the users that are present, then the others
    wheel: Shorts  # heads of the users' buckets
    slot_wheel: Shorts
    slot: Rows
    free_slots: Shorts
    queue: Rows
    due_user: Shorts  # the bucket at hand, sorted
    due_at: Floats
    due_slot: Shorts  # likewise
    due_end: Floats
    free_arrivals: Shorts
    key: Rows
    log: Rows
    out: Rows
    f: Floats
    i: Ints
    rng: NDArray[np.uint64]
    counts: Ints  # [second, COUNTS]
    work: Floats  # [second, 2]
    felt: Shorts  # [second, e]
    crowd: Ints  # [second, g, CROWD]


# State.f
NOW, SPENT, LIMIT, WARM_FROM, WARM_TO = range(5)
# State.i
(
    BUCKET, FREE, HEAD, LENGTH, WAITING, ACTIVE, ORPHANS, SLOTS, ALIVE, SECOND, CHANGE, PENDING, DUE_AT, DUE_TO,
    SLOT_AT, SLOT_TO, OUT, EVENTS, OPEN, RAMPS, FREE_ARRIVALS, ARRIVALS, STRIDE, CLOSED, LOG_CLOSED, ARRIVAL,
) = range(26)  # fmt: skip
# State.counts
OFFERED, ADMITTED, TURNED_AWAY, FAILED, FINISHED, ABANDONED, RUNNING_AT, QUEUED_AT, SLOTS_AT = range(9)
# State.crowd
ISSUED, SENT, SETTLED, GIVEN_UP = range(4)
