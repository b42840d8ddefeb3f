# mypy: ignore-errors
# ruff: noqa: F821
"""The loop around the step on a graphics processor: one thread per man, from his first time to his last.

This text stands at the end of every generated CUDA module and is never imported alone: the layout (``STATES`` and the
rows), ``hoist`` and the phases of the step stand before it. It does for one man what ``lane_driver`` does for one
lane, in the same order and with the same formulas. Men lie along the last axis of every array, so that neighbouring
threads read neighbouring numbers. Clocks and inputs are in double precision whatever the precision of the states.
"""

DONE, TOO_MANY_STEPS, LEFT_DOMAIN = 0, 1, 2
SAME_TIME = 1e-9  # h: events this close are one
SMALLEST_STEP = 1e-7  # h
RATE_OF_LASTING = 1.0  # 1/h, what a change that lasts counts as where a grid begins again
SAFETY, LEAST_FACTOR, MOST_FACTOR, FACTOR_OUTSIDE = 0.9, 0.2, 4.0, 0.25
GROUPS = len(SHARES)


@device
def apply_events(man, now, elapsed, event, channel, rate, amplitude, ramp, time, kind, amount, jump, jump_ramp):
    """Move the amplitudes of all terms by ``elapsed`` to ``now`` and add every event that is due.

    The number of the next event, the largest rate of the terms that those events set off, and whether the states that
    act on no other see them.
    """
    row = man if time.shape[1] > 1 else 0
    own = man if amount.shape[1] > 1 else 0
    terms = rate.shape[0]
    if elapsed > 0:
        for i in range(terms):
            faded = math.exp(-rate[i, man] * elapsed)
            amplitude[i, man] = (amplitude[i, man] + ramp[i, man] * elapsed) * faded
            ramp[i, man] *= faded
    fastest, seen = 0.0, False
    while event < time.shape[0] and time[event, row] <= now + SAME_TIME:
        which, much = kind[event, row], amount[event, own]
        for i in range(terms):
            amplitude[i, man] += much * jump[which, i, man]
            ramp[i, man] += much * jump_ramp[which, i, man]
            if jump[which, i, man] != 0 or jump_ramp[which, i, man] != 0:
                fastest = max(fastest, rate[i, man] if rate[i, man] > 0 else RATE_OF_LASTING)
                seen = seen or SEEN[channel[i]]
        event += 1
    return event, fastest, seen


@device
def evaluate_inputs(w, exact, man, since, h, channel, moves, rate, amplitude, ramp):
    """Inputs at the times that a step looks at, and how fast they move at its start, into their groups of rows.

    Added up in double precision (``exact``): two terms of opposite sign may leave little of either.
    """
    for i in range((GROUPS + 1) * CHANNELS):
        exact[i] = 0.0
    for i in range(channel.shape[0]):
        into = channel[i]
        a, b, k = amplitude[i, man], ramp[i, man], rate[i, man]
        now = a + b * since
        faded = math.exp(-k * since) if moves[i] else 1.0
        exact[into] += now * faded
        exact[into + GROUPS * CHANNELS] += (b - k * now) * faded
        for group in range(1, GROUPS):
            elapsed = since + SHARES[group] * h
            later = math.exp(-k * elapsed) if moves[i] else 1.0
            exact[into + group * CHANNELS] += (a + b * elapsed) * later
    for i in range((GROUPS + 1) * CHANNELS):
        w[INPUTS + i] = real(exact[i])


@device
def put_out(w, lost, man, output, since, channel, rate, amplitude, ramp, values, inputs, chosen, held, edges, counts):
    """States and inputs of one man at an output time, and a count in the bin of each chosen state."""
    if values.shape[0] > 0:
        for j in range(STATES):
            values[output, j, man] = np.float64(w[j]) + np.float64(lost[j])
    if inputs.shape[0] > 0:
        for i in range(CHANNELS):
            inputs[output, i, man] = 0.0
        for i in range(channel.shape[0]):
            faded = math.exp(-rate[i, man] * since)
            inputs[output, channel[i], man] += (amplitude[i, man] + ramp[i, man] * since) * faded
    for i in range(chosen.shape[0]):
        value = np.float64(w[chosen[i]]) + np.float64(lost[chosen[i]]) if chosen[i] >= 0 else held[i]
        if value != value:  # not a number: in no bin
            continue
        low, high = 0, edges.shape[1]
        while low < high:
            middle = (low + high) // 2
            if edges[i, middle] <= value:
                low = middle + 1
            else:
                high = middle
        cuda.atomic.add(counts, (output, i, low), 1)  # whole numbers: the same sum in any order


@kernel
def solve(
    men, states, parameters, hoisted, channel, moves, rate, amplitude, ramp, event_time, kind, amount, jump, jump_ramp,
    times, floors, tolerance, first_step, growth, longest, fixed, most_steps,
    chosen, held, edges, values, inputs, counts, status, reached, steps, rejected, written,
):  # fmt: skip
    """All men of a launch; ``amplitude`` and ``ramp`` are used up, ``hoisted`` is room for what he keeps."""
    man = cuda.grid(1)
    if man >= men:
        return
    w, lost = cuda.local.array(LOCAL_ROWS, real), cuda.local.array(STATES, real)
    exact = cuda.local.array(INPUT_ROWS, np.float64)
    for j in range(STATES):
        w[j] = real(states[j, man])
        lost[j] = real(states[j, man] - np.float64(w[j]))
    hoist(w, parameters, hoisted, man)
    row = man if times.shape[1] > 1 else 0
    event_row = man if event_time.shape[1] > 1 else 0
    wanted, events = times.shape[0], event_time.shape[0]
    now = times[0, row]
    origin = now
    event, fastest, _ = apply_events(
        man, now, 0.0, 0, channel, rate, amplitude, ramp, event_time, kind, amount, jump, jump_ramp
    )
    stale = True
    put_out(w, lost, man, 0, 0.0, channel, rate, amplitude, ramp, values, inputs, chosen, held, edges, counts)
    output, tried, refused = 1, 0, 0
    proposed, after_event, fresh = first_step, first_step, True
    if fixed:
        for i in range(channel.shape[0]):  # what was given before counts as well
            if amplitude[i, man] != 0 or ramp[i, man] != 0:
                fastest = max(fastest, rate[i, man])
        proposed = first_step / fastest if fastest > 0 else longest
    ended = -1
    while ended < 0:
        stop = times[output, row]
        if event < events and event_time[event, event_row] < stop:
            stop = event_time[event, event_row]
        left = stop - now
        h = min(proposed, longest)
        landing = h * 1.01 >= left
        if landing:
            h = left
        elif 2 * h > left and not fixed:
            h = left / 2
        w[STEP] = real(h)
        evaluate_inputs(w, exact, man, now - origin, h, channel, moves, rate, amplitude, ramp)
        if stale:
            begin(w, parameters, hoisted, man)
            stale = False
            for j in range(PASSIVE):
                w[BEFORE + j] = w[AFTER + j]
        phase_0(w, parameters, hoisted, man)
        phase_1(w, parameters, hoisted, man)
        phase_2(w, parameters, hoisted, man)
        phase_3(w, parameters, hoisted, man)
        # The largest error over its scale, as largest / scale, and whether all values are finite.
        largest, scale, checked = real(0.0), real(1.0), real(0.0)
        for j in range(STATES):
            added, error = w[INCREMENT + j], abs(w[ERROR + j])
            extent = abs(w[j]) + floors[j]
            if error * scale > largest * extent:
                largest, scale = error, extent
            checked += (added + error) * real(0.0)
        tried += 1
        finite = checked == real(0.0)
        size = np.float64(largest) / (np.float64(scale) * tolerance)
        if not finite or size > 1.0:
            refused += 1
            factor = max(LEAST_FACTOR, SAFETY / math.sqrt(math.sqrt(size))) if finite else FACTOR_OUTSIDE
            proposed = h * factor
            if fresh:
                after_event = proposed
            if proposed < SMALLEST_STEP:
                ended = LEFT_DOMAIN
            continue
        for j in range(STATES):  # Kahan's sum, as in the lanes
            added = w[INCREMENT + j] + lost[j]
            new = w[j] + added
            lost[j] = added - (new - w[j])
            w[j] = new
        for j in range(PASSIVE):
            w[BEFORE + j] = w[AFTER + j]
        now = stop if landing else now + h
        if tried >= most_steps:
            ended = TOO_MANY_STEPS
            continue
        if fixed:
            proposed = min(proposed * growth, longest)
        else:
            factor = min(MOST_FACTOR, SAFETY / math.sqrt(math.sqrt(max(size, 1e-12))))
            if fresh and (factor < 1 or not landing):  # a step cut short says nothing here either
                after_event = h * min(factor, 1.0)
            # a step cut short by an event says little about how long the next may be
            proposed = max(h * factor, proposed if landing and factor > 1 else 0.0)
            fresh = False
        if not landing:
            continue
        if event < events and event_time[event, event_row] <= now + SAME_TIME:
            event, fastest, stale = apply_events(
                man, now, now - origin, event, channel, rate, amplitude, ramp, event_time, kind, amount, jump, jump_ramp
            )  # fmt: skip
            origin, fresh = now, True
            if not fixed:
                proposed = after_event
            elif fastest > 0:
                proposed = min(proposed, first_step / fastest)
        while output < wanted and times[output, row] <= now:
            since = now - origin
            put_out(
                w, lost, man, output, since, channel, rate, amplitude, ramp, values, inputs, chosen, held, edges, counts
            )
            output += 1
        if output == wanted:
            ended = DONE
    status[man], reached[man], written[man] = ended, now, output
    steps[man], rejected[man] = tried, refused
