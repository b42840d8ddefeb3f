"""Desire, erection, cognition, hot flushes, mood, fatigue, anxiety and joints under androgen and oestradiol.

Scores (desire, erection, cognition) move relative to the man's own; symptoms are probabilities that depend on the
absolute hormones, so a man whose own hormones are low already has at rest what their lack adds.
"""

from collections.abc import Mapping
from typing import NamedTuple

from leydig.physiology.arithmetic import hill, loss, positive, shortfall


class State(NamedTuple):
    desire: float  # 1, odds of desire relative to the man at rest
    erection: float  # 1, odds of erection relative to the man at rest
    cognition: float  # 1, relative to the man at rest
    hot_flush: float  # 1, probability that missing hormones add to the base rate
    low_mood: float  # 1, the same
    fatigue: float  # 1, the same
    anxiety: float  # 1, the same
    joint_pain: float  # 1, probability that missing oestradiol and gained fat add to the base rate


class Parameters(NamedTuple):
    sexual_floor: float  # 1, share of the odds of desire and erection that needs no androgen
    desire_androgen_half: float  # ng/dL
    desire_androgen_steepness: float  # 1
    desire_estradiol_effect: float  # 1, share of the odds lost without oestradiol
    desire_high_estradiol: float  # 1, share of the odds gained (lost if negative) at high oestradiol
    desire_time: float  # h
    erection_androgen_exponent: float  # 1, power of the androgen limb of desire
    erection_estradiol_effect: float  # 1
    erection_high_estradiol: float  # 1
    erection_fat_exponent: float  # 1
    erection_time: float  # h
    sexual_estradiol_half: float  # pg/mL
    sexual_estradiol_steepness: float  # 1
    high_estradiol_half: float  # pg/mL
    high_estradiol_steepness: float  # 1
    score_margin: float  # 1, points beyond either end of a questionnaire
    cognition_estradiol_effect: float  # 1
    cognition_estradiol_half: float  # pg/mL
    cognition_time: float  # h
    hot_flush_base: float  # 1
    hot_flush_added: float  # 1, without oestradiol and androgen
    hot_flush_estradiol_half: float  # pg/mL
    hot_flush_estradiol_steepness: float  # 1
    hot_flush_androgen_protection: float  # 1, share of the added that ample androgen takes away
    hot_flush_androgen_half: float  # ng/dL
    hot_flush_androgen_steepness: float  # 1
    hot_flush_time: float  # h
    low_mood_base: float  # 1
    low_mood_added: float  # 1, without both hormones
    low_mood_time: float  # h
    fatigue_base: float  # 1
    fatigue_added: float  # 1, without androgen
    fatigue_time: float  # h
    anxiety_base: float  # 1
    anxiety_added: float  # 1, without oestradiol
    anxiety_time: float  # h
    joint_pain_base: float  # 1
    joint_pain_added: float  # 1, without oestradiol
    joint_pain_fat_exponent: float  # 1, of the odds
    joint_pain_time: float  # h
    symptom_androgen_half: float  # ng/dL, mood and fatigue
    symptom_estradiol_half: float  # pg/mL, mood, anxiety and joints
    symptom_steepness: float  # 1
    hormone_floor: float  # pg/mL and ng/dL


class Setpoints(NamedTuple):
    """What is a man's own, by inversion from his baseline."""

    androgen: float  # ng/dL at rest
    estradiol: float  # pg/mL at rest
    desire_score: float  # 0-100 at rest
    erectile_function_score: float  # 0-100 at rest


class Signals(NamedTuple):
    androgen: float  # ng/dL
    estradiol: float  # pg/mL, total, LC-MS/MS scale
    fat_mass: float  # 1, relative to day 0


# Drives: what the hormones make possible, in arbitrary units ---------------------------------------


def androgen_limb(androgen, exponent, p: Parameters):
    """A power of androgen's saturating rise above a floor, floor to 1; some castrated men keep sexual function."""
    rise = hill(positive(androgen, p.hormone_floor), p.desire_androgen_half, p.desire_androgen_steepness)
    return p.sexual_floor + (1 - p.sexual_floor) * rise**exponent


def estradiol_limb(estradiol, effect, high, p: Parameters):
    """Sexual function lost by ``effect`` where oestradiol is short, moved by ``high`` where it is plenty."""
    present = positive(estradiol, p.hormone_floor)
    missing = shortfall(present, p.sexual_estradiol_half, p.sexual_estradiol_steepness)
    plenty = hill(present, p.high_estradiol_half, p.high_estradiol_steepness)
    return (1 - effect * missing) * (1 + high * plenty)


def desire_drive(androgen, estradiol, p: Parameters):
    """Odds of desire: the product of both hormones' limbs, as neither alone restored it where both were missing."""
    limb = estradiol_limb(estradiol, p.desire_estradiol_effect, p.desire_high_estradiol, p)
    return androgen_limb(androgen, 1, p) * limb


def erection_drive(androgen, estradiol, p: Parameters):
    """Odds of erection: the same limbs as desire, with its own weights."""
    limb = estradiol_limb(estradiol, p.erection_estradiol_effect, p.erection_high_estradiol, p)
    return androgen_limb(androgen, p.erection_androgen_exponent, p) * limb


def cognition_drive(estradiol, p: Parameters):
    """1 + effect x oestradiol's saturating share; flat while the effect is 0."""
    present = positive(estradiol, p.hormone_floor)
    return 1 + p.cognition_estradiol_effect * hill(present, p.cognition_estradiol_half, 1)


# Probabilities that missing hormones add ----------------------------------------------------------


def missing_estradiol(estradiol, p: Parameters):
    """Share of the effect of having no oestradiol, for mood, anxiety and joints."""
    return shortfall(positive(estradiol, p.hormone_floor), p.symptom_estradiol_half, p.symptom_steepness)


def missing_androgen(androgen, p: Parameters):
    """Share of the effect of having no androgen, for mood and fatigue."""
    return shortfall(positive(androgen, p.hormone_floor), p.symptom_androgen_half, p.symptom_steepness)


def hot_flushes(androgen, estradiol, p: Parameters):
    """Added by missing oestradiol, and taken away again by ample androgen."""
    androgen, estradiol = positive(androgen, p.hormone_floor), positive(estradiol, p.hormone_floor)
    missing = shortfall(estradiol, p.hot_flush_estradiol_half, p.hot_flush_estradiol_steepness)
    plenty = hill(androgen, p.hot_flush_androgen_half, p.hot_flush_androgen_steepness)
    return p.hot_flush_added * missing * (1 - p.hot_flush_androgen_protection * plenty)


def low_mood(androgen, estradiol, p: Parameters):
    """Added only where both hormones are missing: no trial moved mood by one of them."""
    return p.low_mood_added * missing_androgen(androgen, p) * missing_estradiol(estradiol, p)


def fatigue(androgen, p: Parameters):
    """Added by missing androgen; oestradiol has no part."""
    return p.fatigue_added * missing_androgen(androgen, p)


def anxiety(estradiol, p: Parameters):
    """Added by missing oestradiol: 0, of unknown size and sign in men."""
    return p.anxiety_added * missing_estradiol(estradiol, p)


def relative_fat(fat_mass, p: Parameters):
    """Fat relative to day 0, exactly 1 there and never 0."""
    return positive(fat_mass, p.hormone_floor) / positive(1.0, p.hormone_floor)


def joint_pain(estradiol, fat_mass, p: Parameters):
    """Added by missing oestradiol, and by fat (relative to day 0) through the odds of the base rate."""
    load = relative_fat(fat_mass, p) ** p.joint_pain_fat_exponent
    base = p.joint_pain_base
    loaded = base * load / (1 + base * (load - 1))
    return p.joint_pain_added * missing_estradiol(estradiol, p) + (loaded - base)


# Rates -------------------------------------------------------------------------------------------


def build_up(target, time):
    """Gain per hour of what settles at ``target`` with the time constant ``time`` (h)."""
    return loss(target, 1 / time)


def fade(value, time):
    """Loss per hour with the time constant ``time`` (h)."""
    return loss(value, 1 / time)


def arouse(setpoints: Setpoints, p: Parameters, s: Signals):
    """Where desire settles: its drive now over its drive at rest."""
    at_rest = desire_drive(setpoints.androgen, setpoints.estradiol, p)
    return desire_drive(s.androgen, s.estradiol, p) / at_rest


def erect(setpoints: Setpoints, p: Parameters, s: Signals):
    """Where erection settles: its drive now over its drive at rest, and better with less fat."""
    at_rest = erection_drive(setpoints.androgen, setpoints.estradiol, p)
    fat = relative_fat(s.fat_mass, p)
    return erection_drive(s.androgen, s.estradiol, p) / at_rest * fat ** (-p.erection_fat_exponent)


def think(setpoints: Setpoints, p: Parameters, s: Signals):
    """Where cognition settles: its drive now over its drive at rest."""
    return cognition_drive(s.estradiol, p) / cognition_drive(setpoints.estradiol, p)


def derivatives(state: State, setpoints: Setpoints, p: Parameters, s: Signals) -> State:
    """Rates of change per hour.

    dx/dt = + build-up towards where the hormones of now let it settle - fading, each with its own time constant

    Desire and erection are odds, so scores stay on their scale and a low score can be restored by more than its own
    size. Symptoms settle at functions of the absolute hormones. No symptom acts on hormones.
    Source: dose-group trials in men made hypogonadal, castration, surveys of men; see data/outcomes/wellbeing.yaml.
    """
    flush, mood = hot_flushes(s.androgen, s.estradiol, p), low_mood(s.androgen, s.estradiol, p)
    pain = joint_pain(s.estradiol, s.fat_mass, p)
    return State(
        desire=+build_up(arouse(setpoints, p, s), p.desire_time) - fade(state.desire, p.desire_time),
        erection=+build_up(erect(setpoints, p, s), p.erection_time) - fade(state.erection, p.erection_time),
        cognition=+build_up(think(setpoints, p, s), p.cognition_time) - fade(state.cognition, p.cognition_time),
        hot_flush=+build_up(flush, p.hot_flush_time) - fade(state.hot_flush, p.hot_flush_time),
        low_mood=+build_up(mood, p.low_mood_time) - fade(state.low_mood, p.low_mood_time),
        fatigue=+build_up(fatigue(s.androgen, p), p.fatigue_time) - fade(state.fatigue, p.fatigue_time),
        anxiety=+build_up(anxiety(s.estradiol, p), p.anxiety_time) - fade(state.anxiety, p.anxiety_time),
        joint_pain=+build_up(pain, p.joint_pain_time) - fade(state.joint_pain, p.joint_pain_time),
    )


def at_rest(setpoints: Setpoints, p: Parameters) -> State:
    """State in which every derivative is zero: scores at his own, symptoms at what his own hormones add."""
    androgen, estradiol = setpoints.androgen, setpoints.estradiol
    return State(
        desire=1.0,
        erection=1.0,
        cognition=1.0,
        hot_flush=hot_flushes(androgen, estradiol, p),
        low_mood=low_mood(androgen, estradiol, p),
        fatigue=fatigue(androgen, p),
        anxiety=anxiety(estradiol, p),
        joint_pain=joint_pain(estradiol, 1.0, p),
    )


# Scores and probabilities ------------------------------------------------------------------------


def within(value, low, high):
    """``value`` cut to the range from ``low`` to ``high``; for outputs only, as it has corners."""
    return (abs(value - low) - abs(value - high) + low + high) / 2


def moved(score, odds_ratio, p: Parameters):
    """A score whose odds are multiplied; the scale reaches ``score_margin`` points beyond 0 and 100.

    Without the margin a man at a questionnaire's ceiling, as many are, could never lose anything.
    """
    margin = p.score_margin
    odds = odds_ratio * (score + margin) / (100 - score + margin)
    return ((100 + margin) * odds - margin) / (1 + odds)


def desire_score(state: State, setpoints: Setpoints, p: Parameters):
    """Sexual desire, 0-100."""
    return within(moved(setpoints.desire_score, state.desire, p), 0, 100)


def erectile_function_score(state: State, setpoints: Setpoints, p: Parameters):
    """Erectile function, 0-100."""
    return within(moved(setpoints.erectile_function_score, state.erection, p), 0, 100)


def cognition_score(state: State):
    """Memory and cognition relative to his own at rest."""
    return state.cognition


def hot_flush_probability(state: State, p: Parameters):
    """Probability that he reports hot flushes when asked."""
    return within(p.hot_flush_base + state.hot_flush, 0, 1)


def low_mood_probability(state: State, p: Parameters):
    """Probability of depressive symptoms that matter clinically, in any two weeks."""
    return within(p.low_mood_base + state.low_mood, 0, 1)


def fatigue_probability(state: State, p: Parameters):
    """Probability that he calls himself often tired."""
    return within(p.fatigue_base + state.fatigue, 0, 1)


def anxiety_probability(state: State, p: Parameters):
    """Probability of any symptoms of anxiety, in any two weeks."""
    return within(p.anxiety_base + state.anxiety, 0, 1)


def joint_pain_probability(state: State, p: Parameters):
    """Probability of lasting joint symptoms."""
    return within(p.joint_pain_base + state.joint_pain, 0, 1)


def referenced(setpoints: Setpoints, state: State, p: Parameters, measured: Mapping[str, float]) -> Setpoints:
    """Setpoints with which ``state`` (of a treated or diseased man, say) yields the measured scores."""
    odds = {"desire_score": state.desire, "erectile_function_score": state.erection}
    return setpoints._replace(**{name: moved(measured[name], 1 / odds[name], p) for name in odds if name in measured})
