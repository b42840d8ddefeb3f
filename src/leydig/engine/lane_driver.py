# mypy: ignore-errors
# ruff: noqa: F821
"""The loop around the step: many men, each with a clock, a step size and events of his own, in one vector's lanes.

This text stands at the end of every generated kernel and is never imported alone: the kernel's layout
(``LANES``, ``STATES`` and the rows), ``hoist`` and the phases of the step stand before it.

A lane takes the next man as soon as its own is done, so the result of a man does not depend on who runs
beside him. Clocks are in double precision whatever the precision of the states.
"""

DONE, TOO_MANY_STEPS, LEFT_DOMAIN = 0, 1, 2
SAME_TIME = 1e-9  # h: events this close are one
SMALLEST_STEP = 1e-7  # h
RATE_OF_LASTING = 1.0  # 1/h, what a change that lasts counts as where a grid begins again
SAFETY, LEAST_FACTOR, MOST_FACTOR, FACTOR_OUTSIDE = 0.9, 0.2, 4.0, 0.25
LEAST_ERROR = 1e-12  # tolerances
GROUPS, GROUP = len(SHARES), CHANNELS * LANES
NEVER = np.inf


@driver
def apply_events(lane, man, now, origin, event, terms, channel, rates, amplitude, ramp, schedule):
    """Move the amplitudes of all terms to ``now`` and add every event that is due.

    The number of the next event, the largest rate of the terms that those events set off, and whether the states that
    act on no other see them.
    """
    time, kind, amount, jump, jump_ramp = schedule
    row = man if time.shape[0] > 1 else 0
    own = man if amount.shape[0] > 1 else 0
    elapsed = now - origin
    for i in range(terms):
        at = i * LANES + lane
        if elapsed > 0:
            faded = math.exp(-rates[at] * elapsed)
            amplitude[at] = (amplitude[at] + ramp[at] * elapsed) * faded
            ramp[at] *= faded
    fastest, seen = 0.0, False
    while event < time.shape[1] and time[row, event] <= now + SAME_TIME:
        which, much = kind[row, event], amount[own, event]
        for i in range(terms):
            at = i * LANES + lane
            amplitude[at] += much * jump[man, which, i]
            ramp[at] += much * jump_ramp[man, which, i]
            if jump[man, which, i] != 0 or jump_ramp[man, which, i] != 0:
                fastest = max(fastest, rates[at] if rates[at] > 0 else RATE_OF_LASTING)
                seen = seen or SEEN[channel[i]]
        event += 1
    return event, fastest, seen


@driver
def evaluate_inputs(w, exact, since, h, terms, channel, moves, rates, amplitude, ramp):
    """Inputs at the times that a step looks at, and how fast they move at its start, into their groups of rows.

    Added up in double precision (``exact``): two terms of opposite sign may leave little of either. Later times than
    those of the core's stages are for the states that act on no other, where they see the input. Channels without a
    term stay at 0.
    """
    for i in range(terms):
        for group in range(GROUPS + 1):
            for lane in range(LANES):
                exact[group * GROUP + channel[i] * LANES + lane] = 0.0
    for i in range(terms):
        begin, into = i * LANES, channel[i] * LANES
        if moves[i]:
            for lane in range(LANES):
                a, b, k = amplitude[begin + lane], ramp[begin + lane], rates[begin + lane]
                faded, now = exp_double(-k * since[lane]), a + b * since[lane]
                first, second = SHARES[1] * h[lane], SHARES[2] * h[lane]
                exact[into + lane] += now * faded
                exact[into + GROUP + lane] += (now + b * first) * (faded * exp_double(-k * first))
                exact[into + 2 * GROUP + lane] += (now + b * second) * (faded * exp_double(-k * second))
                exact[into + GROUPS * GROUP + lane] += (b - k * now) * faded
        else:
            for lane in range(LANES):
                now, b = amplitude[begin + lane] + ramp[begin + lane] * since[lane], ramp[begin + lane]
                exact[into + lane] += now
                exact[into + GROUP + lane] += now + b * (SHARES[1] * h[lane])
                exact[into + 2 * GROUP + lane] += now + b * (SHARES[2] * h[lane])
                exact[into + GROUPS * GROUP + lane] += b
        if SEEN[channel[i]]:
            for lane in range(LANES):
                a, b, k = amplitude[begin + lane], ramp[begin + lane], rates[begin + lane]
                half, end = since[lane] + SHARES[3] * h[lane], since[lane] + SHARES[4] * h[lane]
                exact[into + 3 * GROUP + lane] += (a + b * half) * exp_double(-k * half)
                exact[into + 4 * GROUP + lane] += (a + b * end) * exp_double(-k * end)
    for i in range(terms):
        for group in range(GROUPS + 1):
            at = group * GROUP + channel[i] * LANES
            for lane in range(LANES):
                w[INPUTS * LANES + at + lane] = real(exact[at + lane])


@driver
def write_inputs(inputs, man, output, lane, since, terms, channel, rates, amplitude, ramp):
    """All channels of one man as they are now."""
    for i in range(terms):
        at = i * LANES + lane
        faded = math.exp(-rates[at] * since)
        inputs[man, output, channel[i]] += (amplitude[at] + ramp[at] * since) * faded


@driver
def measure(w, floors, tolerance, largest, scale, checked, size, factor):
    """Per lane the largest error of a state in tolerances, the factor on the step that follows from it, finiteness."""
    for lane in range(LANES):
        largest[lane], scale[lane], checked[lane] = real(0.0), real(1.0), real(0.0)
    for j in range(STATES):
        floor = real(floors[MOVING[j]])
        for lane in range(LANES):
            added, error = w[(INCREMENT + j) * LANES + lane], w[(ERROR + j) * LANES + lane]
            extent = abs(w[j * LANES + lane]) + floor
            more = abs(error) * scale[lane] > largest[lane] * extent
            largest[lane] = abs(error) if more else largest[lane]
            scale[lane] = extent if more else scale[lane]
            checked[lane] += (added + error) * real(0.0)
    for lane in range(LANES):
        size[lane] = np.float64(largest[lane]) / (np.float64(scale[lane]) * tolerance)
        factor[lane] = SAFETY / math.sqrt(math.sqrt(max(size[lane], LEAST_ERROR)))


@driver
def accept(w, lost, taken):
    """Add what the step adds, in the lanes that have taken it; ``lost`` keeps what rounding takes off (Kahan's sum).

    Without it small steps of a slow state would be lost in single precision.
    """
    for j in range(STATES):
        for lane in range(LANES):
            at = j * LANES + lane
            added = w[INCREMENT * LANES + at] + lost[at]
            new = w[at] + added
            lost[at] = added - (new - w[at]) if taken[lane] > 0 else lost[at]
            w[at] = new if taken[lane] > 0 else w[at]
    take_over(w, taken)


@driver
def take_over(w, taken):
    """The rates at the end become those at the start, in some lanes."""
    for j in range(PASSIVE):
        for lane in range(LANES):
            before, after = (BEFORE + j) * LANES + lane, (AFTER + j) * LANES + lane
            w[before] = w[after] if taken[lane] > 0 else w[before]


@driver
def solve_block(
    hoist, begin, phase_0, phase_1, phase_2, phase_3,
    first, last, states, parameters, channel, moves, rate, amplitude_at_start, ramp_at_start, schedule, times,
    floors, tolerance, first_step, growth, longest, fixed, most_steps, values, inputs, status, reached, steps, rejected,
):  # fmt: skip
    """Men ``first`` to ``last`` from the first of their ``times`` to the last; ``values`` (men, times, states)."""
    terms, rows_of_times = rate.shape[1], times.shape[0]
    wanted = times.shape[1]
    event_time = schedule[0]
    w = np.zeros(ROWS * LANES, real)
    rates, amplitude, ramp = np.zeros(terms * LANES), np.zeros(terms * LANES), np.zeros(terms * LANES)
    now, origin, since = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    proposed, h = np.full(LANES, first_step), np.full(LANES, first_step)
    after_event, stop = np.full(LANES, first_step), np.full(LANES, NEVER)
    fresh, landing = np.zeros(LANES, np.bool_), np.zeros(LANES, np.bool_)
    stale = np.ones(LANES, np.bool_)
    man, event, output = np.full(LANES, -1), np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    ended = np.zeros(LANES, np.int64)
    largest, scale, checked = np.zeros(LANES, real), np.zeros(LANES, real), np.zeros(LANES, real)
    size, factor = np.zeros(LANES), np.zeros(LANES)
    exact = np.zeros((GROUPS + 1) * GROUP)
    taken, lost = np.zeros(LANES, real), np.zeros(STATES * LANES, real)
    waiting, running = first, 0
    started = False
    while True:
        arrived, jumped = 0, 0
        for lane in range(LANES):
            if man[lane] >= 0 or waiting >= last:
                if man[lane] < 0 and not started and running > 0:  # idle lanes compute on a copy, unread
                    w.reshape((ROWS, LANES))[:, lane] = w.reshape((ROWS, LANES))[:, 0]
                continue
            who = waiting
            waiting += 1
            running += 1
            man[lane], event[lane], output[lane] = who, 0, 1
            for k in range(wanted):
                for j in range(states.shape[1]):  # states that stay keep this; rows not reached are blanked
                    values[who, k, j] = states[who, j]
            for j in range(STATES):
                w[j * LANES + lane] = real(states[who, MOVING[j]])
                lost[j * LANES + lane] = real(states[who, MOVING[j]] - np.float64(w[j * LANES + lane]))
            for j in range(PARAMETER_COUNT):
                w[(PARAMETERS + j) * LANES + lane] = real(parameters[who, j])
            for i in range(terms):
                rates[i * LANES + lane] = rate[who, i]
                amplitude[i * LANES + lane] = amplitude_at_start[who, i]
                ramp[i * LANES + lane] = ramp_at_start[who, i]
            now[lane] = times[who if rows_of_times > 1 else 0, 0]
            origin[lane] = now[lane]
            event[lane], fastest, stale[lane] = apply_events(
                lane, who, now[lane], origin[lane], 0, terms, channel, rates, amplitude, ramp, schedule
            )
            write_inputs(inputs, who, 0, lane, 0.0, terms, channel, rates, amplitude, ramp)
            proposed[lane], after_event[lane], fresh[lane] = first_step, first_step, True
            stale[lane] = True
            if fixed:
                for i in range(terms):  # what was given before counts as well
                    at = i * LANES + lane
                    if amplitude[at] != 0 or ramp[at] != 0:
                        fastest = max(fastest, rates[at])
                proposed[lane] = first_step / fastest if fastest > 0 else longest
            arrived += 1
        if running == 0:
            return
        if arrived > 0:
            hoist(w.ctypes)
            started = True
        for lane in range(LANES):
            if man[lane] < 0:
                h[lane], since[lane] = first_step, 0.0
                w[STEP * LANES + lane] = real(first_step)
                continue
            r = man[lane] if rows_of_times > 1 else 0
            stop[lane] = times[r, output[lane]]
            e = man[lane] if event_time.shape[0] > 1 else 0
            if event[lane] < event_time.shape[1] and event_time[e, event[lane]] < stop[lane]:
                stop[lane] = event_time[e, event[lane]]
            left = stop[lane] - now[lane]
            h[lane] = min(proposed[lane], longest)
            landing[lane] = h[lane] * 1.01 >= left
            if landing[lane]:
                h[lane] = left
            elif 2 * h[lane] > left and not fixed:
                h[lane] = left / 2
            since[lane] = now[lane] - origin[lane]
            jumped += stale[lane]
            w[STEP * LANES + lane] = real(h[lane])
        evaluate_inputs(w, exact, since, h, terms, channel, moves, rates, amplitude, ramp)
        if jumped > 0:
            begin(w.ctypes)
            take_over(w, stale)
            stale[:] = False
        phase_0(w.ctypes)
        phase_1(w.ctypes)
        phase_2(w.ctypes)
        phase_3(w.ctypes)
        measure(w, floors, tolerance, largest, scale, checked, size, factor)
        for lane in range(LANES):
            taken[lane] = 0
            if man[lane] < 0:
                continue
            who = man[lane]
            steps[who] += 1
            finite = checked[lane] == 0
            good = finite and size[lane] <= 1.0
            if good:
                taken[lane] = 1
            else:
                rejected[who] += 1
            ended[lane] = -1
            if not good:
                proposed[lane] = h[lane] * (max(LEAST_FACTOR, factor[lane]) if finite else FACTOR_OUTSIDE)
                if fresh[lane]:
                    after_event[lane] = proposed[lane]
                if proposed[lane] < SMALLEST_STEP:
                    ended[lane] = LEFT_DOMAIN
            elif steps[who] >= most_steps:
                ended[lane] = TOO_MANY_STEPS
            elif fixed:
                proposed[lane] = min(proposed[lane] * growth, longest)
            else:
                longer = min(MOST_FACTOR, factor[lane])
                if fresh[lane] and (longer < 1 or not landing[lane]):  # a step cut short says nothing here either
                    after_event[lane] = h[lane] * min(longer, 1.0)
                # a step cut short by an event says little about how long the next may be
                proposed[lane] = max(h[lane] * longer, proposed[lane] if landing[lane] and longer > 1 else 0.0)
                fresh[lane] = False
        accept(w, lost, taken)
        for lane in range(LANES):
            if man[lane] < 0:
                continue
            who = man[lane]
            if taken[lane] > 0:
                now[lane] = stop[lane] if landing[lane] else now[lane] + h[lane]
            if ended[lane] < 0 and taken[lane] > 0 and landing[lane]:
                r = who if rows_of_times > 1 else 0
                e = who if event_time.shape[0] > 1 else 0
                if event[lane] < event_time.shape[1] and event_time[e, event[lane]] <= now[lane] + SAME_TIME:
                    event[lane], fastest, stale[lane] = apply_events(
                        lane,
                        who,
                        now[lane],
                        origin[lane],
                        event[lane],
                        terms,
                        channel,
                        rates,
                        amplitude,
                        ramp,
                        schedule,
                    )
                    origin[lane] = now[lane]
                    if not fixed:
                        proposed[lane] = after_event[lane]
                    elif fastest > 0:
                        proposed[lane] = min(proposed[lane], first_step / fastest)
                    fresh[lane] = True
                while output[lane] < wanted and times[r, output[lane]] <= now[lane]:
                    for j in range(STATES):
                        at = j * LANES + lane
                        values[who, output[lane], MOVING[j]] = np.float64(w[at]) + np.float64(lost[at])
                    since[lane] = now[lane] - origin[lane]
                    write_inputs(inputs, who, output[lane], lane, since[lane], terms, channel, rates, amplitude, ramp)
                    output[lane] += 1
                if output[lane] == wanted:
                    ended[lane] = DONE
            if ended[lane] >= 0:
                status[who], reached[who] = ended[lane], now[lane]
                values[who, output[lane] :] = np.nan
                inputs[who, output[lane] :] = np.nan
                man[lane] = -1
                running -= 1
